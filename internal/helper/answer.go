package helper

import (
	"errors"
	"io"
	"os"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/say"
	"github.com/tcred/tcred/internal/socket"
)

// answer is one whole answer of the daemon: a credential (status 200) or the lines for stderr.
type answer struct {
	status int
	exit   int    // the exit status that goes with a failure; 0 with a credential
	warn   string // a line for people beside the answer, "" if there is none
	body   []byte

	version, profile, layer string // of the daemon; of a credential
}

// firstRead is how many bytes hold head and body of any JSON credential.
const firstRead = 16 << 10

// readAnswer reads one answer. A body counts only when it is as long as its Content-Length says and no longer.
func readAnswer(r io.Reader) (answer, error) {
	buf := make([]byte, 0, firstRead)
	end := -1
	for end < 0 {
		if len(buf) >= api.MaxHeader {
			return answer{}, garbled("no end of its headers")
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		seen := max(len(buf)-3, 0) // the end may lie across two reads
		buf = buf[:len(buf)+n]
		if end = endOfHead(buf, seen); end < 0 && err != nil {
			return answer{}, cutOff(err, len(buf) == 0)
		}
	}
	a, length, err := parseHead(string(buf[:end]))
	if err != nil {
		return answer{}, err
	}
	have, whole := len(buf), end+length
	if have > whole {
		return answer{}, garbled("more bytes than its Content-Length")
	}
	if whole > cap(buf) {
		buf = append(make([]byte, 0, whole), buf...)
	}
	buf = buf[:whole]
	if _, err := io.ReadFull(r, buf[have:]); err != nil {
		return answer{}, cutOff(err, false)
	}
	a.body = buf[end:]
	return a, nil
}

// endOfHead is where the body begins, or -1; it looks from index from on.
func endOfHead(buf []byte, from int) int {
	for i := from; i+4 <= len(buf); i++ {
		if string(buf[i:i+4]) == "\r\n\r\n" {
			return i + 4
		}
	}
	return -1
}

// parseHead reads status line and headers, up to and with the empty line that ends them.
func parseHead(head string) (a answer, length int, err error) {
	line, rest := cutLine(head)
	a.status, err = parseStatus(line)
	if err != nil {
		return answer{}, 0, err
	}
	length = -1
	for {
		if line, rest = cutLine(rest); line == "" {
			break
		}
		name, value, ok := cutHeader(line)
		switch {
		case !ok:
			return answer{}, 0, garbled("a malformed header")
		case equalFold(name, "Transfer-Encoding"):
			return answer{}, 0, garbled("no Content-Length")
		case equalFold(name, "Content-Length"):
			if length >= 0 {
				return answer{}, 0, garbled("two Content-Lengths")
			}
			if length, ok = number(value, api.MaxAnswer); !ok {
				return answer{}, 0, garbled("a bad Content-Length")
			}
		case equalFold(name, api.HeaderVersion):
			a.version = value
		case equalFold(name, api.HeaderExit):
			a.exit, _ = number(value, 255)
		case equalFold(name, api.HeaderWarning):
			a.warn = value
		case equalFold(name, api.HeaderProfile):
			a.profile = value
		case equalFold(name, api.HeaderLayer):
			a.layer = value
		}
	}
	switch {
	case a.version == "":
		return answer{}, 0, garbled("no " + api.HeaderVersion)
	case length < 0:
		return answer{}, 0, garbled("no Content-Length")
	case length == 0:
		return answer{}, 0, garbled("an empty body")
	case a.status == 200:
		a.exit = say.ExitOK
	case a.exit == 0: // a failure must not pass for success, whatever the header says
		a.exit = say.ExitFailed
	}
	return a, length, nil
}

// parseStatus reads "HTTP/1.1 200 OK".
func parseStatus(line string) (int, error) {
	const protocol = "HTTP/1.1 "
	if len(line) < len(protocol)+3 || line[:len(protocol)] != protocol {
		return 0, garbled("no HTTP/1.1")
	}
	rest := line[len(protocol):]
	status, ok := number(rest[:3], 599)
	if !ok || status < 200 || len(rest) > 3 && rest[3] != ' ' || hasControl(rest) {
		return 0, garbled("a bad status")
	}
	return status, nil
}

// cutLine cuts s at its first line end.
func cutLine(s string) (line, rest string) {
	for i := 0; i+1 < len(s); i++ {
		if s[i] == '\r' && s[i+1] == '\n' {
			return s[:i], s[i+2:]
		}
	}
	return s, ""
}

// cutHeader splits "Name: value". No name holds a space, a colon or a control character.
func cutHeader(line string) (name, value string, ok bool) {
	i := 0
	for i < len(line) && line[i] > ' ' && line[i] < 0x7f && line[i] != ':' {
		i++
	}
	if i == 0 || i == len(line) || line[i] != ':' {
		return "", "", false
	}
	name, value = line[:i], line[i+1:]
	for value != "" && (value[0] == ' ' || value[0] == '\t') {
		value = value[1:]
	}
	for value != "" && (value[len(value)-1] == ' ' || value[len(value)-1] == '\t') {
		value = value[:len(value)-1]
	}
	return name, value, !hasControl(value)
}

// hasControl reports a control character other than a tab: a bare line feed, which others take for a line's end.
func hasControl(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' && s[i] != '\t' || s[i] == 0x7f {
			return true
		}
	}
	return false
}

func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := 0; i < len(a); i++ {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// number reads decimal digits, and nothing else, of a value up to limit.
func number(s string, limit int) (n int, ok bool) {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		if n = n*10 + int(s[i]-'0'); n > limit {
			return 0, false
		}
	}
	return n, s != ""
}

// cutOff is the error for a connection that failed with err before the answer was whole.
func cutOff(err error, nothing bool) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	if nothing {
		return socket.ErrNoAnswer
	}
	return socket.BrokenOff(err)
}

func garbled(what string) error { return socket.Foreign(what, "", nil) }
