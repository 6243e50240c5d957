package emulator

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tcred/tcred/internal/policy"
)

// The emulator's check of a policy and tcred's own are two readings of the same documents, and neither knows the other.
// Here they are held together: what tcred finds no fault with the emulator accepts, and what the emulator refuses tcred
// finds a fault with. Each class in which they once differed is a line, with what decided it.
func TestTheEmulatorAndTheCheckAgreeAboutPolicies(t *testing.T) {
	statement := func(s string) string { return `{"version":"2.0","statement":[` + s + `]}` }
	action := func(a string) string { return statement(`{"effect":"allow","action":` + a + `,"resource":"*"}`) }
	resource := func(r string) string { return statement(`{"effect":"allow","action":"*","resource":` + r + `}`) }
	// Of CAM's pages, syntax is Syntax Structure, resources is Resource Description Method, analyzer is Policy
	// Analyzer.
	for _, class := range []struct {
		name, policy string
		refused      bool
		reason       string
	}{
		{"account *", resource(`"qcs::cos:*:*:b-1250000000/*"`), false,
			"resources has uin/, uid/ or nothing; public code sends * to STS and no page rules it out"},
		{"account uid/*", resource(`"qcs::cos::uid/*:b-1250000000/*"`), false, "as above"},
		{"account without uin/ or uid/", resource(`"qcs::cos::1250000000:b-1250000000/*"`), true,
			"resources: either uin or uid describes the owner"},
		{"account uid/ of nobody", resource(`"qcs::cos::uid/:b-1250000000/*"`), true, "resources: uid/${appid}"},
		{"account uin/ of nobody", resource(`"qcs::cvm::uin/:instance/*"`), true, "resources: uin/${uin}"},
		{"no service", resource(`"qcs::::uin/100000000001:instance/*"`), false,
			"resources of 2024: empty is all services; before that the page wanted *"},
		{"a project", resource(`"qcs:id/0:cvm::uin/100000000001:instance/*"`), false,
			"resources forbids it, but CAM prints it in its own messages for pasting into a policy"},
		{"a full-width colon in an object's name", resource(`"qcs::cos::uid/1250000000:b-1250000000/报告：一/*"`), false,
			"resources: the last segment is the service's own; COS takes any UTF-8 for a key"},
		{"a full-width colon between segments", resource(`"qcs：：cos：：uid/1250000000：b-1250000000/*"`), true,
			"syntax: six segments, with colons between them"},
		{"resource * in blanks", resource(`" * "`), true, `syntax: a resource is "*" or has six segments`},
		{"resource before which a blank stands", resource(`" qcs::cvm:::instance/*"`), true, "as above: the first is qcs"},
		{"resource behind which a blank stands", resource(`"qcs::cvm:::instance/* "`), false,
			"it belongs to the last segment, which is the service's own"},
		{"resource of blanks", resource(`"  "`), true, "as * in blanks"},

		{"action :", action(`":"`), true, "syntax: an action consists of scope, service and operation"},
		{"action without operation", action(`"cos:"`), true, "as above"},
		{"action without service", action(`":GetObject"`), true, "as above"},
		{"action with a scope and no service", action(`"name/:GetObject"`), true, "as above"},
		{"action without a colon", action(`"GetObject"`), false,
			"syntax wants a service, but the COS STS SDK's first examples had none, and no page says that STS refuses it"},
		{"action of a set", action(`["name/cos:PutObject","permid/280655"]`), false,
			"syntax: an action may be permid/ and the number of a set of actions"},
		{"action of no set", action(`"permid/"`), false, "as an action without a colon"},
		{"action * in blanks", action(`" * "`), false, "as an action without a colon"},
		{"action of blanks", action(`" "`), true, "there is none"},
		{"action before which a blank stands", action(`" cos:GetObject"`), false,
			"syntax itself prints a blank inside one: cos: DeleteBucketPolicy"},
		{"action of every service", action(`"name/*:*"`), false, "syntax prints it"},

		{"condition null", statement(`{"effect":"allow","action":"*","resource":"*","condition":null}`), true,
			`syntax: "condition": { <condition_map> }, or nothing at all`},
		{"condition without one", statement(`{"effect":"allow","action":"*","resource":"*","condition":{}}`), false,
			"no page says how many a map has at least"},
		{"condition with a number out of range",
			statement(`{"effect":"allow","action":"*","resource":"*","condition":{"a":{"b":1e999}}}`), false,
			"RFC 7159, on which syntax builds, sets numbers no limit"},

		{"version twice", `{"version":"2.0",` + allowAll[1:], true, "analyzer: Errors - Redundant version"},
		{"effect twice", statement(`{"effect":"deny","effect":"allow","action":"*","resource":"*"}`), true,
			"analyzer: redundant elements are errors"},
		{"a key twice in a condition",
			statement(`{"effect":"allow","action":"*","resource":"*","condition":{"a":{"b":1,"b":2}}}`), true, "as above"},
		{"an empty key twice", `{"":1,"":2,` + allowAll[1:], true, "as above"},
		{"a key twice by an escape", `{"v\u0065rsion":"2.0",` + allowAll[1:], true, "as above: it is one key"},
		{"Version beside version", `{"Version":"2.0",` + allowAll[1:], true, "syntax: the elements must be lowercase"},
		{"Principal", statement(`{"effect":"allow","action":"*","resource":"*","Principal":"*"}`), true,
			"as above; and STS takes no principal"},
		{"principal null", statement(`{"effect":"allow","action":"*","resource":"*","principal":null}`), true,
			"GetFederationToken: the policy cannot contain the principal element"},
		{"a key of no element", statement(`{"sid":"a","effect":"allow","action":"*","resource":"*"}`), false,
			"no page says what becomes of it"},
		{"not UTF-8", statement("{\"effect\":\"allow\",\"action\":\"*\",\"resource\":\"*\",\"sid\":\"\xb0\"}"), true,
			"RFC 7159: JSON is UTF-8, UTF-16 or UTF-32"},
		{"not UTF-8 in a comment, which is not sent", "{// \xb0\n" + allowAll[1:], false, "what is sent is UTF-8"},
		{"version 3.0", strings.Replace(allowAll, "2.0", "3.0", 1), true,
			"syntax and the STS page: 2.0; analyzer knows 3.0, of which nothing says that STS takes it"},
	} {
		t.Run(class.name, func(t *testing.T) {
			checked, emulated := refusedByCheck(class.policy), refusedByEmulator(class.policy)
			if checked != class.refused || (emulated != nil) != class.refused {
				t.Errorf("%s\nthe check refuses: %v, the emulator: %v; want %v: %s", class.policy, checked, emulated,
					class.refused, class.reason)
			}
		})
	}
}

