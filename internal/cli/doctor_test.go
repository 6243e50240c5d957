package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/tcred/tcred/credential"
)

func TestHoldsPermanentKeyKnowsEveryToolsFile(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want bool
	}{
		"tccli":                 {`{"secretId":"AKIDx","secretKey":"s3cret"}`, true},
		"tccli, temporary":      {`{"secretId":"AKIDx","secretKey":"s3cret","token":"t"}`, false},
		"tccli, indented":       {"{\n  \"secretKey\": \"s3cret\",\n  \"token\": \"\"\n}", true},
		"coscli":                {"cos:\n  base:\n    secretid: AKIDx\n    secretkey: s3cret\n    sessiontoken: \"\"\n", true},
		"coscli, temporary":     {"cos:\n  base:\n    secretkey: s3cret\n    sessiontoken: t\n", false},
		"coscli, empty":         {"cos:\n  base:\n    secretkey: \"\"\n    sessiontoken: \"\"\n", false},
		"coscli, left out":      {"cos:\n  base:\n    secretkey:\n    mode: CvmRole\n", false},
		"coscmd":                {"[common]\nsecret_id = AKIDx\nsecret_key = s3cret\n", true},
		"sdk":                   {"[default]\nsecret_id = AKIDx\nsecret_key = s3cret\n", true},
		"sdk, one of two":       {"[a]\nsecret_key=s\ntoken=t\n[b]\nsecret_key=s\n", true},
		"sdk, temporary, crlf":  {"[a]\r\nsecret_key=s\r\ntoken=t\r\n", false},
		"sdk, only in comments": {"# secret_key = s3cret\n; secret_key = s3cret\n", false},
		"nothing":               {"", false},
	} {
		if got := holdsPermanentKey(c.text); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestEnvironCredentialsKeepsFamiliesApart(t *testing.T) {
	env := map[string]string{
		"TENCENTCLOUD_SECRET_ID": "tmp", "TENCENTCLOUD_SECRET_KEY": "s", "TENCENTCLOUD_SECURITY_TOKEN": "token",
		"TENCENT_SECRET_ID": "half",
		"AWS_ACCESS_KEY_ID": "aws", "AWS_SECRET_ACCESS_KEY": "s",
	}
	held := environCredentials(func(name string) string { return env[name] })
	if len(held) != 2 {
		t.Fatalf("%d credentials", len(held))
	}
	if held[0].SecretID != "tmp" || held[0].Token != credential.Secret("token") {
		t.Errorf("first is %s with %v", held[0].SecretID, held[0].names)
	}
	if held[1].SecretID != "aws" || held[1].Token != "" || strings.Join(held[1].names, " ") != "AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY" {
		t.Errorf("second is %s with %v", held[1].SecretID, held[1].names)
	}
}

func TestClockIsJudgedByWhatSTSAccepts(t *testing.T) {
	for ahead, want := range map[time.Duration]string{
		0:                               "ok it agrees with tencent cloud's",
		-time.Minute:                    "ok it agrees with tencent cloud's",
		2 * time.Minute:                 "warn this clock is 2m behind tencent cloud; 5m is the limit",
		-5 * time.Minute:                "warn this clock is 5m ahead of tencent cloud; 5m is the limit",
		10*time.Minute + 12*time.Second: "fail this clock is 10m12s behind tencent cloud; 5m is the limit",
	} {
		d := &doctor{}
		d.clock(ahead)
		f := d.findings[0]
		if got := f.Level + " " + f.Detail; got != want || (f.Level == levelOK) != (f.Cure == "") {
			t.Errorf("%v: %q, cure %q", ahead, got, f.Cure)
		}
	}
}
