package doctor

import (
	"strings"
	"testing"

	"github.com/tcred/tcred/api"
)

func TestOneCauseIsOneFault(t *testing.T) {
	locked := func(rest string) *api.Problem {
		return &api.Problem{Code: api.KeystoreLocked, Detail: "the file keystore is locked" + rest}
	}
	config := func(detail string) *api.Problem { return &api.Problem{Code: api.ConfigInvalid, Detail: detail} }
	slow := func(name string) *api.Problem {
		return &api.Problem{Code: api.Timeout, Detail: `no new credential for profile "` + name + `" in time`}
	}
	denied := func(request string) *api.Problem {
		return &api.Problem{Code: api.STSPermission, Detail: `key "k" may not call it (UnauthorizedOperation, request ` + request + `)`}
	}
	none := func(key string) *api.Problem {
		return &api.Problem{Code: api.NoKey, Detail: `no key "` + key + `"`, Hint: "tcred add " + key}
	}
	st := api.Status{
		Keystore: "file", KeystoreProblem: locked(""), Problem: config(`/c.toml:1:1: unknown key "x" (2 more)`),
		Profiles: []api.ProfileStatus{
			{Name: "a", LastError: locked(`, so key "a" cannot be read`)}, {Name: "b", LastError: locked(`, so key "b" cannot be read`)},
			{Name: "c", LastError: slow("c")}, {Name: "d", LastError: slow("d")}, {Name: "e"},
			{Name: "f", LastError: denied("59a5e07e")}, {Name: "g", LastError: denied("00000001")},
			{Name: "h", LastError: none("x")}, {Name: "i", LastError: none("y")},
			{Name: "j", LastError: config(`/c.toml:1:1: unknown key "x"`)}, {Name: "k", LastError: config(`/c.toml:9:1: no policy`)},
		},
	}
	var got []string
	for _, f := range Faults(st) {
		got = append(got, strings.Join(f.Of, "+"))
	}
	if want := "keystore+a+b c+d f+g h i k"; strings.Join(got, " ") != want {
		t.Errorf("%q, want %q", got, want)
	}
}
