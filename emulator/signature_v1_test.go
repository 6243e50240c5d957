package emulator

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"

	"github.com/tcred/tcred/credential"
)

// v1Values are the parameters of a call of action, all but the Signature.
func v1Values(k key, action string, params map[string]string, at time.Time) url.Values {
	v := url.Values{
		"Action": {action}, "Version": {Version}, "Region": {"ap-guangzhou"}, "Nonce": {"11886"},
		"Timestamp": {strconv.FormatInt(at.Unix(), 10)}, "SecretId": {k.id},
	}
	if k.token != "" {
		v.Set("Token", k.token.Reveal())
	}
	for name, value := range params {
		v.Set(name, value)
	}
	return v
}

// v1Signature is made as the SDKs make it, with the official one's own HMAC.
func v1Signature(v url.Values, method, host string, secret credential.Secret) string {
	var pairs []string
	for name := range v {
		pairs = append(pairs, name+"="+v.Get(name))
	}
	slices.Sort(pairs) // no name here begins another
	return common.Sign(method+host+"/?"+strings.Join(pairs, "&"), secret.Reveal(), v.Get("SignatureMethod"))
}

// v1Request sends v as they are.
func v1Request(method string, v url.Values) *http.Request {
	if method == http.MethodGet {
		return httptest.NewRequest(method, "http://"+testHost+"/?"+v.Encode(), nil)
	}
	r := httptest.NewRequest(method, "http://"+testHost+"/", strings.NewReader(v.Encode()))
	r.Header.Set("Content-Type", formType)
	return r
}

// v1Signed signs v and makes the request of it.
func v1Signed(method string, v url.Values, secret credential.Secret) *http.Request {
	v.Set("Signature", v1Signature(v, method, testHost, secret))
	return v1Request(method, v)
}

// v1Federation is a good request's parameters. The policy holds what an encoder escapes in two ways.
func v1Federation() map[string]string {
	return map[string]string{"Name": "cos-sts-go", "Policy": url.QueryEscape(allowAll + " \n"), "DurationSeconds": "900"}
}

// The example of Tencent Cloud's "Signature v1" page.
func TestThePublishedV1SignatureVerifies(t *testing.T) {
	const key = credential.Secret("Gu5t9xGARNpq86cd98joQYCN3EXAMPLE")
	r := httptest.NewRequest(http.MethodGet, "https://cvm.tencentcloudapi.com/?Action=DescribeInstances"+
		"&InstanceIds.0=ins-09dx96dg&Limit=20&Nonce=11886&Offset=0&Region=ap-guangzhou"+
		"&SecretId=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE&Signature=EliP9YW3pW28FpsEdkXt%2F%2BWcGeI%3D&Timestamp=1465185768&Version=2017-03-12", nil)
	verifies := func(host string, key credential.Secret) bool {
		r.Host = host
		q, err := readRequest(r)
		if err != nil || !q.v1 {
			t.Fatalf("it is read as v1: %v, %v", q.v1, err)
		}
		c, err := q.claim()
		if err != nil || c.secretID != "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE" {
			t.Fatalf("it claims %q, %v", c.secretID, err)
		}
		return c.signedBy(key)
	}
	const host = "cvm.tencentcloudapi.com"
	switch {
	case !verifies(host, key):
		t.Error("it is refused")
	case !verifies(host+":8085", key):
		t.Error("it is refused when a port that was not signed follows the host")
	case verifies("sts.tencentcloudapi.com", key) || verifies("127.0.0.1:8085", key):
		t.Error("it is taken for another host's")
	case verifies(host, key+"x"):
		t.Error("it is taken for another key's")
	}
}

