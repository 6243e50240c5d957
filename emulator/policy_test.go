package emulator

import (
	"net/url"
	"strings"
	"testing"
)

func TestPolicyRules(t *testing.T) {
	account := Account{AppID: "1250000000"}
	resource := func(r string) string {
		return `{"version":"2.0","statement":[{"effect":"allow","action":["name/cos:PutObject"],"resource":["` + r + `"]}]}`
	}
	statement := func(s string) string { return `{"version":"2.0","statement":[` + s + `]}` }
	const (
		format  = "InvalidParameter.StrategyFormatError"
		invalid = "InvalidParameter.StrategyInvalid"
		segment = "InvalidParameter.ResouceError"
	)
	for name, c := range map[string]struct{ policy, code string }{
		"everything":                 {allowAll, ""},
		"deny everything":            {statement(`{"effect":"deny","action":"*","resource":"*"}`), ""},
		"white space":                {" {\n\t\"version\": \"2.0\", \"statement\": [ {\"effect\":\"allow\",\"action\":\"*\",\"resource\":\"*\"} ] }\n", ""},
		"a condition":                {statement(`{"effect":"allow","action":"*","resource":"*","condition":{"ip_equal":{"qcs:ip":"10.0.0.0/8"}}}`), ""},
		"a condition that is a list": {statement(`{"effect":"allow","action":"*","resource":"*","condition":[]}`), format},
		"two statements":             {statement(`{"effect":"allow","action":"cos:*","resource":"*"},{"effect":"deny","action":["cos:DeleteObject"],"resource":["*"]}`), ""},
		"no JSON":                    {"allow everything", format},
		"empty":                      {"", format},
		"a comment":                  {"{// all\n" + allowAll[1:], format},
		"a byte-order mark":          {"\ufeff" + allowAll, format},
		"something after it":         {allowAll + "x", format},
		"no version":                 {`{"statement":[{"effect":"allow","action":"*","resource":"*"}]}`, format},
		"version 1.0":                {strings.Replace(allowAll, "2.0", "1.0", 1), format},
		"a version without quotes":   {strings.Replace(allowAll, `"2.0"`, "2.0", 1), format},
		"a Version":                  {strings.Replace(allowAll, "version", "Version", 1), format},
		"no statement":               {`{"version":"2.0"}`, format},
		"an empty list":              {statement(""), format},
		"a null statement":           {statement("null"), format},
		"no effect":                  {statement(`{"action":"*","resource":"*"}`), format},
		"another effect":             {statement(`{"effect":"Allow","action":"*","resource":"*"}`), format},
		"no action":                  {statement(`{"effect":"allow","resource":"*"}`), format},
		"no actions":                 {statement(`{"effect":"allow","action":[],"resource":"*"}`), format},
		"a number for an action":     {statement(`{"effect":"allow","action":[1],"resource":"*"}`), format},
		"an action of no service":    {statement(`{"effect":"allow","action":":PutObject","resource":"*"}`), format},
		"an action of no operation":  {statement(`{"effect":"allow","action":"name/cos:","resource":"*"}`), format},
		"an action without a colon":  {statement(`{"effect":"allow","action":"PutObject","resource":"*"}`), ""},
		"a null condition":           {statement(`{"effect":"allow","action":"*","resource":"*","condition":null}`), format},
		"a key twice":                {statement(`{"effect":"deny","effect":"allow","action":"*","resource":"*"}`), format},
		"text that is not UTF-8":     {strings.Replace(allowAll, "{", "{\"a\":\"\xff\",", 1), format},
		"no resource":                {statement(`{"effect":"allow","action":"*"}`), format},
		"a principal":                {statement(`{"effect":"allow","action":"*","resource":"*","principal":{"qcs":["*"]}}`), invalid},
		"a principal outside":        {`{"principal":"*",` + allowAll[1:], invalid},
		"our own bucket":             {resource("qcs::cos:ap-beijing:uid/1250000000:bucket-1250000000/a/*"), ""},
		"colons in the last segment": {resource("qcs::cos:ap-beijing:uid/1250000000:prefix//1250000000/a:b:c/*"), ""},
		"another service's uid":      {resource("qcs::cls:ap-beijing:uid/42:topic/x"), ""},
		"no account":                 {resource("qcs::cvm:ap-beijing::instance/*"), ""},
		"another account's bucket":   {resource("qcs::cos:ap-beijing:uid/100000000001:bucket/*"), "InvalidParameter.GrantOtherResource"},
		"five segments":              {resource("qcs::cos:ap-beijing:uid/1250000000"), segment},
		"an AWS arn":                 {resource("arn:aws:s3:::bucket/*"), segment},
		"no service, which is all":   {resource("qcs:::ap-beijing:uid/1250000000:bucket/*"), ""},
		"any account":                {resource("qcs::cos:ap-beijing:*:bucket-1250000000/*"), ""},
		"the uid of any account":     {resource("qcs::cos:ap-beijing:uid/*:bucket-1250000000/*"), ""},
		"an empty resource":          {resource(""), segment},
		"an empty last segment":      {resource("qcs::cos:ap-beijing:uid/1250000000:"), segment},
		"a bare account":             {resource("qcs::cos:ap-beijing:1250000000:bucket/*"), segment},
		"uid/ of nobody":             {resource("qcs::cos:ap-beijing:uid/:bucket/*"), segment},
		"as long as may be":          {allowAll + strings.Repeat(" ", maxPolicy-len(allowAll)), ""},
		"a byte more":                {allowAll + strings.Repeat(" ", maxPolicy-len(allowAll)+1), "InvalidParameter.PolicyTooLong"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := checkPolicy(url.QueryEscape(c.policy), policyRules{account: account}); codeOf(err) != c.code {
				t.Errorf("got %v, want %q", err, c.code)
			}
		})
	}
}

