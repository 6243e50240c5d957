package policy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// with is a policy whose one statement is fields.
func with(fields string) string {
	return `{"version":"2.0","statement":[{` + fields + `}]}`
}

// on is a policy that allows GetObject on resource.
func on(resource string) string {
	return with(`"effect":"allow","action":"name/cos:GetObject","resource":"` + resource + `"`)
}

func TestGoodPoliciesHaveNoFindings(t *testing.T) {
	for name, src := range map[string]string{
		"full":     Full,
		"deny all": DenyAll,
		"lists": with(`"effect":"deny","action":["name/cos:*","cvm:Describe*"],` +
			`"resource":["*","qcs::cos:ap-beijing:uid/123456:prefix//123456/bucketA/*"]`),
		"condition": with(`"effect":"allow","action":"*","resource":"*",` +
			`"condition":{"ip_equal":{"qcs:ip":"10.0.0.0/8"}}`),
		"bucket":            on("qcs::cos:ap-guangzhou:uid/1250000000:bucket-1250000000/upload/*"),
		"account pattern":   on("qcs::cos::uid/1000000000*:b-1250000000/*"),
		"empty account":     on("qcs::cvm:::instance/*"),
		"colon in the tail": on("qcs::cls:ap-guangzhou:uin/100000000001:topic/a:b"),
		"quotes in a value": with(`"effect":"allow","action":"*","resource":"*",` +
			`"condition":{"string_equal":{"a":"“b”：// #"}}`),
		"a set of actions": with(`"effect":"allow","action":["permid/280655","name/*:*","*:*"],"resource":"*"`),
		"the STS page's": `{"version":"2.0","statement":[{"effect":"allow","action":["name/cos:PutObject"],` +
			`"resource":["qcs::cos:ap-beijing:uid/123456:prefix//123456/bucketA/*"]}]}`,
		"as long as may be": with(`"effect":"allow","resource":"*","action":"cos:` +
			strings.Repeat("*", most-len(with(`"effect":"allow","resource":"*","action":"cos:"`))) + `"`),
		"new order": `{"statement":[{"resource":"*","action":"*","effect":"allow"}],"version":"2.0"}`,
	} {
		if got := Check([]byte(src)); len(got) != 0 {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// Each finding is given as "line:column" and words of its message and hint; a warning's begins with "warning".
func TestEveryMistakeIsNamedAndPlaced(t *testing.T) {
	for _, test := range []struct {
		name, src string
		want      []string
	}{
		{"empty", " \n", []string{"1:1 empty"}},
		{"not UTF-8", "{\n\"version\": \"\xb0\"}", []string{"2:13 0xb0 UTF-8"}},
		{"UTF-16", "\xff\xfe{\x00", []string{"1:1 UTF-16"}},
		{"not UTF-8 from the start", "\xb0", []string{"1:1 0xb0 UTF-8"}},
		{"cut off", "{\n  \"version\": \"2.0\",\n", []string{"2:20 ends too early"}},
		{"cut off before empty lines", "{\n  \"version\": \"2.0\",\n\n\n", []string{"2:20 ends too early"}},
		{"comma missing", "{\n  \"version\": \"2.0\"\n  \"statement\": []\n}", []string{"3:3 not JSON comma missing"}},
		{"something else in Chinese", "{\n  版\n}", []string{"2:3 invalid character '版' double quotes"}},
		{"nested without end", strings.Repeat("[", 20000), []string{"1:10001 not JSON: exceeded max depth"}},
		{"colon missing", `{"version" "2.0"}`, []string{`1:12 invalid character '"' a colon goes between`}},
		{"division", "{\n/ }", []string{"2:1 not JSON"}},
		{"names at length", with(`"effect":"allow","action":"` + strings.Repeat("长", 100) + `","resource":"*"`),
			[]string{`warning 1:58 "` + strings.Repeat("长", 60) + `…" names no service`}},
		{"two objects", Full + "\n" + Full, []string{"2:1 not JSON nothing follows"}},
		{"newline in a string", "{\"version\n\": 1}", []string{"1:10 string ends on the line"}},
		{"a list", `[]`, []string{"1:1 the policy is a list"}},
		{"nothing in it", `{}`, []string{`1:1 no "version"`, `1:1 no "statement"`}},

		{"version a number", `{"version":2.0,"statement":[]}`, []string{"1:12 number in quotes", "1:28 empty list"}},
		{"version of AWS", strings.Replace(Full, "2.0", "2012-10-17", 1), []string{`1:12 must be "2.0" write "2.0": AWS`}},
		{"statement an object", `{"version":"2.0","statement":{"effect":"Allow","action":"*","resource":"*"}}`,
			[]string{"1:30 is an object; it must be a list brackets", "1:40 lower case"}},
		{"statement a string", `{"version":"2.0","statement":"x"}`, []string{"1:30 is a string"}},
		{"statement of strings", `{"version":"2.0","statement":["x"]}`, []string{"1:31 the statement is a string"}},
		{"empty statement", with(``), []string{`1:31 no "effect"`, `1:31 no "action"`, `1:31 no "resource"`}},
		{"effect", with(`"effect":"permit","action":"*","resource":"*"`), []string{`1:41 "allow" or "deny"`}},
		{"action and resource", with(`"effect":"allow","action":[],"resource":["",1,{},true,null]`),
			[]string{"1:58 action is an empty list", "1:73 empty string", "1:76 number", "1:78 object", "1:81 bool",
				"1:86 null"}},
		{"condition", with(`"effect":"allow","action":"*","resource":"*","condition":[]`),
			[]string{"1:89 condition is a list"}},
		{"principal", with(`"principal":"*","effect":"allow","action":"*","resource":"*"`),
			[]string{"1:32 principal delete"}},
		{"capitals", `{"Version":"2.0","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`,
			[]string{`1:2 "Version" AWS`, `1:18 "Statement"`, `1:32 "Effect"`, `1:41 "Allow" lower case`, `1:49 "Action"`,
				`1:62 "Resource"`}},
		{"twice",
			"{\"version\":\"2.0\",\n" + strings.TrimPrefix(with(
				`"effect":"allow","action":"*","resource":"*","condition":{"a":{"b":1,"b":2}}`), "{"),
			[]string{`2:1 "version" there already line 1`, `2:100 "b" there already line 2`}},
		{"unknown keys", strings.Replace(with(`"sid":"a","effect":"allow","action":"*","resource":"*"`), "{", `{"id":1,`, 1),
			[]string{`warning 1:2 the policy has a key "id"`, `warning 1:39 the statement has a key "sid"`}},
		{"action without service", with(`"effect":"allow","action":["PutObject","s3:Get"," cos:a"],"resource":"*"`),
			[]string{"warning 1:59 names no service name/cos:", "warning 1:71 AWS", "warning 1:80 blanks around"}},
		{"action of nothing", with(`"effect":"allow","action":[":","cos:","name/:Get"," * ","permid/"],"resource":"*"`),
			[]string{"1:59 names no service", "1:63 names no operation", "1:70 names no service",
				"warning 1:82 blanks around", "warning 1:88 names no service"}},
		{"resource in blanks", with(`"effect":"allow","action":"*","resource":[" * "," qcs::cvm:::*","qcs::cvm:::* "," "]`),
			[]string{"1:74 blanks around", "1:80 blanks around", "warning 1:96 blanks around", "1:112 empty string"}},
		{"condition null", with(`"effect":"allow","action":"*","resource":"*","condition":null`),
			[]string{"1:89 condition is a null delete the key"}},
		{"almost a key", with(`"effect":"allow","actions":"*","resources":"*"`),
			[]string{`1:31 no "action"`, `1:31 no "resource"`, `warning 1:49 "actions" write "action"`,
				`warning 1:63 "resources" write "resource"`}},

		{"in the order of the text", "{\"version\":\"1\",\"statement\":[],\"version\":\"2.0\"\n,\"version\":\"2.0\"}",
			[]string{`1:12 must be "2.0"`, "1:28 empty list", `1:31 "version" there already`, `2:2 "version" there already`}},
		{"mistakes in wide quotes", "{\"version\":“2”,\"statement\":[]}",
			[]string{`1:12 typographic quote “ type " instead`}},
		{"wide quotes around a key", "{“version”:1}", []string{`1:2 typographic quote “ type " instead`}},
		{"one wide quote at the end", `{"version":"2.0”}`, []string{`1:16 typographic quote ” type " instead`}},
		{"one wide quote on a line", "{\"version\":\"2.0”,\n\"statement\":[]}",
			[]string{`1:16 typographic quote ” type " instead`}},
		{"one wide quote in the middle", `{"version”:"2.0"}`, []string{`1:10 typographic quote ” type " instead`}},
		{"one wide quote before a blank", `{"version” :"2.0"}`, []string{`1:10 typographic quote ” type " instead`}},
		{"one wide quote after an empty string", `{"a":"”}`, []string{`1:7 typographic quote ” type " instead`}},
		{"one wide quote after an escaped one", `{"a\"”:1}`, []string{`1:6 typographic quote ” type " instead`}},
		{"one wide quote after a word", `"full”`, []string{`1:6 typographic quote ” type " instead`}},
		{"a wide quote in another string", `{"a":"x”, y","b" "c"}`, []string{"1:18 not JSON a colon goes between"}},
		{"a wide quote as an escape", `{"a":"\“"}`, []string{"1:8 not JSON: invalid character '“' in string escape"}},
		{"a wide quote that ends nothing", `{"a":"it’s","b" "c"}`, []string{"1:17 not JSON a colon goes between"}},
		{"an escaped quote", `{"a\"":1,}`, []string{"1:9 comma with nothing"}},
		{"single quotes", `{'version':"2.0"}`, []string{`1:2 single quote type " instead`}},
		{"comma before the end of a list", "{\"a\":[1,\n]}",
			[]string{`1:8 comma with nothing after it but "]" delete the comma`}},
		{"open comment", Full + "/* ", []string{"1:79 /* comment"}},
		{"blanks of word processors", strings.Replace(Full, ":", ":\u00a0\u3000", 1),
			[]string{`1:12 blank that is not JSON's type " "`}},
		{"mistakes behind a comment", "{ // 的\n/* */\"version\":\"1\",\"statement\":[]}",
			[]string{"warning 1:3 // comment without", "2:1 /* comment delete it"}},
		{"mistakes between comments", "{// 的\n\"version\":\"1\",// 的\n\"statement\": []} // end",
			[]string{"warning 1:2 // comment without", `2:11 must be "2.0"`, "3:14 empty list"}},
		{"nothing but a comment", "// x", []string{"1:1 empty"}},
		{"a comment that takes the end", "{\"version\":\"2.0\" // the end }",
			[]string{"1:17 ends too early or stands behind //", "warning 1:18 // comment"}},
		{"cut off behind a comment", "{// a\n\"version\":", []string{"warning 1:2 // comment", "2:11 early missing"}},
		{"a string without end before a comment", "{\"a\":\"b\n// c\n}",
			[]string{"1:8 string ends on the line", "warning 2:1 // comment"}},
		{"too long", with(`"effect":"allow","resource":"*","action":"cos:` + strings.Repeat("*", 6144) + `"`),
			[]string{"warning 1:1 the policy has 6225 bytes fewer statements"}},
	} {
		t.Run(test.name, func(t *testing.T) { expect(t, Check([]byte(test.src)), test.want) })
	}
}

// Whoever does what is said about the first thing that is not JSON is told the next one.
func TestAPolicyIsMendedOneMistakeAfterTheOther(t *testing.T) {
	text := "\ufeff{\n  // what\n  “version”： \"2.0”,\n" +
		"  'statement': [{\"effect\":\"allow\",/* a\n b */\"action\":\"*\"，\"resource\":[\"*\",],},],\n} # end"
	for _, step := range []struct{ want, old, now string }{
		{"1:1 byte-order mark UTF-8", "\ufeff", ""},
		{"3:3 typographic quote “ type \"", "“", `"`},
		{"3:11 typographic quote ” type \"", "”", `"`},
		{"3:12 full-width ： type \":\"", "：", ":"},
		{"3:18 typographic quote ” type \"", "”", `"`},
		{"4:3 single quote type \"", "'", `"`},
		{"4:13 single quote type \"", "'", `"`},
		{"4:35 /* comment delete", "/* a\n b */", ""},
		{"4:47 full-width ， type \",\"", "，", ","},
		{"4:63 comma with nothing delete", `"*",]`, `"*"]`},
		{"4:64 comma with nothing delete", "],}", "]}"},
		{"4:65 comma with nothing delete", "},]", "}]"},
		{"4:66 comma with nothing delete", "],\n}", "]\n}"},
		{"5:3 # comment delete", "# end", ""},
	} {
		got := slices.DeleteFunc(Check([]byte(text)), func(f Finding) bool { return f.Warning })
		expect(t, got, []string{step.want})
		if !strings.Contains(text, step.old) {
			t.Fatalf("no %q in %q", step.old, text)
		}
		text = strings.Replace(text, step.old, step.now, 1)
	}
	expect(t, Check([]byte(text)), []string{"warning 2:3 // comment delete them"})
	text = strings.Replace(text, "// what", "", 1)
	expect(t, Check([]byte(text)), nil)
}

// A broken policy is looked at wherever it is used, so it must not cost more than a good one.
func TestABrokenPolicyHasAtMost100Findings(t *testing.T) {
	actions := `["s3:a"` + strings.Repeat(`,"s3:a"`, 1000) + `]`
	for name, test := range map[string]struct {
		src     string
		refused bool
	}{
		"errors":                  {`{"version":"2.0","statement":[0` + strings.Repeat(",0", 31_000) + `]}`, true},
		"keys that stand twice":   {`{"a":0` + strings.Repeat(`,"a":0`, 10_000) + `}`, true},
		"warnings":                {with(`"effect":"allow","resource":"*","action":` + actions), false},
		"an error after warnings": {with(`"resource":"*","action":` + actions + `,"effect":"all"`), true},
	} {
		t.Run(name, func(t *testing.T) {
			got := Check([]byte(test.src))
			refused := slices.ContainsFunc(got, func(f Finding) bool { return !f.Warning })
			if len(got) != 100 || refused != test.refused {
				t.Fatalf("%d findings, refused %v", len(got), refused)
			}
			if first := got[:99]; first[98].Column > 1000 {
				t.Errorf("finding 99, in column %d, is not the 99th of the text", first[98].Column)
			}
		})
	}
}

func expect(t *testing.T, got []Finding, want []string) {
	t.Helper()
	lines := make([]string, len(got))
	for i, f := range got {
		lines[i] = fmt.Sprintf("%d:%d %s %s", f.Line, f.Column, f.Message, f.Hint)
		if f.Warning {
			lines[i] = "warning " + lines[i]
		}
	}
	ok := len(lines) == len(want)
	for i := 0; ok && i < len(want); i++ {
		ok = matches(lines[i], want[i])
	}
	if !ok {
		t.Errorf("got\n  %s\nwant\n  %s", strings.Join(lines, "\n  "), strings.Join(want, "\n  "))
	}
}

// matches reports whether line has want's place, and want's words in their order.
func matches(line, want string) bool {
	warning := strings.HasPrefix(want, "warning ")
	if warning != strings.HasPrefix(line, "warning ") {
		return false
	}
	line, want = strings.TrimPrefix(line, "warning "), strings.TrimPrefix(want, "warning ")
	place, words, _ := strings.Cut(want, " ")
	line, ok := strings.CutPrefix(line, place+" ")
	for word := range strings.FieldsSeq(words) {
		_, rest, found := strings.Cut(line, word)
		ok, line = ok && found, rest
	}
	return ok
}

func TestCompactKeepsOrderAndCharacters(t *testing.T) {
	got, err := Compact([]byte("{\n  \"b\": \"<&>\",\n  \"a\": [ 1.0, \"中\" ]\n}\n"))
	if want := `{"b":"<&>","a":[1.0,"中"]}`; err != nil || got != want {
		t.Errorf("Compact = %s, %v, want %s", got, err, want)
	}
	if got, err := Compact([]byte("{")); err == nil || got != "" {
		t.Errorf("Compact makes %q of half an object", got)
	}
}