func TestV1CallsSucceedInEveryForm(t *testing.T) {
	w := newWorld(t, Options{})
	for _, method := range []string{http.MethodPost, http.MethodGet} {
		for _, algorithm := range []string{"", "HmacSHA1", "HmacSHA256", "HmacMD5"} { // what is not HmacSHA256 is HmacSHA1
			t.Run(method+" "+algorithm, func(t *testing.T) {
				params := v1Federation()
				if algorithm != "" {
					params["SignatureMethod"] = algorithm
				}
				values := v1Values(keyOf(w.sub), GetFederationToken, params, noon)
				got := w.ask(t, v1Signed(method, values, w.sub.SecretKey))
				got.wantCode(t, "")
				if want := noon.Unix() + 900; got.ExpiredTime != want {
					t.Errorf("ExpiredTime %d, want %d", got.ExpiredTime, want)
				}
				c := got.Credentials
				issued := key{c.TmpSecretID, credential.Secret(c.TmpSecretKey), credential.Secret(c.Token)}
				common := map[string]string{"Language": "en-US", "RequestClient": "SDK_GO"}
				who := v1Values(issued, GetCallerIdentity, common, noon)
				if got := w.ask(t, v1Signed(method, who, issued.secret)); got.UserID != w.sub.UIN+":cos-sts-go" {
					t.Errorf("it is %q (%s)", got.UserID, got.Error.Code)
				}
			})
		}
	}
	if n := w.Calls(GetFederationToken); n != 8 {
		t.Errorf("%d calls counted, want 8", n)
	}
}

func TestV1IsAsStrict(t *testing.T) {
	w := newWorld(t, Options{})
	encoded := url.QueryEscape(allowAll)
	type edit func(url.Values)
	set := func(name, value string) edit { return func(v url.Values) { v.Set(name, value) } }
	del := func(name string) edit { return func(v url.Values) { v.Del(name) } }
	at := func(d time.Duration) edit { return set("Timestamp", strconv.FormatInt(noon.Add(d).Unix(), 10)) }
	twice := func(name string) edit { return func(v url.Values) { v.Add(name, v.Get(name)) } }
	shorter := func(n int) edit { return func(v url.Values) { v.Set("Signature", v.Get("Signature")[:n]) } }
	nothing := func(url.Values) {}
	for name, c := range map[string]struct {
		before, after edit // the signature is made
		code          string
	}{
		"as it should be":            {nothing, nothing, ""},
		"no SecretId":                {del("SecretId"), nothing, "MissingParameter"},
		"no Timestamp":               {del("Timestamp"), nothing, "MissingParameter"},
		"no Nonce":                   {del("Nonce"), nothing, "MissingParameter"},
		"no Signature":               {nothing, del("Signature"), "MissingParameter"},
		"no Action":                  {del("Action"), nothing, "MissingParameter"},
		"no Version":                 {del("Version"), nothing, "MissingParameter"},
		"no Region":                  {del("Region"), nothing, "MissingParameter"},
		"no Name":                    {del("Name"), nothing, "MissingParameter"},
		"another Action":             {set("Action", "AssumeRole"), nothing, "InvalidAction"},
		"another Version":            {set("Version", "2018-08-14"), nothing, "NoSuchVersion"},
		"a Nonce of 0":               {set("Nonce", "0"), nothing, ""},
		"a negative Nonce":           {set("Nonce", "-1"), nothing, "InvalidParameterValue"},
		"a Nonce in words":           {set("Nonce", "random"), nothing, "InvalidParameterValue"},
		"a Timestamp in words":       {set("Timestamp", "noon"), nothing, "InvalidParameterValue"},
		"5 minutes behind":           {at(-5 * time.Minute), nothing, ""},
		"5 minutes ahead":            {at(5 * time.Minute), nothing, ""},
		"a second more behind":       {at(-5*time.Minute - time.Second), nothing, "AuthFailure.SignatureExpire"},
		"a second more ahead":        {at(5*time.Minute + time.Second), nothing, "AuthFailure.SignatureExpire"},
		"an unknown SecretId":        {set("SecretId", NewAccount(false).SecretID), nothing, "AuthFailure.SecretIdNotFound"},
		"no SecretId at all":         {set("SecretId", "minioadmin"), nothing, "AuthFailure.InvalidSecretId"},
		"a token of a permanent key": {set("Token", "a-token"), nothing, "AuthFailure.TokenFailure"},
		"a token added":              {nothing, set("Token", "a-token"), "AuthFailure.SignatureFailure"},
		"a longer life":              {nothing, set("DurationSeconds", "7200"), "AuthFailure.SignatureFailure"},
		"another Action than signed": {nothing, set("Action", GetCallerIdentity), "AuthFailure.SignatureFailure"},
		"another Nonce than signed":  {nothing, set("Nonce", "11887"), "AuthFailure.SignatureFailure"},
		"another time than signed":   {nothing, at(time.Second), "AuthFailure.SignatureFailure"},
		"a parameter added":          {nothing, set("Language", "en-US"), "AuthFailure.SignatureFailure"},
		"a parameter taken away":     {nothing, del("DurationSeconds"), "AuthFailure.SignatureFailure"},
		"SHA1 called SHA256":         {nothing, set("SignatureMethod", "HmacSHA256"), "AuthFailure.SignatureFailure"},
		"half a signature":           {nothing, shorter(14), "AuthFailure.SignatureFailure"},
		"no padding":                 {nothing, shorter(27), "AuthFailure.SignatureFailure"},
		"a name given twice":         {nothing, twice("Name"), "InvalidParameter"},
		"an Action given twice":      {nothing, twice("Action"), "InvalidParameter"},
		"a Signature given twice":    {nothing, twice("Signature"), "InvalidParameter"},
		"a new parameter":            {set("Nmae", "x"), nothing, "UnknownParameter"},
		"a duration in words":        {set("DurationSeconds", "1h"), nothing, "InvalidParameter"},
		"too long a life":            {set("DurationSeconds", "129601"), nothing, "InvalidParameter.OverTimeError"},
		"a policy encoded twice":     {set("Policy", url.QueryEscape(encoded)), nothing, "InvalidParameter.StrategyFormatError"},
	} {
		for _, method := range []string{http.MethodPost, http.MethodGet} {
			t.Run(name+", "+method, func(t *testing.T) {
				v := v1Values(keyOf(w.sub), GetFederationToken, v1Federation(), noon)
				c.before(v)
				v.Set("Signature", v1Signature(v, method, testHost, w.sub.SecretKey))
				c.after(v)
				w.ask(t, v1Request(method, v)).wantCode(t, c.code)
			})
		}
	}
}

