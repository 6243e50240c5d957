package api

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestTextIsOneLineEachWhateverTheMessageHolds(t *testing.T) {
	e := &Error{Code: Internal, Message: "STS says\x1b[31m \"no\"\nreally", Hint: "a\r\nb"}
	if got, want := e.Text(), "tcred: error: STS says [31m \"no\" really\ntcred: hint: a  b\n"; got != want {
		t.Errorf("got %q", got)
	}
}

func TestEveryCodeHasAnOutcome(t *testing.T) {
	for code, o := range outcomes {
		if o.status < 400 || o.exit == ExitOK || o.retryable != (o.exit == ExitTryAgain) {
			t.Errorf("%s: %+v", code, o)
		}
	}
}

func TestAnErrorCrossesTheSocketWhole(t *testing.T) {
	e := &Error{Code: STSClock, Message: "m", Hint: "h", RequestID: "r"}
	if got := ProblemOf(e).Err(); *got != *e {
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
