package policy

import (
	"slices"
	"strings"
	"testing"
)

const ours = "qcs::cos:ap-guangzhou:uid/1250000000:"

// A step does what a hint says and nothing else.
type step struct {
	finding string // words of its message
	policy  string
	said    string // what the hint says, word for word; "" where that is new
	old     string // what is put in the policy in place of what
	new     string
}

func acting(action string) string {
	return with(`"effect":"allow","action":"` + action + `","resource":"*"`)
}

var textSteps = []step{
	{"is empty", " ", "", " ", examplePolicy},
	{"UTF-16", "\xff\xfe{\x00}\x00", "save it as UTF-8", "\xff\xfe{\x00}\x00", Full},
	{"is not UTF-8", Full + "\xa0", "save it as UTF-8", "\xa0", ""},
	{"ends too early", Full[:len(Full)-1], "closing }", `"}]`, `"}]}`},
	{"ends too early", Full[:len(Full)-1] + "// }", "stands behind //", "// }", "}"},
	{"byte-order mark", "\ufeff" + Full, "without BOM", "\ufeff", ""},
	{"// comment", "// all\n" + Full, "delete", "// all", ""},
	{"/* comment", "/* all */" + Full, "delete", "/* all */", ""},
	{"# comment", "# all\n" + Full, "delete", "# all", ""},
	{"comma with nothing", strings.Replace(Full, "}]", ",}]", 1), "delete the comma", `,}]`, `}]`},
	{"beginning of object key", `{version:"2.0"}`, "double quotes", "version", `"version"`},
	{"in string literal", "{\"version\n\":1}", "ends on the line", "\n", ""},
	{"in string escape", `{"a":"\d"}`, `\\`, `\d`, `\\d`},
	{"after object key:value", `{"a":1 "b":2}`, "comma", " ", ","},
	{"after array element", `[1 2]`, "comma", " ", ","},
	{"after object key", `{"a" 1}`, "colon", " ", ":"},
	{"after top-level", Full + "x", "nothing follows", "x", ""},
	{"beginning of value", `{"a":yes}`, "", "yes", "true"},
	{"typographic quote", `{“a":1}`, "", "“", `"`},
	{"full-width", `{"a"：1}`, "", "：", ":"},
	{"single quote", `{'a":1}`, "", "'", `"`},
	{"bytes", acting("cos:" + strings.Repeat("a", most)), "wildcards", strings.Repeat("a", most), "*"},
}

var keySteps = []step{
	{"the policy is a list", "[]", "", "[]", examplePolicy},
	{`no "version"`, `{"statement":[` + exampleStatement + `]}`, `"version": "2.0"`, `{"s`, `{"version": "2.0","s`},
	{`no "statement"`, `{"version":"2.0"}`, `"statement": [` + exampleStatement + `]`,
		`}`, `,"statement": [` + exampleStatement + `]}`},
	{`no "effect"`, with(`"action":"*","resource":"*"`), `"effect": "allow"`, `[{`, `[{"effect": "allow",`},
	{`no "action"`, with(`"effect":"allow","resource":"*"`), `"action": ` + exampleAction,
		`[{`, `[{"action": ` + exampleAction + `,`},
	{`no "resource"`, with(`"effect":"allow","action":"*"`), `"resource": ` + exampleResource,
		`[{`, `[{"resource": ` + exampleResource + `,`},
	{"must be lower case", strings.Replace(Full, "version", "Version", 1), "", `"Version"`, `"version"`},
	{"principal", with(`"principal":"*","effect":"allow","action":"*","resource":"*"`), "delete", `"principal":"*",`, ""},
	{`a key "sid"`, with(`"sid":"a","effect":"allow","action":"*","resource":"*"`), "delete", `"sid":"a",`, ""},
	{`a key "actions"`, with(`"effect":"allow","actions":"*","resource":"*"`), "", `"actions"`, `"action"`},
	{"is there already", `{"version":"2.0",` + Full[1:], "delete", `"version":"2.0",`, ""},
	{"version is a number", strings.Replace(Full, `"2.0"`, "2.0", 1), "", "2.0", `"2.0"`},
	{"version must be", strings.Replace(Full, "2.0", "2012-10-17", 1), "", `"2012-10-17"`, `"2.0"`},
	{"statement is an object", `{"version":"2.0","statement":` + exampleStatement + `}`, `"statement": [{…}]`,
		exampleStatement, "[" + exampleStatement + "]"},
	{"statement is a string", `{"version":"2.0","statement":"x"}`, "", `"x"`, "[" + exampleStatement + "]"},
	{"statement is an empty list", `{"version":"2.0","statement":[]}`, exampleStatement,
		`[]`, "[" + exampleStatement + "]"},
	{"the statement is a string", `{"version":"2.0","statement":["x"]}`, "", `"x"`, exampleStatement},
	{`effect "Allow" must be lower`, strings.Replace(Full, "allow", "Allow", 1), "", `"Allow"`, `"allow"`},
	{`effect must be "allow" or "deny"`, strings.Replace(Full, "allow", "permit", 1), "one of the two", `permit`, `allow`},
	{"condition is a null", with(`"effect":"allow","action":"*","resource":"*","condition":null`), "delete the key",
		`,"condition":null`, ""},
	{"condition is a list", with(`"effect":"allow","action":"*","resource":"*","condition":[]`), "",
		`[]`, `{"ip_equal": {"qcs:ip": "10.0.0.0/8"}}`},
	{"action is an empty list", with(`"effect":"allow","action":[],"resource":"*"`), exampleAction,
		`[]`, `[` + exampleAction + `]`},
	{"action has a number", with(`"effect":"allow","action":1,"resource":"*"`), exampleAction, `:1`, `:` + exampleAction},
	{"action is an empty string", acting(""), "", `""`, exampleAction},
	{"action \" * \" has blanks around it", acting(" * "), "delete", `" * "`, `"*"`},
	{"names no service", acting("PutObject"), "", "PutObject", "name/cos:PutObject"},
	{"names no service", acting("name/:PutObject"), "", "name/:PutObject", "name/cos:PutObject"},
	{"names no operation", acting("name/cos:"), "", "name/cos:", "name/cos:PutObject"},
	{"is AWS's", acting("s3:PutObject"), "", "s3:PutObject", "name/cos:PutObject"},
	{"has the placeholder", acting("name/cos:<Action>"), "", "name/cos:<Action>", "name/cos:PutObject"},
}

