package daemon

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/broker/brokertest"
)

func TestEachFormatIsSentExactly(t *testing.T) {
	inService(t, nil, func(t *testing.T, s *service) {
		s.STS.Change(func(f *brokertest.STS) { f.Token = credential.Secret(strings.Repeat("t<&>", 1024)) })
		c := s.Must(0)
		for _, format := range append([]credential.Format{""}, credential.Formats...) {
			target := "/v1/credentials/p"
			if format != "" {
				target += "?format=" + string(format)
			}
			known, _ := credential.ParseFormat(string(format))
			want, err := c.Encode(known)
			if err != nil {
				t.Fatal(err)
			}
			r := s.ask("GET", target, "")
			if r.status != 200 || r.body != string(want) || r.header.Get("Cache-Control") != "no-store" {
				t.Errorf("format %q: %d %q, want %q", format, r.status, r.body, want)
			}
		}
	})
}

func TestWhoNamesNoProfileGetsTheOneThatIsChosenAndItsName(t *testing.T) {
	inService(t, nil, func(t *testing.T, s *service) {
		named, chosen := s.ask("GET", "/v1/credentials/p?format=cos", ""), s.ask("GET", "/v1/credentials?format=cos", "")
		if chosen.status != 200 || chosen.body != named.body {
			t.Errorf("%d %q, want %q", chosen.status, chosen.body, named.body)
		}
		for _, r := range []reply{named, chosen} {
			if got := r.header.Get(api.HeaderProfile); got != "p" {
				t.Errorf("it is said to be that of %q", got)
			}
		}
	})
	noProfile := &api.Error{Code: api.NoProfile, Message: `no profile "default"`, Hint: "tcred add"}
	none := func(s *Server) {
		s.Choose = func(context.Context) (string, error) { return "default", noProfile }
	}
	inService(t, none, func(t *testing.T, s *service) {
		if p := s.wantProblem(s.ask("GET", "/v1/credentials", ""), api.NoProfile); p.Hint != "tcred add" {
			t.Errorf("%+v", p)
		}
		if p := s.wantProblem(s.ask("GET", "/v1/credentials?min_ttl=1", ""), api.BadRequest); p.Detail == "" {
			t.Errorf("%+v", p)
		}
		s.WantCalls(0)
	})
}

