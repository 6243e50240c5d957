// Package tty asks the person at a terminal: for a yes, or for a secret that is not shown.
package tty

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
)

// maxLine bounds an answer, and a secret on stdin, in bytes.
const maxLine = 4096

// Terminal is where a person is asked.
type Terminal struct {
	In  io.Reader // answers come from here: stdin
	Out io.Writer // questions go here: stderr, because stdout is for the command's own answer
}

// Is reports whether stream is a terminal, so that a person is at the other end of it.
func Is(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Hidden asks for something that is not shown while the person types or pastes it. When ctx ends, by ^C for example,
// the terminal is as it was before. An answer may be empty; when the input ends without one, the error is an
// *api.Error with the code api.BadRequest.
func (t Terminal) Hidden(ctx context.Context, prompt string) (credential.Secret, error) {
	restore, err := t.Mute()
	if err != nil {
		return "", err
	}
	defer restore()
	line, err := t.ask(ctx, prompt+" (hidden): ", readHidden)
	fmt.Fprintln(t.Out) // the person's Enter was not shown either
	if errors.Is(err, io.EOF) {
		err = badInput("%s: nothing was entered", prompt)
	}
	return credential.Secret(line), err
}

// Yes asks a question. Only "y" and "yes" mean yes, in small letters or capitals; when the input ends, that is a no.
func (t Terminal) Yes(ctx context.Context, question string) (bool, error) {
	line, err := t.ask(ctx, question+" [y/N] ", readLine)
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	answer := strings.ToLower(strings.TrimSpace(line))
	return answer == "y" || answer == "yes", err
}

// Mute stops the terminal from showing what is typed until restore is called: also between the questions of a
// sequence, when a person types or pastes ahead. Where t.In is no terminal, there is nothing to mute.
func (t Terminal) Mute() (restore func(), err error) {
	f, ok := t.In.(*os.File)
	if !ok || !Is(f) {
		return func() {}, nil
	}
	if restore, err = mute(f); err != nil {
		return nil, fmt.Errorf("hiding what is typed: %w", err)
	}
	return restore, nil
}

// ask writes a question and reads the answer from the terminal that t.In is.
func (t Terminal) ask(ctx context.Context, prompt string, read func(*os.File) (string, error)) (string, error) {
	f, ok := t.In.(*os.File)
	if !ok {
		return "", errors.New("stdin is not a terminal")
	}
	before, err := term.GetState(int(f.Fd()))
	if err != nil {
		return "", fmt.Errorf("looking at the terminal: %w", err)
	}
	fmt.Fprint(t.Out, prompt)
	line, err := await(ctx, func() (string, error) { return read(f) })
	if err != nil && ctx.Err() != nil {
		term.Restore(int(f.Fd()), before) // if that fails, nothing else can be done
	}
	return pasteMarks.Replace(line), err
}

// pasteMarks takes out what a terminal puts around a paste where the program before asked for it and left it on.
var pasteMarks = strings.NewReplacer("\x1b[200~", "", "\x1b[201~", "")

// await calls read, and stops waiting for it when ctx ends. The read itself then goes on until the process ends.
func await(ctx context.Context, read func() (string, error)) (string, error) {
	type result struct {
		line string
		err  error
	}
	results := make(chan result, 1)
	go func() {
		line, err := read()
		results <- result{line, err}
	}()
	select {
	case r := <-results:
		return r.line, r.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// readLine reads one byte at a time, so that what was typed ahead is left for the next question.
func readLine(f *os.File) (string, error) {
	var line []byte
	for b := make([]byte, 1); len(line) < maxLine; {
		n, err := f.Read(b)
		if n == 0 && err != nil {
			return string(line), err
		}
		if b[0] == '\n' {
			break
		}
		line = append(line, b[0])
	}
	return string(line), nil
}

// ReadSecret reads the one line that a flag, such as --passphrase-stdin, says is on stdin. Without a line, or with
// more than one, the error is an *api.Error with the code api.BadRequest that names the flag.
func ReadSecret(ctx context.Context, stdin io.Reader, flag string) (credential.Secret, error) {
	text, err := await(ctx, func() (string, error) {
		text, err := io.ReadAll(io.LimitReader(stdin, maxLine+1))
		return string(text), err
	})
	if err != nil {
		return "", fmt.Errorf("reading stdin: %w", err)
	}
	line := strings.Trim(text, "\r\n")
	switch {
	case line == "":
		return "", badInput("%s: there is nothing on stdin", flag)
	case len(text) > maxLine, strings.Contains(line, "\n"):
		return "", badInput("%s: stdin holds more than one line", flag)
	}
	return credential.Secret(line), nil
}

func badInput(format string, args ...any) error {
	return &api.Error{Code: api.BadRequest, Message: fmt.Sprintf(format, args...)}
}
