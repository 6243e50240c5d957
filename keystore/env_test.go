package keystore

import (
	"slices"
	"strings"
	"testing"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/say"
)

func setEnv(t *testing.T, vars map[string]string) Store {
	for _, name := range append([]string{spelling.ID, spelling.Key}, spelling.Tokens...) {
		t.Setenv(name, vars[name])
	}
	return env{readOnly{"env"}, "this process"}
}

func TestEnvHoldsTheDefaultKeyOnly(t *testing.T) {
	s := setEnv(t, map[string]string{spelling.ID: testKey.ID, spelling.Key: canary})
	if got, err := s.Get(t.Context(), "default"); err != nil || got != testKey {
		t.Errorf("got %v, %v", got, err)
	}
	if names, err := s.List(t.Context()); err != nil || !slices.Equal(names, []string{"default"}) {
		t.Errorf("List = %v, %v", names, err)
	}
	_, err := s.Get(t.Context(), "work")
	wantCode(t, err, api.NoKey)
}

func TestEnvReadsTheVariablesOfTencentCloudsSDKs(t *testing.T) {
	s := setEnv(t, map[string]string{"TENCENTCLOUD_SECRET_ID": testKey.ID, "TENCENTCLOUD_SECRET_KEY": canary})
	if got, err := s.Get(t.Context(), "default"); err != nil || got != testKey {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestEnvThatIsNotWholeIsAbsentAndSaysWhatADaemonSees(t *testing.T) {
	for missing, vars := range map[string]map[string]string{
		spelling.ID: {}, spelling.Key: {spelling.ID: testKey.ID},
	} {
		s := setEnv(t, vars)
		err := s.Probe(t.Context())
		wantCode(t, err, api.KeystoreAbsent)
		if e := api.AsError(err); !strings.Contains(e.Message, missing) || !strings.Contains(e.Hint, "tcred get") {
			t.Error(say.Text(e))
		}
		_, err = s.Get(t.Context(), "default")
		wantCode(t, err, api.KeystoreAbsent)
		_, err = s.List(t.Context())
		wantCode(t, err, api.KeystoreAbsent)
	}
}

func TestEnvRefusesATemporaryKey(t *testing.T) {
	for _, token := range spelling.Tokens {
		s := setEnv(t, map[string]string{spelling.ID: testKey.ID, spelling.Key: canary, token: "t"})
		_, err := s.Get(t.Context(), "default")
		wantCode(t, err, api.KeystoreFailed)
		if !strings.Contains(err.Error(), token) || !strings.Contains(err.Error(), "temporary") {
			t.Error(err)
		}
	}
}

func TestEnvRefusesWhatIsNoKey(t *testing.T) {
	s := setEnv(t, map[string]string{spelling.ID: "AKID with spaces", spelling.Key: canary})
	_, err := s.Get(t.Context(), "default")
	wantCode(t, err, api.KeystoreFailed)
}