func TestPolicyIsURLEncodedExactlyOnce(t *testing.T) {
	const spaced = allowAll + " "
	for name, c := range map[string]struct{ parameter, code string }{
		"once, as Go does":         {url.QueryEscape(spaced), ""},
		"once, as JavaScript does": {url.PathEscape(spaced), ""},
		"never":                    {spaced, "InvalidParameter.StrategyFormatError"},
		"twice":                    {url.QueryEscape(url.QueryEscape(spaced)), "InvalidParameter.StrategyFormatError"},
		"badly":                    {"%7B%2", "InvalidParameter.StrategyFormatError"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := checkPolicy(c.parameter, policyRules{}); codeOf(err) != c.code {
				t.Errorf("got %v, want %q", err, c.code)
			}
		})
	}
}

func TestAccountOfNoAppIDAcceptsAnyBucket(t *testing.T) {
	policy := `{"version":"2.0","statement":[{"effect":"allow","action":"*","resource":"qcs::cos::uid/1:b/*"}]}`
	if err := checkPolicy(url.QueryEscape(policy), policyRules{}); err != nil {
		t.Error(err)
	}
}

// FuzzPolicy holds every policy that passes to what makes it a policy, read in another way.
func FuzzPolicy(f *testing.F) {
	f.Add(url.QueryEscape(allowAll))
	f.Add(allowAll)
	f.Add("%7B%22version%22%3A%222.0%22%7D")
	f.Fuzz(func(t *testing.T, parameter string) {
		if err := checkPolicy(parameter, policyRules{}); err != nil {
			if !strings.HasPrefix(codeOf(err), "InvalidParameter.") {
				t.Errorf("refused with %v", err)
			}
			return
		}
		text, err := url.QueryUnescape(parameter)
		if err != nil || len(text) > maxPolicy || text == parameter {
			t.Fatalf("%q passes", parameter)
		}
		if again := checkPolicy(url.QueryEscape(text), policyRules{}); again != nil {
			t.Errorf("%q passes, but not as Go encodes it: %v", parameter, again)
		}
		if twice := checkPolicy(url.QueryEscape(url.QueryEscape(text)), policyRules{}); twice == nil {
			t.Errorf("%q passes encoded twice", parameter)
		}
	})
}
