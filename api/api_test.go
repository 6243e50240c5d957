package api

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestTextIsOneLineEachWhateverTheMessageHolds(t *testing.T) {
	e := &Error{Code: Internal, Message: "STS says\x1b[31m \"no\"\nreally", Hint: "a\r\nb"}
	if got, want := e.Text(), "tcred: error: STS says [31m \"no\" really\ntcred: hint: a  b\n"; got != want {
		t.Errorf("got %q", got)
	}
}

func TestALineIsSafeOnATerminalAndEnds(t *testing.T) {
	for text, want := range map[string]string{
		"a\x1b]0;b\ac":                      "a ]0;b c",
		"a\u009bb\u202ec\u2066d\x7f\u200ee": "a b c d  e",
		"配置 ok":                             "配置 ok",
		strings.Repeat("字", 60_000):         strings.Repeat("字", maxLine) + "…",
	} {
		if got := OneLine(text); got != want {
			t.Errorf("%.40q: got %.40q", text, got)
		}
	}
	p := ProblemOf(&Error{Code: Internal, Message: "a\x1b[2J", Hint: "b\nc"})
	if p.Detail != "a [2J" || p.Hint != "b c" {
		t.Errorf("got %+v", p)
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

func TestSpanLeavesOutZeroes(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 2 * time.Hour: "2h", 90 * time.Minute: "1h30m", 20 * time.Minute: "20m", 10 * time.Second: "10s",
		time.Hour + time.Second: "1h0m1s", 100 * time.Minute: "1h40m", 110*time.Minute + 10*time.Second: "1h50m10s", -time.Hour: "-1h",
	} {
		if got := Span(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}
