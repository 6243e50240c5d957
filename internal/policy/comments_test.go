package policy

import (
	"regexp"
	"strings"
	"testing"
)

// tencent is a policy in the form in which COS's pages print theirs.
const tencent = `{
	"version": "2.0",
	"statement": [{
			"action": [
				//简单上传操作
				"name/cos:PutObject",
				// "name/cos:PostObject",
				"name/cos:UploadPart" //分块上传
			],
			"effect": "allow",
			"resource": [
				"qcs::cos:ap-beijing:uid/1250000000:b-1250000000/doc//*" // "//" in it stays
			]
		}
	]
}
// end`

func TestAPolicyWithCommentsIsSentWithoutThem(t *testing.T) {
	expect(t, Check([]byte(tencent)), []string{"warning 5:5 a // comment STS gets the policy without its comments delete"})
	got, err := Compact([]byte(tencent))
	want := `{"version":"2.0","statement":[{"action":["name/cos:PutObject","name/cos:UploadPart"],"effect":"allow",` +
		`"resource":["qcs::cos:ap-beijing:uid/1250000000:b-1250000000/doc//*"]}]}`
	if err != nil || got != want {
		t.Errorf("sent is\n%s, %v, want\n%s", got, err, want)
	}
}

func TestAPlaceBehindCommentsIsThatOfTheText(t *testing.T) {
	for name, test := range map[string]struct {
		old, now string
		want     []string
	}{
		"in a value":      {`"allow"`, `"permit"`, []string{"warning 5:5 a //", "10:14 effect must be"}},
		"on the line":     {"//简单上传操作", "/* 的 */ //简单上传操作", []string{"5:5 /* comment", "warning 5:13 a //"}},
		"on the next one": {"//简单上传操作\n", "//简单上传操作\n,", []string{"warning 5:5 a //", "6:1 character ','"}},
		"windows lines":   {"\n", "\r\n", []string{"warning 5:5 a //"}},
	} {
		t.Run(name, func(t *testing.T) {
			expect(t, Check([]byte(strings.ReplaceAll(tencent, test.old, test.now))), test.want)
		})
	}
}

func TestACommentIsBlamedForAMissingEndOnlyBehindIt(t *testing.T) {
	for src, blamed := range map[string]bool{"{// a\n\"b\": 1": false, "{// a\n\"b\": 1 // }": true, "{": false} {
		found := Check([]byte(src))
		if hint := found[len(found)-1].Hint + found[0].Hint; strings.Contains(hint, "behind //") != blamed {
			t.Errorf("%q: %+v", src, found)
		}
	}
}

func TestWhatIsNoCommentStays(t *testing.T) {
	for src, want := range map[string]string{
		`["//"]`:                   `["//"]`,
		`["\"//"]`:                 `["\"//"]`,
		`["\\"//` + "\n]":          `["\\"]`,
		`["a//b", "c" //d` + "\n]": `["a//b","c"]`,
		"[1]//\r":                  `[1]`,
		"[1//2\r,3//\"\n]":         `[1,3]`,
		`["http://a"]//"`:          `["http://a"]`,
	} {
		if got, err := Compact([]byte(src)); err != nil || got != want {
			t.Errorf("%q is sent as %q, %v", src, got, err)
		}
	}
	for _, src := range []string{"[1/2]", "[/ /]", "[/* */]", "[#\n]", "//[]", "[\"a//\n\"]"} {
		if got, err := Compact([]byte(src)); err == nil {
			t.Errorf("%q is sent as %q", src, got)
		}
	}
}

// commentPattern reads a text in another way than withoutComments: strings and comments, whichever begins first.
var commentPattern = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|//[^\r\n]*`)

func stripped(text string) string {
	return commentPattern.ReplaceAllStringFunc(text, func(part string) string {
		if part[0] == '"' {
			return part
		}
		return ""
	})
}

// Comments between the tokens of a policy change nothing of what is sent, and nothing that is found but their note.
func FuzzComments(f *testing.F) {
	f.Add(Full, "all")
	f.Add(on("qcs::cos::uid/1:b//*"), `"// \`)
	f.Add(`{"a\"//":[1,{},null,"//"]}`, "的\xff")
	f.Fuzz(func(t *testing.T, src, words string) {
		want, err := Compact([]byte(src))
		if err != nil || strings.ContainsAny(words, "\r\n") {
			return
		}
		commented := tokenPattern.ReplaceAllStringFunc(want, func(token string) string {
			return "//" + words + "\n" + token + " //" + words + "\r"
		})
		if got, err := Compact([]byte(commented)); err != nil || got != want {
			t.Errorf("%q is sent as %q, %v; without comments as %q", commented, got, err, want)
		}
		errors := func(text string) (count int) {
			for _, finding := range Check([]byte(text)) {
				if !finding.Warning {
					count++
				}
			}
			return count
		}
		if without, with := errors(want), errors(commented); without != with {
			t.Errorf("%q has %d errors, without comments %d", commented, with, without)
		}
	})
}

// tokenPattern finds the tokens of compact JSON.
var tokenPattern = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^"{}\[\]:,]+`)
