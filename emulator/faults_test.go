package emulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func (w world) federate(t *testing.T) answer {
	t.Helper()
	return w.ask(t, post(keyOf(w.root), GetFederationToken, federation(), w.clock.now()))
}

func TestFaultLastsAsManyTimesAsTold(t *testing.T) {
	w := newWorld(t, Options{})
	w.Fail(Fault{Action: GetFederationToken, Times: 2, Code: "InternalError.DbError", Message: "the disk is full"})
	for _, want := range []string{"InternalError.DbError", "InternalError.DbError", ""} {
		w.ask(t, post(keyOf(w.root), GetCallerIdentity, struct{}{}, noon)).wantCode(t, "") // not its action
		w.federate(t).wantCode(t, want)
	}
	w.Fail(Fault{Code: "InternalError"})
	w.Fail(Fault{Code: "RequestLimitExceeded"}) // the older one goes first
	for range 5 {
		w.federate(t).wantCode(t, "InternalError")
	}
	w.Heal()
	w.federate(t).wantCode(t, "")
}

func TestCallsAreCountedRefusedOnesToo(t *testing.T) {
	w := newWorld(t, Options{})
	w.federate(t)
	w.Fail(Fault{Times: 1, Status: http.StatusBadGateway})
	w.ServeHTTP(httptest.NewRecorder(), post(keyOf(w.root), GetCallerIdentity, struct{}{}, noon))
	w.ask(t, post(keyOf(NewAccount(true)), "GetFamilyToken", struct{}{}, noon))
	for action, want := range map[string]int64{GetFederationToken: 1, GetCallerIdentity: 1, "GetFamilyToken": 0, "": 3} {
		if got := w.Calls(action); got != want {
			t.Errorf("%q: %d calls, want %d", action, got, want)
		}
	}
	w.Reset()
	if w.Calls("") != 0 {
		t.Error("Reset keeps the counts")
	}
}

func TestLifetimeOtherThanAsked(t *testing.T) {
	w := newWorld(t, Options{})
	for name, c := range map[string]struct {
		fault Fault
		life  time.Duration
	}{
		"shorter":         {Fault{Lifetime: time.Minute}, time.Minute},
		"longer":          {Fault{Lifetime: 48 * time.Hour}, 48 * time.Hour},
		"over already":    {Fault{Body: Expired}, -time.Hour},
		"a clock ahead":   {Fault{Skew: 4 * time.Minute}, 34 * time.Minute},
		"a clock behind":  {Fault{Skew: -4 * time.Minute}, 26 * time.Minute},
		"without a fault": {Fault{}, 30 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			w.Heal()
			w.Fail(c.fault)
			got := w.federate(t)
			got.wantCode(t, "")
			if life := time.Unix(got.ExpiredTime, 0).Sub(noon); life != c.life {
				t.Errorf("lives for %s, want %s", life, c.life)
			}
		})
	}
}

func TestSkewedClockRefusesAndTellsItsTime(t *testing.T) {
	w := newWorld(t, Options{})
	w.Fail(Fault{Skew: 10 * time.Minute})
	w.federate(t).wantCode(t, "AuthFailure.SignatureExpire")
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, post(keyOf(w.root), GetFederationToken, federation(), noon))
	if got := rec.Header().Get("Date"); got != "Sat, 21 Nov 2026 12:10:00 GMT" {
		t.Errorf("Date: %s", got)
	}
}

func TestNullExpirationLeavesTheRest(t *testing.T) {
	w := newWorld(t, Options{})
	w.Fail(Fault{Body: NullExpiration})
	got := w.federate(t)
	got.wantCode(t, "")
	if got.Expiration != nil || got.ExpiredTime != noon.Add(30*time.Minute).Unix() {
		t.Errorf("Expiration %v, ExpiredTime %d", got.Expiration, got.ExpiredTime)
	}
}

// fetch sends one good request over a real connection.
func (w world) fetch(t *testing.T) (*http.Response, []byte, error) {
	t.Helper()
	server := httptest.NewServer(w)
	defer server.Close()
	r := post(keyOf(w.root), GetFederationToken, federation(), noon)
	r.RequestURI, r.URL.Host = "", server.Listener.Addr().String()
	answer, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer, body, err
}

func TestSpoiltBodies(t *testing.T) {
	for body, check := range map[Body]func(kind string, body []byte, err error) bool{
		Garble: func(kind string, body []byte, err error) bool {
			return err == nil && kind == "application/json" && len(body) > 100 && !json.Valid(body)
		},
		Cut: func(_ string, body []byte, err error) bool {
			return errors.Is(err, io.ErrUnexpectedEOF) && len(body) > 100
		},
		Empty: func(_ string, body []byte, err error) bool { return err == nil && len(body) == 0 },
		HTML: func(kind string, body []byte, err error) bool {
			return err == nil && kind == "text/html" && bytes.HasPrefix(body, []byte("<!DOCTYPE html>"))
		},
		Huge: func(_ string, body []byte, err error) bool {
			return err == nil && len(body) > 2<<20 && json.Valid(body)
		},
	} {
		t.Run(string(body), func(t *testing.T) {
			w := newWorld(t, Options{})
			w.Fail(Fault{Body: body})
			answer, got, err := w.fetch(t)
			if answer.StatusCode != http.StatusOK || !check(answer.Header.Get("Content-Type"), got, err) {
				t.Errorf("status %d, type %s, %d bytes, error %v", answer.StatusCode, answer.Header.Get("Content-Type"), len(got), err)
			}
		})
	}
}

func TestStatusComesAloneOrWithACode(t *testing.T) {
	w := newWorld(t, Options{})
	w.Fail(Fault{Times: 1, Status: http.StatusBadGateway})
	w.Fail(Fault{Times: 1, Status: http.StatusServiceUnavailable, Code: "InternalError"})
	for _, want := range []struct {
		status int
		text   string
	}{{502, "502 Bad Gateway"}, {503, `"Code":"InternalError"`}, {200, `"TmpSecretId"`}} {
		answer, body, err := w.fetch(t)
		if err != nil || answer.StatusCode != want.status || !strings.Contains(string(body), want.text) {
			t.Errorf("status %d, %d bytes, error %v; want %d with %s", answer.StatusCode, len(body), err, want.status, want.text)
		}
	}
}

func TestDelayHoldsTheAnswerBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := New(Options{Accounts: []Account{NewAccount(true)}})
		e.Fail(Fault{Delay: 3 * time.Second})
		start := time.Now()
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		e.ServeHTTP(httptest.NewRecorder(), r)
		if waited := time.Since(start); waited != 3*time.Second {
			t.Errorf("answered after %s, want 3s", waited)
		}
	})
}

func TestLogTellsTheCallAndNoSecret(t *testing.T) {
	var log bytes.Buffer
	w := newWorld(t, Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	got := w.federate(t)
	w.ask(t, post(key{w.root.SecretID, "wrong", ""}, GetFederationToken, federation(), noon))
	for _, want := range []string{"action=GetFederationToken", "account=" + w.root.AccountID, got.RequestID, "code=AuthFailure.SignatureFailure"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s", want)
		}
	}
	for name, secret := range map[string]string{
		"SecretKey": w.root.SecretKey.Reveal(), "Token": got.Credentials.Token, "TmpSecretKey": got.Credentials.TmpSecretKey,
	} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log holds the %s", name)
		}
	}
}
