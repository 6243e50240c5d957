package policy

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// What Check lets pass is JSON that means the same compacted; what it reports can be shown and found.
func FuzzCheck(f *testing.F) {
	for _, seed := range []string{
		Full, "", "{", "[1e999]", "\ufeff{}", "\xff\xfe", "{“a”：1，}", "{'a\\'b': /* */ 1, // c\n}", "# \"", "{\"a”: 1}",
		with(`"effect":"allow","action":["name/cos:GetObject"],` +
			`"resource":["qcs::cos:ap-guangzhou:uid/1250000000:bucket-1250000000/*"],"condition":{"a":{"b":1.0}}`),
		tencent, on("qcs::cos:guangzhou:uin/1:photos/${uin}/"), on("qcs::cos:<r>:uid/<APPID>:<b>/<c>"), "{//\xff\n}",
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b","Principal":"*"}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		passes := true
		lines := bytes.Split(src, []byte("\n"))
		for _, finding := range Check(src) {
			passes = passes && finding.Warning
			if finding.Line < 1 || finding.Line > len(lines) ||
				finding.Column < 1 || finding.Column > utf8.RuneCount(lines[finding.Line-1])+1 {
				t.Errorf("%+v is outside the text", finding)
			}
			if finding.Message == "" || finding.Hint == "" || strings.ContainsAny(finding.Message+finding.Hint, "\x00\r\n") {
				t.Errorf("%q, %q is no line", finding.Message, finding.Hint)
			}
		}
		if !passes {
			return
		}
		compact, err := Compact(src)
		clean := []byte(stripped(string(src)))
		if err != nil || !json.Valid(clean) {
			t.Fatalf("passes but is no JSON: %v", err)
		}
		var same bytes.Buffer
		if err := json.Compact(&same, clean); err != nil || same.String() != compact {
			t.Errorf("sent is\n%s, without comments it is\n%s", compact, &same)
		}
		for _, finding := range Check([]byte(compact)) {
			if !finding.Warning {
				t.Errorf("compacting adds %+v", finding)
			}
		}
		if !reflect.DeepEqual(value(t, clean), value(t, []byte(compact))) {
			t.Errorf("compacting changes\n%s\nto\n%s", src, compact)
		}
	})
}

func value(t *testing.T, src []byte) (v any) {
	dec := json.NewDecoder(bytes.NewReader(src))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}