func TestV1TemporaryKeysNeedTheirToken(t *testing.T) {
	w := newWorld(t, Options{})
	role := keyOfCredential(w.SeedRole(w.sub, "4611686018427410000", "ci", time.Hour))
	ask := func(k key, action string, params map[string]string) answer {
		return w.ask(t, v1Signed(http.MethodPost, v1Values(k, action, params, w.clock.now()), role.secret))
	}
	tokenless, wrongToken := role, role
	tokenless.token, wrongToken.token = "", role.token[:len(role.token)-1]+"."
	ask(role, GetCallerIdentity, nil).wantCode(t, "")
	ask(tokenless, GetCallerIdentity, nil).wantCode(t, "AuthFailure.TokenFailure")
	ask(wrongToken, GetCallerIdentity, nil).wantCode(t, "AuthFailure.TokenFailure")
	ask(role, GetFederationToken, v1Federation()).wantCode(t, "FailedOperation.TempKeyNotAllowed")
	w.clock.advance(time.Hour)
	ask(role, GetCallerIdentity, nil).wantCode(t, "AuthFailure.TokenFailure")
}

func TestV1MethodAndContentTypeAreTheDocumentedOnes(t *testing.T) {
	w := newWorld(t, Options{})
	for name, c := range map[string]struct{ method, kind, code string }{
		"POST of a form":          {http.MethodPost, formType, ""},
		"POST of a form in UTF-8": {http.MethodPost, formType + "; charset=utf-8", ""},
		"POST of parts":           {http.MethodPost, "multipart/form-data; boundary=x", "UnsupportedProtocol"},
		"POST of JSON":            {http.MethodPost, "application/json", "AuthFailure.InvalidAuthorization"}, // as TC3 unsigned
		"POST of nothing special": {http.MethodPost, "", "UnsupportedProtocol"},
		"GET of a form":           {http.MethodGet, formType, ""},
		"GET of nothing special":  {http.MethodGet, "", ""},
		"GET of JSON":             {http.MethodGet, "application/json", "UnsupportedProtocol"},
		"PUT of a form":           {http.MethodPut, formType, "UnsupportedProtocol"},
	} {
		t.Run(name, func(t *testing.T) {
			r := v1Signed(c.method, v1Values(keyOf(w.sub), GetCallerIdentity, nil, noon), w.sub.SecretKey)
			r.Header.Set("Content-Type", c.kind)
			w.ask(t, r).wantCode(t, c.code)
		})
	}
}

