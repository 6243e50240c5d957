package emulator

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestWhoMayCall(t *testing.T) {
	w := newWorld(t, Options{})
	stranger := keyOf(NewAccount(true))
	wrongSecret := keyOf(w.root)
	_, wrongSecret.secret = newKey()
	withToken := keyOf(w.root)
	withToken.token = "a-token"
	role := keyOfCredential(w.SeedRole(w.sub, "4611686018427410000", "ci", time.Hour))
	tokenless, wrongToken := role, role
	tokenless.token = ""
	wrongToken.token = role.token[:len(role.token)-1] + "."

	identity := func(k key, at time.Duration) *http.Request {
		return post(k, GetCallerIdentity, struct{}{}, noon.Add(at))
	}
	edit := func(r *http.Request, change func(http.Header)) *http.Request {
		change(r.Header)
		return r
	}
	for name, c := range map[string]struct {
		request *http.Request
		code    string
	}{
		"a root account's key":         {identity(keyOf(w.root), 0), ""},
		"a sub-account's key":          {identity(keyOf(w.sub), 0), ""},
		"a role session":               {identity(role, 0), ""},
		"an unknown key":               {identity(stranger, 0), "AuthFailure.SecretIdNotFound"},
		"an unknown international key": {identity(key{id: "IKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE"}, 0), "AuthFailure.SecretIdNotFound"},
		"no SecretId at all":           {identity(key{id: "minioadmin"}, 0), "AuthFailure.InvalidSecretId"},
		"a wrong SecretKey":            {identity(wrongSecret, 0), "AuthFailure.SignatureFailure"},
		"a key with a token":           {identity(withToken, 0), "AuthFailure.TokenFailure"},
		"a session without its token":  {identity(tokenless, 0), "AuthFailure.TokenFailure"},
		"a session with another":       {identity(wrongToken, 0), "AuthFailure.TokenFailure"},
		"5 minutes behind":             {identity(keyOf(w.root), -5*time.Minute), ""},
		"5 minutes ahead":              {identity(keyOf(w.root), 5*time.Minute), ""},
		"a second more behind":         {identity(keyOf(w.root), -5*time.Minute-time.Second), "AuthFailure.SignatureExpire"},
		"a second more ahead":          {identity(keyOf(w.root), 5*time.Minute+time.Second), "AuthFailure.SignatureExpire"},
		"unsigned": {edit(identity(keyOf(w.root), 0), func(h http.Header) {
			h.Del("Authorization")
		}), "AuthFailure.InvalidAuthorization"},
		"no timestamp": {edit(identity(keyOf(w.root), 0), func(h http.Header) {
			h.Del("X-TC-Timestamp")
		}), "MissingParameter"},
		"a timestamp in words": {edit(identity(keyOf(w.root), 0), func(h http.Header) {
			h.Set("X-TC-Timestamp", "noon")
		}), "InvalidParameterValue"},
		"another timestamp than signed": {edit(identity(keyOf(w.root), 0), func(h http.Header) {
			h.Set("X-TC-Timestamp", strconv.FormatInt(noon.Unix()+1, 10))
		}), "AuthFailure.SignatureFailure"},
		"another content type than signed": {edit(identity(keyOf(w.root), 0), func(h http.Header) {
			h.Set("Content-Type", "application/json; charset=utf-8")
		}), "AuthFailure.SignatureFailure"},
	} {
		t.Run(name, func(t *testing.T) { w.ask(t, c.request).wantCode(t, c.code) })
	}
}

func TestScopeDateIsTheTimestampsInUTC(t *testing.T) {
	w := newWorld(t, Options{})
	w.clock.advance(8 * time.Hour) // 20:00 UTC: tomorrow in Guangzhou
	r := httptest.NewRequest(http.MethodPost, "http://"+testHost+"/", strings.NewReader("{}"))
	r.Header.Set("Content-Type", "application/json")
	guangzhou := w.clock.now().In(time.FixedZone("CST", 8*3600))
	signed(r, keyOf(w.root), GetCallerIdentity, []byte("{}"), guangzhou)
	a, err := parseAuthorization(r.Header.Get("Authorization"))
	if err != nil {
		t.Fatal(err)
	}
	a.date = guangzhou.Format(time.DateOnly)
	a.signature = a.sign(r, r.Host, []byte("{}"), w.root.SecretKey)
	r.Header.Set("Authorization", a.String())
	w.ask(t, r).wantCode(t, "AuthFailure.SignatureFailure")
}

func TestMoreHeadersMaySignToo(t *testing.T) {
	w := newWorld(t, Options{})
	r := post(keyOf(w.root), GetCallerIdentity, struct{}{}, noon)
	a := authorization{w.root.SecretID, "2026-11-21", "sts", "content-type;host;x-tc-action", ""}
	a.signature = a.sign(r, r.Host, []byte("{}"), w.root.SecretKey)
	r.Header.Set("Authorization", a.String())
	w.ask(t, r).wantCode(t, "")

	forged := post(keyOf(w.root), GetFederationToken, struct{}{}, noon)
	forged.Header.Set("Authorization", a.String())
	w.ask(t, forged).wantCode(t, "AuthFailure.SignatureFailure")
}

func TestTemporaryCredentialExpires(t *testing.T) {
	w := newWorld(t, Options{})
	role := w.SeedRole(w.root, "4611686018427410000", "ci", time.Hour)
	for _, c := range []struct {
		after time.Duration
		code  string
	}{{time.Hour - time.Second, ""}, {time.Second, "AuthFailure.TokenFailure"}} {
		w.clock.advance(c.after)
		w.ask(t, post(keyOfCredential(role), GetCallerIdentity, struct{}{}, w.clock.now())).wantCode(t, c.code)
	}
}

func TestAnswerTellsTheEmulatorsTime(t *testing.T) {
	w := newWorld(t, Options{})
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, post(keyOf(w.root), GetCallerIdentity, struct{}{}, noon.Add(10*time.Minute)))
	if got, want := rec.Header().Get("Date"), "Sat, 21 Nov 2026 12:00:00 GMT"; got != want {
		t.Errorf("Date: %s, want %s", got, want)
	}
}

func TestKeysHaveTheUsualShape(t *testing.T) {
	root, sub := NewAccount(true), NewAccount(false)
	if !root.Root() || sub.Root() {
		t.Error("NewAccount mistakes root for sub-account")
	}
	for _, a := range []Account{root, sub} {
		if !secretIDForm.MatchString(a.SecretID) || len(a.SecretID) != 36 || len(a.SecretKey.Reveal()) != 32 {
			t.Errorf("the key of %s is out of shape", a.UIN)
		}
	}
	if root.SecretID == sub.SecretID || root.SecretKey == sub.SecretKey {
		t.Error("two keys are equal")
	}
}