func refusedByCheck(text string) bool {
	return slices.ContainsFunc(policy.Check([]byte(text)), func(f policy.Finding) bool { return !f.Warning })
}

// refusedByEmulator sends the policy as tcred does: without comments if it can be read, and to an account whose APPID
// nobody knows.
func refusedByEmulator(text string) error {
	if sent, err := policy.Compact([]byte(text)); err == nil {
		text = sent
	}
	return checkPolicy(url.QueryEscape(text), policyRules{})
}

// agree holds both to each other. How long a policy may be is another matter: STS publishes no limit, so the check only
// warns, and the emulator's limit, which it says it has, is CAM's.
func agree(t *testing.T, text string) {
	t.Helper()
	if len(text) > maxPolicy {
		return
	}
	checked, emulated := refusedByCheck(text), refusedByEmulator(text)
	if checked != (emulated != nil) {
		t.Errorf("the check refuses: %v, the emulator: %v\n%s\n%q", checked, emulated, text, text)
	}
}

func TestTheEmulatorAndTheCheckAgreeAboutManyPolicies(t *testing.T) {
	for seed := range uint64(20_000) {
		random := rand.New(rand.NewPCG(seed, 0))
		choices := make([]byte, 60)
		for i := range choices {
			choices[i] = byte(random.Uint32())
		}
		agree(t, (&author{choices: choices}).policy())
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func FuzzPolicyAgreement(f *testing.F) {
	f.Add(allowAll, []byte{})
	f.Add("{// all\n"+allowAll[1:], []byte{0, 1, 0, 0, 1, 2, 3})
	f.Add(strings.Replace(allowAll, `"*"`, `" * "`, 1), []byte("\xff\xfe policies are made of choices"))
	f.Fuzz(func(t *testing.T, text string, choices []byte) {
		agree(t, text)
		agree(t, (&author{choices: choices}).policy())
	})
}

// An author writes policies that are mostly right: each byte of choices decides one thing, and 0 for the right way.
type author struct{ choices []byte }

// choose is one of ways, more often the first.
func (a *author) choose(ways ...string) string {
	if len(a.choices) == 0 {
		return ways[0]
	}
	choice := int(a.choices[0])
	a.choices = a.choices[1:]
	if choice >= 3*len(ways) {
		return ways[0]
	}
	return ways[choice%len(ways)]
}

// list is what several calls of one write, with commas between.
func (a *author) list(one func() string) string {
	var all []string
	for range 1 + len(a.choose("", "1", "22")) {
		all = append(all, one())
	}
	return strings.Join(all, a.choose(",", ", ", ",\n// more\n", ",,"))
}

func (a *author) policy() string {
	text := "{" + a.members(
		a.choose(`"version":"2.0"`, `"version":2.0`, `"version":"3.0"`, `"version":null`, `"Version":"2.0"`,
			`"version":"1","version":"2.0"`, `"versi\u006fn":"2.0"`, ``),
		a.choose(`"statement"`, `"Statement"`, `"ſtatement"`)+":"+a.statements(),
		a.choose(``, `"principal":null`, `"Principal":"*"`, `"id":[{"a":1,"a":1}]`, `"effect":1`),
	) + "}"
	return a.choose("", "\n", "// head\n", "\ufeff", "/* head */") + text + a.choose("", " ", " // end", "x", text)
}

// members joins what is not empty.
func (a *author) members(all ...string) string {
	all = slices.DeleteFunc(all, func(s string) bool { return s == "" })
	if a.choose("", "turned") != "" {
		slices.Reverse(all)
	}
	return strings.Join(all, a.choose(",", " , ", ", // next\r\n"))
}

func (a *author) statements() string {
	list := a.list(a.statement)
	return a.choose("["+list+"]", list, "[]", "[null]", `"`+list+`"`, "["+list+",1]", "null")
}

func (a *author) statement() string {
	return "{" + a.members(
		a.choose(`"effect":"allow"`, `"effect":"deny"`, `"effect":"Allow"`, `"Effect":"allow"`, `"effect":null`, ``,
			`"effect":["allow"]`),
		a.choose(`"action"`, `"Action"`, `"actions"`)+":"+a.oneOrMore(a.action),
		a.choose(`"resource"`, `"RESOURCE"`, `"reſource"`)+":"+a.oneOrMore(a.resource),
		a.choose(``, `"condition":{"ip_equal":{"qcs:ip":"10.0.0.0/8"}}`, `"condition":null`, `"condition":{}`,
			`"condition":[]`, `"condition": "x"`, `"condition":{"a":1,"a":2}`, `"condition":{"a":[1e999,-0.0]}`,
			`"Condition":{}`, `"condition" : {"a":true}`),
		a.choose(``, `"sid":"//"`, `"principal":{"qcs":"*"}`, `"version":"1"`, `"principaL":1`, `"resource":"*"`),
	) + "}"
}

func (a *author) oneOrMore(one func() string) string {
	quoted := func() string {
		s := one()
		return a.choose(strconv.Quote(s), `"`+s+`"`, "1", "null", "{}", `["`+s+`"]`, "\""+s+"\\ud800\"", "\""+s+"\xff\"")
	}
	return a.choose("["+a.list(quoted)+"]", quoted(), "[]", "null")
}

func (a *author) action() string {
	blank := []string{"", " ", "\t", "\u00a0"}
	return a.choose(blank...) + a.choose("name/cos:GetObject", "*", "cos:*", ":", "cos:", ":x", "name/:x", "name/", "x",
		"permid/1", "permid/", "permid/1:2", "name/permid/1", "", "s3:Get", "：", "a：b", "a:b:c", "//", "name/name/a:b",
		"name/*:*", "<x>", "cos: ") + a.choose(blank...)
}

func (a *author) resource() string {
	if whole := a.choose("", "*", " ", "qcs", "qcs:::::", "arn:aws:s3:::b", "qcs：：a：b：c：d", "//"); whole != "" {
		return a.choose("", " ") + whole + a.choose("", " ", "\u3000")
	}
	parts := []string{
		a.choose("qcs", "QCS", " qcs", "", "arn"),
		a.choose("", "id/0", "*"),
		a.choose("cos", "", "*", "cvm", "ci", "cas"),
		a.choose("ap-guangzhou", "", "*", "guangzhou", "<r>", "gz", "："),
		a.choose("uid/1250000000", "uin/100000000001", "", "*", "uid/*", "uid/", "uin/", "uid", "uin", "1250000000",
			"uid//", " ", "uid/ ", "UID/1", "uid/<APPID>", "uin/${uin}", "uid/100000000001", "uid/1"),
		a.choose("bucket-1250000000/a/*", "*", "", "bucket", "b-1250000000", "b/", "prefix//1250000000/b/*", "bucket/b/*",
			"/", ":", "a:b：c/", "${app_id}", " ", "prefix/", "bucket/", "<b>-1250000000/*"),
	}
	if n := a.choose("", "1", "22", "333"); n != "" {
		parts = parts[:len(parts)-len(n)]
	}
	return a.choose("", " ") + strings.Join(parts, ":") + a.choose("", " ", "\n", "\u3000")
}

// What the author writes is not all right, and not all wrong.
func TestTheAuthorOfPoliciesWritesBothKinds(t *testing.T) {
	counts := make(map[string]int)
	for seed := range uint64(5_000) {
		random := rand.New(rand.NewPCG(seed, 0))
		choices := make([]byte, 60)
		for i := range choices {
			choices[i] = byte(random.Uint32())
		}
		counts[fmt.Sprint(refusedByCheck((&author{choices: choices}).policy()))]++
	}
	if counts["true"] < 500 || counts["false"] < 500 {
		t.Errorf("refused or not: %v", counts)
	}
}