func TestV1BoundsAndMalformedForms(t *testing.T) {
	w := newWorld(t, Options{})
	long := v1Values(keyOf(w.sub), GetCallerIdentity, map[string]string{"Name": strings.Repeat("x", maxBody)}, noon)
	w.ask(t, v1Signed(http.MethodPost, long, w.sub.SecretKey)).wantCode(t, "RequestSizeLimitExceeded")
	long.Set("Name", strings.Repeat("x", maxQuery))
	w.ask(t, v1Signed(http.MethodGet, long, w.sub.SecretKey)).wantCode(t, "RequestSizeLimitExceeded")
	for _, form := range []string{"Action=%2", "Action=GetCallerIdentity;Version=1"} {
		r := httptest.NewRequest(http.MethodPost, "http://"+testHost+"/", strings.NewReader(form))
		r.Header.Set("Content-Type", formType)
		w.ask(t, r).wantCode(t, "InvalidParameter")
	}
}

// What is not signed does not count: with signature v1 that is headers, and the query of a POST.
func TestV1TakesNothingThatIsNotSigned(t *testing.T) {
	w := newWorld(t, Options{})
	r := v1Signed(http.MethodPost, v1Values(keyOf(w.sub), GetCallerIdentity, nil, noon), w.sub.SecretKey)
	r.Header.Set("X-TC-Action", GetFederationToken)
	r.Header.Set("X-TC-Token", "a-token")
	r.Header.Set("X-TC-Timestamp", "0")
	r.URL.RawQuery = "Action=GetFederationToken&Token=a-token"
	w.ask(t, r).wantCode(t, "")
	if w.Calls(GetCallerIdentity) != 1 || w.Calls(GetFederationToken) != 0 {
		t.Error("the header's action was counted")
	}
	none := v1Signed(http.MethodPost, v1Values(keyOf(w.sub), "", nil, noon), w.sub.SecretKey)
	none.Header.Set("X-TC-Action", GetCallerIdentity)
	w.ask(t, none).wantCode(t, "MissingParameter")
}

// A request has one signature: where there is an Authorization header it is TC3's, and a Signature is a parameter
// like another.
func TestARequestHasOneSignature(t *testing.T) {
	w := newWorld(t, Options{})
	r := v1Signed(http.MethodGet, v1Values(keyOf(w.sub), GetCallerIdentity, nil, noon), w.sub.SecretKey)
	r.Header.Set("Content-Type", formType)
	w.ask(t, signed(r, keyOf(w.sub), GetCallerIdentity, nil, noon)).wantCode(t, "UnknownParameter")
	r.Header.Set("Authorization", "SKIP")
	w.ask(t, r).wantCode(t, "AuthFailure.InvalidAuthorization")
}

func TestV1HostsThatMayBeSigned(t *testing.T) {
	w := newWorld(t, Options{})
	for name, c := range map[string]struct{ sent, signed, code string }{
		"with its port":                   {"127.0.0.1:8085", "127.0.0.1:8085", ""},
		"without its port":                {"127.0.0.1:8085", "127.0.0.1", ""},
		"an IPv6 address":                 {"[::1]:8085", "[::1]:8085", ""},
		"an address, STS signed":          {"127.0.0.1:8085", stsHost, ""},
		"an address, another host signed": {"127.0.0.1:8085", "sts.intl.tencentcloudapi.com", "AuthFailure.SignatureFailure"},
		"another port":                    {"127.0.0.1:8085", "127.0.0.1:8086", "AuthFailure.SignatureFailure"},
		"one site, the other signed":      {"sts.intl.tencentcloudapi.com", stsHost, "AuthFailure.SignatureFailure"},
		"the same with a port":            {"sts.intl.tencentcloudapi.com:443", stsHost, "AuthFailure.SignatureFailure"},
	} {
		t.Run(name, func(t *testing.T) {
			v := v1Values(keyOf(w.sub), GetCallerIdentity, nil, noon)
			v.Set("Signature", v1Signature(v, http.MethodPost, c.signed, w.sub.SecretKey))
			r := v1Request(http.MethodPost, v)
			r.Host = c.sent
			w.ask(t, r).wantCode(t, c.code)
		})
	}
}

