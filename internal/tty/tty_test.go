package tty

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/tcred/tcred/api"
)

func TestASecretOnStdinIsOneLine(t *testing.T) {
	for text, want := range map[string]string{
		"secret":                        "secret",
		"secret\n":                      "secret",
		"secret\r\n":                    "secret",
		" with blanks \n":               " with blanks ",
		"":                              "error: --stdin: there is nothing on stdin",
		"\n":                            "error: --stdin: there is nothing on stdin",
		"secret\nmore\n":                "error: --stdin: stdin holds more than one line",
		strings.Repeat("x", maxLine):    strings.Repeat("x", maxLine),
		strings.Repeat("x", maxLine+1):  "error: --stdin: stdin holds more than one line",
		strings.Repeat("x", maxLine+99): "error: --stdin: stdin holds more than one line",
	} {
		secret, err := ReadSecret(t.Context(), strings.NewReader(text), "--stdin")
		got := secret.Reveal()
		if err != nil {
			got = "error: " + err.Error()
		}
		if got != want || err != nil && api.CodeOf(err) != api.BadRequest {
			t.Errorf("%.20q: %.60q, not %.60q", text, got, want)
		}
	}
}

func TestAReadOfStdinEndsWithItsContext(t *testing.T) {
	stdin, writer := io.Pipe() // nobody writes
	defer writer.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ReadSecret(ctx, stdin, "--stdin"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestWhereNoTerminalIsNobodyIsAsked(t *testing.T) {
	file, err := os.Create(t.TempDir() + "/file")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, in := range []io.Reader{strings.NewReader("y\n"), file} {
		if Is(in) {
			t.Errorf("%T is taken for a terminal", in)
		}
		var out bytes.Buffer
		terminal := Terminal{In: in, Out: &out}
		if yes, err := terminal.Yes(t.Context(), "remove it?"); yes || err == nil || out.Len() > 0 {
			t.Errorf("%T: %v, %v, %q", in, yes, err, &out)
		}
		restore, err := terminal.Mute()
		if err != nil {
			t.Fatal(err)
		}
		restore()
	}
}