func TestAnAnswerSaysWhereItIsFrom(t *testing.T) {
	inService(t, nil, func(t *testing.T, s *service) {
		from := func() string {
			t.Helper()
			r := s.ask("GET", "/v1/credentials/p", "")
			if r.status != 200 {
				t.Fatal(r.body)
			}
			return r.header.Get(api.HeaderLayer)
		}
		got := []string{from(), from()}
		s.STS.Fail(&api.Error{Code: api.STSTransient, Message: "not now"})
		time.Sleep(110 * time.Minute)
		got = append(got, from())
		if want := []string{"sts", "memory", "old"}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

func TestTheStatusSaysWhetherTheKeystoreIsOpenAndUntilWhen(t *testing.T) {
	inService(t, nil, func(t *testing.T, s *service) {
		status := func() (st api.Status) {
			t.Helper()
			if err := json.Unmarshal([]byte(s.ask("GET", "/v1/status", "").body), &st); err != nil {
				t.Fatal(err)
			}
			return st
		}
		if st := status(); st.KeystoreProblem == nil || st.KeystoreProblem.Code != api.KeystoreLocked || st.DefaultProfile != "p" {
			t.Errorf("locked: %+v", st)
		}
		s.ask("POST", "/v1/unlock", `{"passphrase":"x","for":"8h"}`)
		if st := status(); st.KeystoreProblem != nil || !st.KeystoreUntil.Equal(s.Wall().Add(8*time.Hour).Truncate(0)) {
			t.Errorf("open for 8h: %+v", st)
		}
		s.ask("POST", "/v1/unlock", `{"passphrase":"x"}`)
		if st := status(); st.KeystoreProblem != nil || !st.KeystoreUntil.IsZero() {
			t.Errorf("open: %+v", st)
		}
	})
}

func TestTheStatusSaysThatTheStoreTookNothing(t *testing.T) {
	inService(t, nil, func(t *testing.T, s *service) {
		if err := os.WriteFile(s.Dir, nil, 0o600); err != nil { // in the place of the cache's directory
			t.Fatal(err)
		}
		s.Must(0)
		r := s.ask("GET", "/v1/status", "")
		if !strings.Contains(r.body, `"cache_problem":"`) || !strings.Contains(r.body, "directory") {
			t.Error(r.body)
		}
	})
}

func TestRequestsThatAreRefused(t *testing.T) {
	unlock := func(body string) []string { return []string{"POST", "/v1/unlock", body} }
	for _, row := range []struct {
		request []string // method, target, body
		code    api.Code
	}{
		{[]string{"GET", "/v1/credentials/p?region=x"}, api.BadRequest},
		{[]string{"GET", "/v1/credentials/p?format=xml"}, api.BadRequest},
		{[]string{"GET", "/v1/credentials/p?format=env&format=env"}, api.BadRequest},
		{[]string{"GET", "/v1/credentials/p?min_ttl=20"}, api.BadRequest},
		{[]string{"GET", "/v1/credentials/p?min_ttl=-20m"}, api.BadRequest},
		{[]string{"GET", "/v1/credentials/p?min_ttl=2h"}, api.BadRequest},
		{[]string{"GET", "/v1/credentials/p?min_ttl=%zz"}, api.BadRequest},
		{[]string{"GET", "/v1/credentials/p?a;b"}, api.BadRequest},
		{[]string{"POST", "/v1/credentials/p/refresh?x=1"}, api.BadRequest},
		{[]string{"DELETE", "/v1/credentials?force"}, api.BadRequest},
		{[]string{"GET", "/v1/identity/p?x=1"}, api.BadRequest},
		{[]string{"GET", "/v1/status?x=1"}, api.BadRequest},
		{[]string{"POST", "/v1/stop?x=1"}, api.BadRequest},
		{unlock(""), api.BadRequest},
		{unlock("hunter2"), api.BadRequest},
		{unlock(`{"passphrase":"hunter2","force":true}`), api.BadRequest},
		{unlock(`{"passphrase":"hunter2","for":"8"}`), api.BadRequest},
		{unlock(`{"passphrase":"hunter2","for":"-8h"}`), api.BadRequest},
		{[]string{"PUT", "/v1/keys/work", `{"secret_key":"hunter2"`}, api.BadRequest},
		{[]string{"PUT", "/v1/keys/work", `{"secret_key":"hunter2","site":7}`}, api.BadRequest},
		{[]string{"PUT", "/v1/keys/work", `{"secret_key":"hunter2","more":true}`}, api.BadRequest},
		{[]string{"PUT", "/v1/keys/work?replace", "{}"}, api.BadRequest},
		{[]string{"GET", "/v1/keys/work"}, api.NotFound},
		{[]string{"PUT", "/v1/keys/"}, api.NotFound},
		{[]string{"GET", "/v1/credentials/nobody"}, api.NoProfile},
		{[]string{"GET", "/v1/credentials/..%2fp"}, api.NoProfile},
		{[]string{"GET", "/v1/credentials/%00%0a"}, api.NoProfile},
		{[]string{"GET", "/"}, api.NotFound},
		{[]string{"GET", "/v1/credentials?region=x"}, api.BadRequest},
		{[]string{"POST", "/v1/credentials"}, api.NotFound},
		{[]string{"GET", "/v1/credentials/"}, api.NotFound},
		{[]string{"DELETE", "/v1/credentials/"}, api.NotFound},
		{[]string{"GET", "/v1/credentials/p/"}, api.NotFound},
		{[]string{"GET", "/v1//status"}, api.NotFound},
		{[]string{"GET", "/v1/credentials/../status"}, api.NotFound},
		{[]string{"GET", "/v2/credentials/p"}, api.NotFound},
		{[]string{"GET", "/v1/status%0atcred:%20error:%20no"}, api.NotFound},
		{[]string{"PUT", "/v1/credentials/p"}, api.NotFound},
		{[]string{"POST", "/v1/status"}, api.NotFound},
		{[]string{"GET", "/v1/stop"}, api.NotFound},
		{[]string{"OPTIONS", "*"}, api.NotFound},
		{[]string{"BREW", "/v1/status"}, api.NotFound},
	} {
		t.Run(strings.Join(row.request, " "), func(t *testing.T) {
			inService(t, nil, func(t *testing.T, s *service) {
				body := strings.Join(row.request[2:], "")
				p := s.wantProblem(s.ask(row.request[0], row.request[1], body), row.code)
				if strings.Contains(p.Detail+s.log.String(), "hunter2") {
					t.Error("the passphrase is repeated")
				}
				if strings.ContainsAny(p.Detail+p.Hint, "\n\x00") {
					t.Errorf("control characters in %q", p.Detail)
				}
				s.WantCalls(0)
			})
		})
	}
}

func TestOnlyOurOwnUserIsServed(t *testing.T) {
	is := func(uid int) func(net.Conn) (Peer, error) {
		return func(net.Conn) (Peer, error) { return Peer{UID: uid, PID: 66}, nil }
	}
	unknown := func(net.Conn) (Peer, error) { return Peer{}, errors.New("no such call") }
	for _, row := range []struct {
		name string
		peer func(net.Conn) (Peer, error)
		uid  int // ours
	}{
		{"another user", is(ourUID + 1), ourUID},
		{"root", is(0), ourUID},
		{"unknown", unknown, ourUID},
		{"unknown to root", unknown, 0},
		{"unknown where a system has no uids", unknown, -1},
	} {
		t.Run(row.name, func(t *testing.T) {
			inService(t, func(s *Server) { s.Peer, s.UID = row.peer, row.uid }, func(t *testing.T, s *service) {
				for _, target := range []string{"/v1/credentials/p", "/v1/status", "/none"} {
					s.wantProblem(s.ask("GET", target, ""), api.Forbidden)
				}
				s.wantProblem(s.ask("POST", "/v1/stop", ""), api.Forbidden)
				s.WantCalls(0)
			})
		})
	}
}

func TestAClientOfAnotherConfigIsTold(t *testing.T) {
	inService(t, nil, func(t *testing.T, s *service) {
		p := s.wantProblem(s.ask("GET", "/v1/credentials/p", "", api.HeaderConfig, "/tmp/other.toml"), api.ConfigMismatch)
		for _, path := range []string{ourConfig, "/tmp/other.toml"} {
			if !strings.Contains(p.Detail, path) {
				t.Errorf("%q does not name %s", p.Detail, path)
			}
		}
		if !strings.Contains(p.Hint, ": export "+api.EnvSocket+"=") {
			t.Errorf("no command in %q", p.Hint)
		}
		if r := s.ask("GET", "/v1/credentials/p", "", api.HeaderConfig, ourConfig); r.status != 200 {
			t.Errorf("with the same config: %d", r.status)
		}
		if r := s.ask("GET", "/v1/status", "", api.HeaderConfig, "/tmp/other.toml"); r.status != 200 {
			t.Errorf("status: %d", r.status)
		}
		if r := s.ask("POST", "/v1/stop", "", api.HeaderConfig, "/tmp/other.toml"); r.status != 200 {
			t.Errorf("stop: %d", r.status)
		}
	})
}

func TestAHelperGetsTheLinesForStderr(t *testing.T) {
	inService(t, nil, func(t *testing.T, s *service) {
		s.STS.Fail(&api.Error{Code: api.KeystoreLocked, Message: "the keychain is locked", Hint: "tcred unlock"})
		r := s.ask("GET", "/v1/credentials/p", "", "Accept", api.TypeText)
		if want := "tcred: error: the keychain is locked\ntcred: hint: tcred unlock\n"; r.body != want {
			t.Errorf("got %q", r.body)
		}
		if r.status != 423 || r.header.Get(api.HeaderExit) != "3" || !strings.HasPrefix(r.header.Get("Content-Type"), api.TypeText) {
			t.Errorf("%d %v", r.status, r.header)
		}
		r = s.ask("GET", "/v1/x%0atcred: hint: rm", "", "Accept", api.TypeText)
		if lines := strings.Count(r.body, "\n"); lines != 2 {
			t.Errorf("a path made its own line: %q", r.body)
		}
		if min := s.ask("GET", "/v1/credentials/p?min_ttl=1x", "", "Accept", api.TypeText); min.header.Get(api.HeaderExit) != "2" {
			t.Errorf("a usage error ends with %q", min.header.Get(api.HeaderExit))
		}
	})
}

// Who asks hears that the config on disk is not in use, with each answer but the one that says it itself.
func TestWhoAsksHearsThatTheConfigIsNotInUse(t *testing.T) {
	problem := &api.Error{Code: api.ConfigInvalid, Message: "/c/config.toml:3:1: unknown key \"polcy\"\x1b[2J" + strings.Repeat("字", 2000)}
	broken := func(s *Server) { s.Problem = func() error { return problem } }
	inService(t, broken, func(t *testing.T, s *service) {
		for _, path := range []string{api.PathCredentials + "p", api.PathStatus, api.PathCredentials + "nobody"} {
			warning := s.ask(http.MethodGet, path, "").header.Get(api.HeaderWarning)
			if !strings.Contains(warning, `config.toml:3:1: unknown key "polcy" [2J`) || len(warning) > 1100 {
				t.Errorf("%s: %q", path, warning)
			}
		}
		s.STS.Fail(problem)
		s.broker.Clear(t.Context(), "")
		if r := s.ask(http.MethodGet, api.PathCredentials+"p", ""); r.header.Get(api.HeaderWarning) != "" {
			t.Errorf("said twice: %s, %s", r.body, r.header.Get(api.HeaderWarning))
		}
	})
}

func TestTheOtherRequests(t *testing.T) {
	inService(t, nil, func(t *testing.T, s *service) {
		first := s.Must(0)
		var st api.ProfileStatus
		s.ok("POST", "/v1/credentials/p/refresh", "", &st)
		if st.Name != "p" || !st.Expires.After(first.Expires) {
			t.Errorf("refresh: %+v", st)
		}
		var id api.Identity
		s.ok("GET", "/v1/identity/p", "", &id)
		if id.AccountID != "100000000001" {
			t.Errorf("identity: %+v", id)
		}
		var status api.Status
		s.ok("GET", "/v1/status", "", &status)
		if status.PID != 7 || status.Config != ourConfig || status.Started.IsZero() || status.STSCalls != 3 || len(status.Profiles) != 1 {
			t.Errorf("status: %+v", status)
		}
		for _, target := range []string{"/v1/credentials/p", "/v1/credentials"} {
			var cleared api.Cleared
			s.ok("DELETE", target, "", &cleared)
			if want := len(cleared.Credentials); (target == "/v1/credentials/p") != (want == 1) {
				t.Errorf("%s: %+v", target, cleared)
			}
		}
		s.ok("POST", "/v1/reload", "", &struct{}{})
		s.server.Reload = func() error { return &api.Error{Code: api.ConfigInvalid, Message: "config.toml:3: no"} }
		s.wantProblem(s.ask("POST", "/v1/reload", ""), api.ConfigInvalid)
	})
}

func TestUnlockForATimeLocksAgain(t *testing.T) {
	inService(t, nil, func(t *testing.T, s *service) {
		s.Must(0)
		s.ok("POST", "/v1/unlock", `{"passphrase":"correct horse","for":"8h"}`, &struct{}{})
		if !s.keystore.open() || s.keystore.passphrase != "correct horse" {
			t.Fatal("not unlocked")
		}
		time.Sleep(8*time.Hour - time.Second)
		if !s.keystore.open() {
			t.Error("locked too early")
		}
		time.Sleep(2 * time.Second)
		if s.keystore.open() {
			t.Error("not locked after 8h")
		}
		s.ok("POST", "/v1/unlock", `{"passphrase":"correct horse","for":"1h"}`, nil)
		s.ok("POST", "/v1/unlock", `{"passphrase":"correct horse"}`, nil)
		time.Sleep(24 * time.Hour)
		if !s.keystore.open() {
			t.Error("the second unlock was not the one that counts")
		}
		s.ok("POST", "/v1/lock", "", &struct{}{})
		if s.keystore.open() {
			t.Error("not locked")
		}
		s.keystore.err = &api.Error{Code: api.WrongPassphrase, Message: "the passphrase is wrong"}
		s.wantProblem(s.ask("POST", "/v1/unlock", `{"passphrase":"wrong"}`), api.WrongPassphrase)
	})
}

func TestAKeyForTheKeystoreIsHandedOnAndIsInNoLog(t *testing.T) {
	inService(t, nil, func(t *testing.T, s *service) {
		reloads := 0
		s.server.Reload = func() error { reloads++; return &api.Error{Code: api.ConfigInvalid, Message: "wrong"} }
		const body = `{"secret_id":"AKIDz8krbsJ5yKBZQpn74WFkmLPxfQv6","secret_key":"hunter2","replace":true,"account_id":"1","type":"root"}`
		s.ok("PUT", "/v1/keys/work", body, &struct{}{})
		want := api.NewKey{
			SecretID: "AKIDz8krbsJ5yKBZQpn74WFkmLPxfQv6", SecretKey: "hunter2", Replace: true, AccountID: "1", Type: "root",
		}
		if s.keys.name != "work" || s.keys.key != want || reloads != 1 {
			t.Errorf("%q %+v, %d reloads", s.keys.name, s.keys.key, reloads)
		}
		s.keys.err = &api.Error{Code: api.KeystoreLocked, Message: "the file keystore is locked; nothing was stored"}
		s.wantProblem(s.ask("PUT", "/v1/keys/work", body), api.KeystoreLocked)
		if log := s.log.String(); strings.Contains(log, "hunter2") || strings.Contains(log, want.SecretID) || !strings.Contains(log, "key stored") {
			t.Errorf("the log says %s", log)
		}
	})
}

// Whoever can ask could lift a time limit so.
func TestUnlockWithoutAPassphraseKeepsNothingOpenLonger(t *testing.T) {
	inService(t, nil, func(t *testing.T, s *service) {
		for _, later := range []string{`{"passphrase":""}`, `{"passphrase":"","for":"9h"}`} {
			s.ok("POST", "/v1/unlock", `{"passphrase":"correct horse","for":"8h"}`, nil)
			time.Sleep(7 * time.Hour)
			s.ok("POST", "/v1/unlock", later, nil)
			time.Sleep(time.Hour + time.Second)
			if s.keystore.open() {
				t.Errorf("%s lifted the limit", later)
			}
		}
		s.ok("POST", "/v1/unlock", `{"passphrase":"","for":"8h"}`, nil) // none is set any more
		s.ok("POST", "/v1/unlock", `{"passphrase":"","for":"1h"}`, nil)
		time.Sleep(time.Hour - time.Second)
		if !s.keystore.open() {
			t.Error("locked too early")
		}
		time.Sleep(2 * time.Second)
		if s.keystore.open() {
			t.Error("a sooner end did not count")
		}
	})
}

func TestAWrongPassphraseLeavesTheTimeLimitAsItIs(t *testing.T) {
	inService(t, nil, func(t *testing.T, s *service) {
		s.ok("POST", "/v1/unlock", `{"passphrase":"correct horse","for":"8h"}`, nil)
		s.keystore.err = &api.Error{Code: api.WrongPassphrase, Message: "the passphrase is wrong"}
		s.wantProblem(s.ask("POST", "/v1/unlock", `{"passphrase":"wrong"}`), api.WrongPassphrase)
		s.keystore.err = nil
		s.ok("POST", "/v1/unlock", `{"passphrase":""}`, nil)
		time.Sleep(8*time.Hour + time.Second)
		if s.keystore.open() {
			t.Error("not locked after 8h")
		}
	})
}

func TestUnlockForgetsFailures(t *testing.T) {
	inService(t, nil, func(t *testing.T, s *service) {
		s.STS.Fail(brokertest.Denied)
		s.wantProblem(s.ask("GET", "/v1/credentials/p", ""), api.STSPermission)
		s.STS.Fail(nil)
		s.ok("POST", "/v1/unlock", `{"passphrase":""}`, nil)
		s.Must(0)
	})
}

func TestStopLetsAnAnswerUnderWayArrive(t *testing.T) {
	inService(t, nil, func(t *testing.T, s *service) {
		s.STS.Change(func(f *brokertest.STS) { f.Latency = 8 * time.Second })
		answers := make(chan reply, 1)
		go func() { answers <- s.ask("GET", "/v1/credentials/p", "") }()
		time.Sleep(time.Second)
		s.ok("POST", "/v1/stop", "", &struct{}{})
		if r := <-answers; r.err != nil || r.status != 200 {
			t.Errorf("the answer under way: %+v", r)
		}
		if err := <-s.ended; err != nil {
			t.Errorf("Serve returned %v", err)
		}
		if r := s.ask("GET", "/v1/status", ""); r.err == nil {
			t.Error("a stopped server answers")
		}
	})
}

func TestAnIdleServerStopsAndABusyOneDoesNot(t *testing.T) {
	inService(t, func(s *Server) { s.IdleExit = time.Hour }, func(t *testing.T, s *service) {
		for range 5 {
			time.Sleep(50 * time.Minute)
			s.ok("GET", "/v1/credentials/p", "", nil)
		}
		time.Sleep(59 * time.Minute)
		select {
		case <-s.ended:
			t.Fatal("stopped too early")
		default:
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		select {
		case err := <-s.ended:
			if err != nil {
				t.Error(err)
			}
		default:
			t.Error("still there")
		}
	})
}

func TestAListenerThatFailsEndsTheServer(t *testing.T) {
	inService(t, nil, func(t *testing.T, s *service) {
		synctest.Wait()
		s.pipes.Close()
		if err := <-s.ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Serve returned %v", err)
		}
	})
}

func TestAPanicInAHandlerIsOneFailedRequest(t *testing.T) {
	inService(t, nil, func(t *testing.T, s *service) {
		s.server.Reload = func() error { panic("boom") }
		s.wantProblem(s.ask("POST", "/v1/reload", ""), api.Internal)
		s.ok("GET", "/v1/credentials/p", "", nil)
		if !strings.Contains(s.log.String(), "boom") || !strings.Contains(s.log.String(), "level=ERROR") {
			t.Error("the log says nothing of it")
		}
	})
}

func TestAClientThatDawdlesIsDropped(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":          "",
		"half a header":    "GET /v1/status HTTP/1.1\r\nHost: t",
		"half a body":      "POST /v1/unlock HTTP/1.1\r\nHost: tcred\r\nContent-Length: 100\r\n\r\n{",
		"an endless chunk": "POST /v1/unlock HTTP/1.1\r\nHost: tcred\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n{",
	} {
		t.Run(name, func(t *testing.T) {
			inService(t, nil, func(t *testing.T, s *service) {
				c, err := s.pipes.dial(t.Context(), "", "")
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				start := time.Now()
				go io.WriteString(c, text) // read tells
				io.ReadAll(c)              // whatever comes, it ends
				if took := time.Since(start); took > 11*time.Second {
					t.Errorf("held for %v", took)
				}
			})
		})
	}
}

func TestBodiesAndHeadersHaveABound(t *testing.T) {
	long := strings.Repeat("x", api.MaxBody+1)
	for name, row := range map[string]struct {
		request string
		status  int
	}{
		"body":         {"POST /v1/lock HTTP/1.1\r\nHost: t\r\nContent-Length: 65537\r\n\r\n" + long, 413},
		"chunked body": {"POST /v1/unlock HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n10010\r\n{\"passphrase\":\"" + long + "\r\n0\r\n\r\n", 413},
		"header":       {"GET /v1/status HTTP/1.1\r\nHost: t\r\nX: " + long + "\r\n\r\n", 431}, // net/http's own answer
	} {
		t.Run(name, func(t *testing.T) {
			inService(t, nil, func(t *testing.T, s *service) {
				c, err := s.pipes.dial(t.Context(), "", "")
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				go io.WriteString(c, row.request) // the answer tells
				answer, err := http.ReadResponse(bufio.NewReader(c), nil)
				if err != nil || answer.StatusCode != row.status {
					t.Fatalf("%+v, %v", answer, err)
				}
				s.ok("GET", "/v1/status", "", nil)
			})
		})
	}
}

func TestAKeysIdentityIsAskedOfSTS(t *testing.T) {
	inService(t, nil, func(t *testing.T, s *service) {
		for range 2 {
			if r := s.ask("GET", "/v1/keys/p/identity", ""); r.status != 200 || !strings.Contains(r.body, `"AccountId":"100000000001"`) {
				t.Errorf("got %d %s", r.status, r.body)
			}
		}
		s.WantCalls(2)
		s.wantProblem(s.ask("GET", "/v1/keys/nosuch/identity", ""), api.NoKey)
		s.wantProblem(s.ask("GET", "/v1/keys/p/identity?format=env", ""), api.BadRequest)
	})
}

func TestAPersonsRequestIsNotAnsweredByARememberedRefusal(t *testing.T) {
	inService(t, nil, func(t *testing.T, s *service) {
		s.STS.Fail(brokertest.Denied)
		s.wantProblem(s.ask("GET", "/v1/credentials/p", ""), api.STSPermission)
		s.WantCalls(1)
		s.wantProblem(s.ask("GET", "/v1/credentials/p", ""), api.STSPermission)
		s.wantProblem(s.ask("GET", "/v1/identity/p", ""), api.STSPermission)
		s.WantCalls(0)
		s.wantProblem(s.ask("GET", "/v1/credentials/p", "", api.HeaderPerson, "1"), api.STSPermission)
		s.wantProblem(s.ask("GET", "/v1/identity/p", "", api.HeaderPerson, "1"), api.STSPermission)
		s.WantCalls(2)
	})
}
