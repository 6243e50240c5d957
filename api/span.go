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
