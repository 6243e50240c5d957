package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/tcred/tcred/credential"
)

// maxLine bounds what is read of a secret on stdin, in bytes.
const maxLine = 4096

// askHidden asks the person at the terminal for something that is not shown while they type or paste it. When ctx
// ends, by ^C say, the terminal is as it was before.
func (a *app) askHidden(ctx context.Context, prompt string) (credential.Secret, error) {
	restore, err := a.mute()
	if err != nil {
		return "", err
	}
	defer restore()
	line, err := a.askLine(ctx, prompt+" (hidden): ", readHidden)
	fmt.Fprintln(a.err) // the person's own was not shown either
	if errors.Is(err, io.EOF) {
		err = usage("", "%s: nothing was entered", prompt)
	}
	return credential.Secret(line), err
}

// mute hides what is typed between the questions of a sequence too. Call restore after the last.
func (a *app) mute() (restore func(), err error) {
	if f, ok := a.in.(*os.File); ok && isTerminal(f) {
		if restore, err = muted(f); err != nil {
			return nil, fmt.Errorf("hiding what is typed: %w", err)
		}
		return restore, nil
	}
	return func() {}, nil
}

// askYes asks a question that everything but a yes answers with no.
func (a *app) askYes(ctx context.Context, question string) (bool, error) {
	line, err := a.askLine(ctx, question+" [y/N] ", readLine)
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	answer := strings.ToLower(strings.TrimSpace(line))
	return answer == "y" || answer == "yes", err
}

// askLine prompts on stderr and reads an answer from the terminal that stdin is.
func (a *app) askLine(ctx context.Context, prompt string, read func(*os.File) (string, error)) (string, error) {
	f, ok := a.in.(*os.File)
	if !ok {
		return "", errors.New("stdin is not a terminal")
	}
	before, err := term.GetState(int(f.Fd()))
	if err != nil {
		return "", fmt.Errorf("looking at the terminal: %w", err)
	}
	fmt.Fprint(a.err, prompt)
	line, err := await(ctx, func() (string, error) { return read(f) })
	if err != nil && ctx.Err() != nil {
		term.Restore(int(f.Fd()), before) // nothing else can be done about it
	}
	return line, err
}

// await gives up on read when ctx ends. Read itself then goes on until the process ends.
func await(ctx context.Context, read func() (string, error)) (string, error) {
	type answer struct {
		line string
		err  error
	}
	answered := make(chan answer, 1)
	go func() {
		line, err := read()
		answered <- answer{line, err}
	}()
	select {
	case got := <-answered:
		return got.line, got.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// readLine takes single bytes, so that what was typed ahead is left for the next question.
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

// readSecret reads the one line on stdin that flag promised.
func (a *app) readSecret(ctx context.Context, flag string) (credential.Secret, error) {
	text, err := await(ctx, func() (string, error) {
		text, err := io.ReadAll(io.LimitReader(a.in, maxLine+1))
		return string(text), err
	})
	if err != nil {
		return "", fmt.Errorf("reading stdin: %w", err)
	}
	line := strings.Trim(text, "\r\n")
	switch {
	case line == "":
		return "", usage("", "%s: there is nothing on stdin", flag)
	case len(text) > maxLine, strings.Contains(line, "\n"):
		return "", usage("", "%s: stdin holds more than one line", flag)
	}
	return credential.Secret(line), nil
}
