package helper

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/socket"
)

const head = "HTTP/1.1 200 OK\r\nTcred-Version: test\r\n"

func TestWholeAnswersAreTaken(t *testing.T) {
	long := strings.Repeat("0123456789", 5000)
	for _, tt := range []struct {
		name, text, body string
		status, exit     int
	}{
		{"a credential", head + "Content-Length: 3\r\n\r\nabc", "abc", 200, 0},
		{"header names in any case", "HTTP/1.1 200\r\ntcred-version:x\r\ncontent-LENGTH:\t3 \r\n\r\nabc", "abc", 200, 0},
		{"larger than the buffer", fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(long), long), long, 200, 0},
		{"a failure", "HTTP/1.1 423 Locked\r\nTcred-Version: x\r\nTcred-Exit: 3\r\nContent-Length: 2\r\n\r\nno", "no", 423, 3},
		{"a failure that calls itself success", "HTTP/1.1 500 X\r\nTcred-Version: x\r\nTcred-Exit: 0\r\nContent-Length: 2\r\n\r\nno", "no", 500, 1},
		{"a failure without a status", "HTTP/1.1 500 X\r\nTcred-Version: x\r\nContent-Length: 2\r\n\r\nno", "no", 500, 1},
		{"a failure with a silly status", "HTTP/1.1 500 X\r\nTcred-Version: x\r\nTcred-Exit: 256\r\nContent-Length: 2\r\n\r\nno", "no", 500, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, r := range []io.Reader{
				strings.NewReader(tt.text), iotest.OneByteReader(strings.NewReader(tt.text)), iotest.DataErrReader(strings.NewReader(tt.text)),
			} {
				a, err := readAnswer(r)
				if err != nil || string(a.body) != tt.body || a.status != tt.status || a.exit != tt.exit {
					t.Errorf("got %d, exit %d, %d bytes, %v", a.status, a.exit, len(a.body), err)
				}
			}
		})
	}
}

func TestAnythingElseIsRefused(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		code       api.Code
	}{
		{"nothing", "", api.NoDaemon},
		{"a cut head", "HTTP/1.1 200 OK\r\nContent-Le", api.NoDaemon},
		{"a cut body", head + "Content-Length: 4\r\n\r\nabc", api.NoDaemon},
		{"an empty body", head + "Content-Length: 0\r\n\r\n", api.Internal},
		{"too much body", head + "Content-Length: 2\r\n\r\nabc", api.Internal},
		{"no length", head + "\r\nabc", api.Internal},
		{"chunks", head + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc", api.Internal},
		{"two lengths", head + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", api.Internal},
		{"a negative length", head + "Content-Length: -3\r\n\r\nabc", api.Internal},
		{"a huge length", fmt.Sprintf("%sContent-Length: %d\r\n\r\nabc", head, api.MaxAnswer+1), api.Internal},
		{"a length over every number", head + "Content-Length: 99999999999999999999999999\r\n\r\nabc", api.Internal},
		{"endless headers", head + strings.Repeat("A: b\r\n", 4000), api.Internal},
		{"another server", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", api.Internal},
		{"another protocol", "SSH-2.0-OpenSSH_9.2\r\n\r\n", api.Internal},
		{"another version", "HTTP/1.0 200 OK\r\nTcred-Version: x\r\nContent-Length: 3\r\n\r\nabc", api.Internal},
		{"a bad status", "HTTP/1.1 20x OK\r\nTcred-Version: x\r\nContent-Length: 3\r\n\r\nabc", api.Internal},
		{"an interim answer", "HTTP/1.1 100 Continue\r\n\r\n", api.Internal},
		{"a folded header", head + "Content-Length: 3\r\n 4\r\n\r\nabc", api.Internal},
		{"a space before the colon", head + "Content-Length : 3\r\n\r\nabc", api.Internal},
		{"a bare line feed after the status", "HTTP/1.1 200 \n\nX\r\nTcred-Version: x\r\nContent-Length: 3\r\n\r\nabc", api.Internal},
		{"a bare line feed", head + "X: a\nContent-Length: 3\r\n\r\nabc", api.Internal},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, err := readAnswer(strings.NewReader(tt.text))
			if api.CodeOf(err) != tt.code || a.body != nil {
				t.Errorf("got %v, want %s", err, tt.code)
			}
			if errors.Is(err, socket.ErrNoAnswer) != (tt.text == "") {
				t.Errorf("only an answer of no byte may be asked for again")
			}
		})
	}
}

// FuzzAnswer holds the parser to: what it takes, net/http reads as the same status and the very same body, of exactly
// Content-Length bytes; the way the bytes arrive changes nothing; a failure never ends in exit status 0; and no shorter
// part of an answer that it takes is taken.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(head+"Content-Length: 3\r\n\r\nabc"), uint16(5))
	f.Add([]byte(head+"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"), uint16(40))
	f.Add([]byte("HTTP/1.1 423 Locked\r\nTcred-Version: x\r\nTcred-Exit: 3\r\nContent-Length: 2\r\n\r\nno"), uint16(70))
	f.Add([]byte(head+"X: a\nContent-Length: 3\r\n\r\nabc"), uint16(0))
	f.Fuzz(func(t *testing.T, text []byte, cut uint16) {
		a, err := readAnswer(bytes.NewReader(text))
		slow, slowErr := readAnswer(iotest.OneByteReader(bytes.NewReader(text)))
		if err != nil {
			if a.body != nil || api.AsError(err).Message == "" {
				t.Fatalf("half an answer with error %v", err)
			}
			return // read slowly, bytes after the body are not seen: that may succeed
		}
		if slowErr != nil || slow.status != a.status || slow.exit != a.exit || !bytes.Equal(slow.body, a.body) {
			t.Fatalf("byte by byte: %v, %q, not %q", slowErr, slow.body, a.body)
		}
		if len(a.body) == 0 || (a.status == 200) != (a.exit == 0) || a.exit > 255 {
			t.Fatalf("status %d, exit %d, %d bytes", a.status, a.exit, len(a.body))
		}
		whole := bytes.Index(text, []byte("\r\n\r\n")) + 4 + len(a.body)
		if part, err := readAnswer(bytes.NewReader(text[:int(cut)%whole])); err == nil {
			t.Fatalf("a part was taken: %q", part.body)
		}
		r, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(text)), nil)
		if err != nil || a.status != 200 {
			return // net/http is stricter about names, and knows statuses without a body
		}
		body, err := io.ReadAll(r.Body)
		if err != nil || r.StatusCode != a.status || r.ContentLength != int64(len(a.body)) || !bytes.Equal(body, a.body) {
			t.Fatalf("net/http: %v, status %d, %q, not %q", err, r.StatusCode, body, a.body)
		}
	})
}
