// Package human writes what people read: on one line, in quotes, and spans of time as they say them.
//
// The helper imports it, so it uses nothing that package os does not need anyway: package place says what that saves.
package human

import "time"

// Span writes d as people do in messages and config: "2h" and "1h30m", not "2h0m0s" and "1h30m0s".
func Span(d time.Duration) string {
	text := d.String()
	if n := len(text) - len("0s"); n > 0 && text[n:] == "0s" && text[n-1] == 'm' {
		text = text[:n]
	}
	if n := len(text) - len("0m"); n > 0 && text[n:] == "0m" && text[n-1] == 'h' {
		text = text[:n]
	}
	return text
}

// maxLine is how much of a text OneLine keeps, in characters. What tcred itself says is shorter.
const maxLine = 1500

// OneLine is text as a terminal may show it, whoever wrote it: STS, a file and a proxy have their words in messages.
// Control characters and those that turn the direction of writing become blanks, and an endless text ends.
func OneLine(text string) string {
	line := []rune(text)
	if len(line) > maxLine {
		line = append(line[:maxLine], '…')
	}
	for i, r := range line {
		switch {
		case r < ' ', 0x7f <= r && r < 0xa0, r == 0x061c, r == 0x200e, r == 0x200f,
			0x2028 <= r && r <= 0x202e, 0x2066 <= r && r <= 0x2069:
			line[i] = ' '
		}
	}
	return string(line)
}

// Visible reports whether text is visible ASCII, with no blank and no control character: it may stand in an HTTP header
// and an environment variable as it is. An empty text is.
func Visible(text string) bool {
	for i := 0; i < len(text); i++ {
		if text[i] <= ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// secretRun is how many letters and digits in a row may be a secret. SecretIds have 36, SecretKeys 32.
const secretRun = 24

// LooksSecret reports whether text may be or hold a SecretId or a SecretKey, so that it is not repeated on a screen: it
// has a run of letters and digits that is long and mixes capitals, small letters and digits.
func LooksSecret(text string) bool {
	var length, capitals, small, digits int
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case 'A' <= c && c <= 'Z':
			capitals++
		case 'a' <= c && c <= 'z':
			small++
		case '0' <= c && c <= '9':
			digits++
		default:
			length, capitals, small, digits = 0, 0, 0, 0
			continue
		}
		if length++; length >= secretRun && capitals > 0 && small > 0 && digits > 0 {
			return true
		}
	}
	return false
}

// SecretLike is said in the place of what LooksSecret finds.
const SecretLike = "(what looks like a SecretId or a SecretKey)"

// Quote puts text between quotes, on one line. It is for the packages to which strconv costs too much.
func Quote(text string) string {
	out := []byte{'"'}
	for i := 0; i < len(text); i++ {
		if c := text[i]; c < ' ' || c == 0x7f {
			out = append(out, '?')
		} else {
			out = append(out, c)
		}
	}
	return string(append(out, '"'))
}

// NamedBy is the text of an error with the words who named the profile in it, where it says that there is none of that
// name. Whoever reads it typed nothing, and would not know where to look.
func NamedBy(text, name, who string) string {
	said := "no profile " + Quote(name)
	for i := 0; i+len(said) <= len(text); i++ {
		if end := i + len(said); text[i:end] == said {
			return text[:end] + ", which " + who + " names" + text[end:]
		}
	}
	return text
}

// Itoa writes n, which is not negative, in base 8 or 10. It is for the packages that go without strconv.
func Itoa(n, base int) string {
	if n < base {
		return string(rune('0' + n))
	}
	return Itoa(n/base, base) + string(rune('0'+n%base))
}
