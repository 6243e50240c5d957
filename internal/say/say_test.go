package say

import (
	"testing"

	"github.com/tcred/tcred/api"
)

func TestTextIsOneLineEachWhateverTheMessageHolds(t *testing.T) {
	e := &api.Error{Code: api.Internal, Message: "STS says\x1b[31m \"no\"\nreally", Hint: "a\r\nb"}
	if got, want := Text(e), "tcred: error: STS says [31m \"no\" really\ntcred: hint: a  b\n"; got != want {
		t.Errorf("got %q", got)
	}
}

func TestTheExitStatusTellsWhatToDo(t *testing.T) {
	for code, want := range map[api.Code]int{
		api.BadRequest: ExitUsage, api.NoKey: ExitPerson, api.KeystoreLocked: ExitPerson, api.Timeout: ExitTryAgain,
		api.Internal: ExitFailed, api.STSPermission: ExitFailed,
	} {
		if got := Exit(&api.Error{Code: code}); got != want {
			t.Errorf("%s: %d, want %d", code, got, want)
		}
	}
	for _, c := range []struct {
		p    api.Problem
		want int
	}{{api.Problem{Code: "new", Status: 429, Retryable: true}, ExitTryAgain}, {api.Problem{Code: "new", Status: 403}, ExitFailed}} {
		if got := Exit(c.p.Err()); got != c.want {
			t.Errorf("%+v: %d, want %d", c.p, got, c.want)
		}
	}
}
