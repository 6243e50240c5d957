package api

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestEveryCodeHasAnOutcome(t *testing.T) {
	for code, o := range outcomes {
		if o.status < 400 || o.status > 599 {
			t.Errorf("%s: %+v", code, o)
		}
	}
}

func TestAnErrorCrossesTheSocketWhole(t *testing.T) {
	e := &Error{Code: STSClock, Message: "m", Hint: "h", RequestID: "r"}
	got := ProblemOf(e).Err()
	if got.Code != e.Code || got.Message != e.Message || got.Hint != e.Hint || got.RequestID != e.RequestID ||
		got.Status() != e.Status() || got.Retryable() != e.Retryable() {
		t.Errorf("got %+v", got)
	}
}

func TestAsErrorFindsTheErrorInTheChain(t *testing.T) {
	e := &Error{Code: NoKey, Message: "m"}
	if AsError(fmt.Errorf("doing x: %w", e)) != e || AsError(nil) != nil || CodeOf(nil) != "" {
		t.Error("not found, or found in nothing")
	}
	if CodeOf(errors.New("x")) != Internal {
		t.Error("a plain error is no defect of ours")
	}
}

func TestValidName(t *testing.T) {
	for name, want := range map[string]bool{
		"default": true, "a.b-c_d": true, "9": true, strings.Repeat("a", 64): true,
		"": false, ".a": false, "-a": false, "a/b": false, "a b": false, "ä": false, strings.Repeat("a", 65): false,
	} {
		if ValidName(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}

func TestAProblemIsSafeOnATerminal(t *testing.T) {
	p := ProblemOf(&Error{Code: Internal, Message: "a\x1b[2J", Hint: "b\nc"})
	if p.Detail != "a [2J" || p.Hint != "b c" {
		t.Errorf("got %+v", p)
	}
}

// A daemon of a later version may say codes that this client does not know: its word on what they are counts.
func TestWhatTheDaemonSaysOfACodeCounts(t *testing.T) {
	for _, p := range []Problem{
		{Code: "not_known_yet", Status: 429, Retryable: true},
		{Code: "not_known_yet", Status: 401},
		{Code: Internal, Status: 503, Retryable: true},
	} {
		e := p.Err()
		if e.Code != p.Code || e.Status() != p.Status || e.Retryable() != p.Retryable {
			t.Errorf("%+v became %d, %v", p, e.Status(), e.Retryable())
		}
		if again := ProblemOf(e); again.Status != p.Status || again.Retryable != p.Retryable {
			t.Errorf("%+v went on as %+v", p, again)
		}
	}
	if e := (&Problem{Code: "x", Status: 200}).Err(); e.Status() != 500 {
		t.Errorf("a failure with status %d", e.Status())
	}
}
