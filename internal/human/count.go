package human

import "time"

// Count is a number of things: "no warnings", "1 warning", "2 warnings". n is not negative.
func Count(n int, thing string) string {
	switch n {
	case 0:
		return "no " + thing + "s"
	case 1:
		return "1 " + thing
	}
	return Itoa(n, 10) + " " + thing + "s"
}

// Dash is text, or "-" where a table has nothing to show.
func Dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// Moment is a time and how far it is from now: "13:30:00 (1h30m left)", "11:58:59 (1m ago)". The date stands before a
// time that is twelve hours away or more; the zero time is "-".
func Moment(t, now time.Time) string {
	if t.IsZero() {
		return "-"
	}
	layout := time.TimeOnly
	if t.Sub(now).Abs() >= 12*time.Hour {
		layout = time.DateTime
	}
	text := t.Local().Format(layout)
	if t.After(now) {
		return text + " (" + span(t.Sub(now)) + " left)"
	}
	return text + " (" + span(now.Sub(t)) + " ago)"
}

// span is a time to the minute, or to the second where it is short.
func span(d time.Duration) string {
	if d >= time.Minute {
		return Span(d.Truncate(time.Minute))
	}
	return Span(d.Truncate(time.Second))
}

// ShellWord is text as a shell takes it for one word.
func ShellWord(text string) string {
	quoted, plain := "'", text != ""
	for _, r := range text {
		switch r {
		case ' ', '\t', '\n', '"', '\\', '$', '`', '!', '*', '?', '[', ']', '{', '}', '(', ')', '<', '>', '|', '&', ';',
			'~', '#':
			plain = false
		case '\'':
			plain = false
			quoted += `'\'`
		}
		quoted += string(r)
	}
	if plain {
		return text
	}
	return quoted + "'"
}