// The COS STS SDKs send what the page forbids, and the real STS takes it: Java's policy is not encoded, Node's has a
// principal.
func TestV1PoliciesAsTheCOSSDKsSendThem(t *testing.T) {
	w := newWorld(t, Options{})
	const invalid = "InvalidParameter.StrategyInvalid"
	principal := func(p string) string {
		return `{"version":"2.0","statement":[{"effect":"allow","action":["*"],"resource":"*","principal":` + p + `}]}`
	}
	for name, c := range map[string]struct{ policy, code string }{
		"as Java writes it":      {"{\n  \"version\" : \"2.0\"," + strings.TrimPrefix(allowAll, `{"version":"2.0",`), ""},
		"as Node writes it":      {url.PathEscape(principal(`{"qcs":"*"}`)), ""},
		"as Node's README does":  {url.PathEscape(principal(`{"qcs":["*"]}`)), ""},
		"a principal of one":     {url.PathEscape(principal(`{"qcs":["qcs::cam::uin/1:uin/1"]}`)), invalid},
		"of everybody and one":   {url.PathEscape(principal(`{"qcs":["*","qcs::cam::uin/1:uin/1"]}`)), invalid},
		"a service":              {url.PathEscape(principal(`{"qcs":"*","service":"cvm.qcloud.com"}`)), invalid},
		"a principal of null":    {url.PathEscape(principal(`null`)), invalid},
		"one outside statements": {url.PathEscape(`{"principal":{"qcs":"*"},` + allowAll[1:]), invalid},
		"plain, but half":        {allowAll[:20], "InvalidParameter.StrategyFormatError"},
	} {
		t.Run(name, func(t *testing.T) {
			params := map[string]string{"Name": "cos-sts-java", "Policy": c.policy}
			v := v1Values(keyOf(w.sub), GetFederationToken, params, noon)
			w.ask(t, v1Signed(http.MethodPost, v, w.sub.SecretKey)).wantCode(t, c.code)
		})
	}
	everybody := url.QueryEscape(principal(`{"qcs":"*"}`))
	for name, policy := range map[string]string{"plain": allowAll, "a principal": everybody} {
		params := map[string]any{"Name": "tcred", "Policy": policy}
		if w.ask(t, post(keyOf(w.sub), GetFederationToken, params, noon)).Error.Code == "" {
			t.Errorf("%s passes with TC3, where no SDK sends it", name)
		}
	}
}

// FuzzForm holds every form that is read to one reading: each name once, and a signature over all of it.
func FuzzForm(f *testing.F) {
	for _, seed := range []string{
		"Action=GetCallerIdentity&Nonce=1&SecretId=AKID1&Timestamp=1&Signature=EliP9YW3pW28FpsEdkXt%2F%2BWcGeI%3D",
		"Action=A&Action=B&Nonce=1&SecretId=AKID1&Timestamp=1&Signature=x", "a=1;b=2", "%", "=&=",
		"Policy=%257B%22+%25&SignatureMethod=HmacSHA256", "Nonce=-1&SecretId=x&Timestamp=x&Signature=x",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, form string) {
		r := httptest.NewRequest(http.MethodPost, "http://"+testHost+"/", strings.NewReader(form))
		r.Header.Set("Content-Type", formType)
		q, err := readRequest(r)
		if err != nil {
			if code := codeOf(err); code != "InvalidParameter" && code != "RequestSizeLimitExceeded" {
				t.Errorf("refused with %v", err)
			}
			return
		}
		again := make(url.Values)
		for name, value := range q.values {
			again.Set(name, value)
		}
		if pairs := strings.FieldsFunc(form, func(r rune) bool { return r == '&' }); len(pairs) != len(q.values) {
			t.Errorf("%q has %d parameters, %d are read", form, len(pairs), len(q.values))
		}
		if values, err := readValues(again.Encode()); err != nil || len(values) != len(q.values) {
			t.Errorf("%q, written again, has %d parameters: %v", form, len(values), err)
		}
		_, err = q.claim()
		if code := codeOf(err); code != "" && code != "MissingParameter" && code != "InvalidParameterValue" {
			t.Errorf("refused with %v", err)
		}
		const key = credential.Secret("Gu5t9xGARNpq86cd98joQYCN3EXAMPLE")
		q.values["Signature"] = v1Sign(v1Text(http.MethodPost, testHost, q.values), q.values["SignatureMethod"], key)
		if !q.v1SignedBy(key) || q.v1SignedBy(key+"x") {
			t.Errorf("%q: the signature is taken for another's, or refused", form)
		}
		for name := range q.values {
			if name != "Signature" {
				q.values[name] += "x"
				if q.v1SignedBy(key) {
					t.Errorf("%q: %q is not signed", form, name)
				}
				break
			}
		}
	})
}