var resourceSteps = []step{
	{"is an AWS name", on("arn:aws:s3:::b/*"), "", "arn:aws:s3:::b/*", ours + "bucket-1250000000/*"},
	{"full-width colon", on("qcs：：cvm：：：*"), "", "：", ":"},
	{"neither", on("b/*"), ours + "bucket-1250000000/*", `"b/*"`, exampleResource},
	{"5 of 6 segments", on("qcs::cos:uid/1250000000:b/*"), "", "qcs::cos:uid/1250000000:b/*",
		ours + "bucket-1250000000/*"},
	{"without its last segment", on(ours), "bucket-1250000000/*", ours, ours + "bucket-1250000000/*"},
	{"begins with neither", on("qcs::cos::1250000000:b-1250000000/*"), "", "1250000000", "uid/1250000000"},
	{"begins with neither", on("qcs::cvm::100000000001:instance/*"), "uin/", "1000", "uin/1000"},
	{"has no number", on("qcs::cvm::uin/:instance/*"), "leave it empty", "uin/", ""},
	{"is not the number", on("qcs::cvm::uin/<uin>:instance/*"), "leave it empty", "uin/<uin>", ""},
	{"by the APPID", on("qcs::cos::uin/100000000001:b-1250000000/*"), "", "uin/100000000001", "uid/1250000000"},
	{"by the APPID", on("qcs::cos::uin/100000000001:*"), "uid/", "uin/100000000001", "uid/1250000000"},
	{"is not an APPID", on("qcs::cos::uid/<APPID>:b-1250000000/*"), "", "uid/<APPID>", "uid/1250000000"},
	{"looks like an account's uin", on("qcs::cos::uid/100000000001:b-1250000000/*"), "", "uid/100000000001",
		"uid/1250000000"},
	{"is not the APPID", on("qcs::cos::uid/1250000001:b-1250000000/*"), "", "uid/1250000001", "uid/1250000000"},
	{"names no service", on("qcs:::ap-guangzhou:uid/1250000000:b-1250000000/*"), "cos", "qcs:::", "qcs::cos:"},
	{"no region", on("qcs::cos:guangzhou::b-1250000000/*"), "", "guangzhou", "ap-guangzhou"},
	{"no region", on("qcs::cos:us-east-1::b-1250000000/*"), "", "us-east-1", "ap-guangzhou"},
	{"no region", on("qcs::cos:global::b-1250000000/*"), "leave it empty", "global", ""},
	{"names no bucket", on(ours + "/a"), "bucket-1250000000, before the first /", "/a", "bucket-1250000000/a"},
	{"is a placeholder", on(ours + "<bucket>/*"), "", "<bucket>", "bucket-1250000000"},
	{"ends without its APPID", on(ours + "photos/*"), "", "photos", "photos-1250000000"},
	{"ends without its APPID", on("qcs::cos:::photos/*"), "", "photos", "bucket-1250000000"},
	{"is the bucket", on(ours + "b-1250000000"), "/*", `b-1250000000`, "b-1250000000/*"},
	{"is the bucket", on(ours + "b-1250000000/"), "/*", "b-1250000000/", "b-1250000000/*"},
	{"is the one object", on(ours + "b-1250000000/a/"), "/*", "/a/", "/a/*"},
	{"the placeholder", on(ours + "b-1250000000/<user>/*"), "what it stands for", "<user>", "ada"},
	{`has "${uin}"`, on(ours + "b-1250000000/${uin}/*"), "the name itself", "${uin}", "ada"},
}

func TestDoingWhatAHintSaysEndsTheFinding(t *testing.T) {
	for _, s := range slices.Concat(textSteps, keySteps, resourceSteps) {
		of := func(f Finding) bool { return strings.Contains(f.Message, s.finding) }
		before := Check([]byte(s.policy))
		i := slices.IndexFunc(before, of)
		if i < 0 {
			t.Errorf("%q: not among %+v", s.finding, before)
			continue
		}
		if s.said == "" {
			s.said = s.new
		}
		if hint := before[i].Hint; !strings.Contains(hint, s.said) {
			t.Errorf("%q: %q does not say %q", s.finding, hint, s.said)
		}
		if !strings.Contains(s.policy, s.old) {
			t.Errorf("%q: no %q in %q", s.finding, s.old, s.policy)
		}
		after := Check([]byte(strings.ReplaceAll(s.policy, s.old, s.new)))
		if slices.ContainsFunc(after, of) {
			t.Errorf("%q: still there once %q is %q", s.finding, s.old, s.new)
		}
	}
}
