package plaintext

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tcred/tcred/api"
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

func TestOnlyTheFilesThatHoldAPermanentKeyAreFound(t *testing.T) {
	home := t.TempDir()
	for name, text := range map[string]string{
		".tccli/default.credential":      `{"secretId":"AKIDx","secretKey":"s3cret"}`,
		".tccli/temporary.credential":    `{"secretId":"AKIDx","secretKey":"s3cret","token":"t"}`,
		".tccli/default.configure":       `{"secretKey":"s3cret"}`,
		".tencentcloud/credentials":      "[default]\nsecret_id = AKIDx\nsecret_key = s3cret\n",
		".cos.yaml/not a file, but here": "secretkey: s3cret",
	} {
		path := filepath.Join(home, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{filepath.Join(home, ".tccli", "default.credential"), filepath.Join(home, ".tencentcloud", "credentials")}
	if got := InFiles(home); !slices.Equal(got, want) {
		t.Errorf("found %q", got)
	}
}

func TestInEnvironmentKeepsFamiliesApart(t *testing.T) {
	env := map[string]string{
		"TENCENTCLOUD_SECRET_ID": "tmp", "TENCENTCLOUD_SECRET_KEY": "s", "TENCENTCLOUD_SECURITY_TOKEN": "token",
		"TENCENT_SECRET_ID": "half",
		"AWS_ACCESS_KEY_ID": "aws", "AWS_SECRET_ACCESS_KEY": "s",
	}
	found := InEnvironment(func(name string) string { return env[name] })
	if len(found) != 2 {
		t.Fatalf("%d keys", len(found))
	}
	if found[0].SecretID != "tmp" || found[0].Token != credential.Secret("token") || found[0].Temporary() != "TENCENTCLOUD_SECURITY_TOKEN is set" {
		t.Errorf("first is %s with %v", found[0].SecretID, found[0].Variables)
	}
	if found[1].SecretID != "aws" || found[1].Token != "" || strings.Join(found[1].Variables, " ") != "AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY" {
		t.Errorf("second is %s with %v", found[1].SecretID, found[1].Variables)
	}
}

func TestAKeyOfAWSsOwnIsToldFromTencentClouds(t *testing.T) {
	for id, want := range map[string]bool{"AKIAIOSFODNN7EXAMPLE": false, "AKIDz8krbsJ5yKBZ": true, "IKIDz8krbsJ5yKBZ": true} {
		if got := (Found{SecretID: id, Variables: []string{"AWS_ACCESS_KEY_ID"}}).OfTencentCloud(); got != want {
			t.Errorf("%s in AWS's variables: %v", id, got)
		}
	}
	if !(Found{SecretID: "another STS's", Variables: []string{"TENCENTCLOUD_SECRET_ID"}}).OfTencentCloud() {
		t.Error("what lies in Tencent Cloud's variables is not taken for Tencent Cloud's")
	}
}

func TestAPlaceThatWasNamedAndHoldsNoKeyIsAFaultOfTheCommandLine(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	t.Setenv("USERPROFILE", os.Getenv("HOME")) // is home on Windows
	_, absent := FromTCCLI("nosuch")
	_, outside := FromTCCLI("../default")
	_, unset := FromEnvironment(func(string) string { return "" })
	for want, err := range map[string]error{
		"nosuch.credential": absent, `"../default" cannot be`: outside, "TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY are not both set": unset,
	} {
		if api.CodeOf(err) != api.BadRequest || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}
