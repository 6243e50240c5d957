package api

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
