package credential

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

func testCredential() Credential {
	issued := time.Date(2026, 11, 21, 8, 0, 0, 0, time.FixedZone("CST", 8*3600))
	return Credential{
		SecretID: "AKIDtmp", SecretKey: `key'"\$<&>` + "`!", Token: "token+/=", Issued: issued,
		Expires: issued.Add(2*time.Hour - Margin + 300*time.Millisecond), RequestID: "59a5e07e",
	}
}

func TestNothingPrintsASecret(t *testing.T) {
	c := testCredential()
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "credential", c, "secret", c.SecretKey)
	text, err := json.Marshal(map[string]Secret{"key": c.SecretKey, "token": c.Token})
	if err != nil {
		t.Fatal(err)
	}
	out := log.String() + string(text)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		out += fmt.Sprintf(verb, c) + fmt.Sprintf(verb, &c) + fmt.Sprintf(verb, c.Token) + fmt.Sprintf(verb, []Secret{c.SecretKey})
	}
	for _, secret := range []string{"key'", "6b6579", "token", "746f6b"} {
		if strings.Contains(strings.ReplaceAll(strings.ReplaceAll(out, `"token":`, ""), `"key":`, ""), secret) {
			t.Errorf("%q was printed:\n%s", secret, out)
		}
	}
}

func TestEachFormatAsItsReadersExpectIt(t *testing.T) {
	c := testCredential()
	c.SecretKey = "k<&>"
	for format, want := range map[Format]string{
		Process: `{"Version":1,"AccessKeyId":"AKIDtmp","SecretAccessKey":"k<&>","SessionToken":"token+/=","Expiration":"2026-11-21T01:59:00Z"}`,
		Tencent: `{"Credentials":{"Token":"token+/=","TmpSecretId":"AKIDtmp","TmpSecretKey":"k<&>"},"ExpiredTime":1795226340,"Expiration":"2026-11-21T01:59:00Z"}`,
		COS: `{"credentials":{"tmpSecretId":"AKIDtmp","tmpSecretKey":"k<&>","sessionToken":"token+/="},` +
			`"startTime":1795219200,"expiredTime":1795226340,"expiration":"2026-11-21T01:59:00Z","requestId":"59a5e07e"}`,
		TCCLI: `{"secretId":"AKIDtmp","secretKey":"k<&>","token":"token+/="}`,
	} {
		got, err := c.Encode(format)
		if err != nil || string(got) != want+"\n" {
			t.Errorf("%s:\n got %s\nwant %s\n%v", format, got, want, err)
		}
	}
}

// The one shell that is everywhere reads back what was written; fish and PowerShell are held to their quoting rules.
func TestShellsReadTheVariablesBack(t *testing.T) {
	c := testCredential()
	text, err := c.Encode(Env)
	if err != nil {
		t.Fatal(err)
	}
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no sh here")
	}
	for _, v := range c.Variables() {
		out, err := exec.Command(sh, "-c", string(text)+`printf %s "$`+v.Name+`"`).Output()
		if err != nil || string(out) != v.Value.Reveal() {
			t.Errorf("%s is %q, %v", v.Name, out, err)
		}
	}
	for format, want := range map[Format]string{
		Fish:       `set -gx TENCENTCLOUD_SECRET_KEY 'key\'"\\$<&>` + "`!'\n",
		PowerShell: `$Env:TENCENTCLOUD_SECRET_KEY = 'key''"\$<&>` + "`!'\n",
	} {
		if text, err := c.Encode(format); err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s: %s, %v", format, text, err)
		}
	}
}

func TestAChildGetsThisCredentialAndNoOther(t *testing.T) {
	c := testCredential()
	env := c.Environ([]string{
		"PATH=/bin", "TENCENTCLOUD_SECRET_KEY=permanent", "TENCENTCLOUD_PROFILE=old", "AWS_PROFILE=old", "TENCENTCLOUD_ROLE_ARN=old",
		"AWS_WEB_IDENTITY_TOKEN_FILE=old", "TENCENTCLOUD_REGION=ap-beijing", "ODD",
	})
	for _, kv := range env {
		if strings.Contains(kv, "permanent") || strings.HasSuffix(kv, "=old") {
			t.Errorf("%s is still there", kv)
		}
	}
	for _, want := range []string{
		"PATH=/bin", "TENCENTCLOUD_REGION=ap-beijing", "ODD", "TENCENTCLOUD_SECRET_ID=AKIDtmp", "TENCENTCLOUD_TOKEN=token+/=",
		"TENCENTCLOUD_SECURITY_TOKEN=token+/=", "TENCENTCLOUD_SESSION_TOKEN=token+/=", "AWS_SESSION_TOKEN=token+/=", "TENCENT_TOKEN=token+/=",
	} {
		if !slices.Contains(env, want) {
			t.Errorf("no %s", want)
		}
	}
}

// elsewhere are variables that would lead some tool to another credential, role, profile or file than exec gives it.
var elsewhere = []string{
	"TENCENTCLOUD_PROFILE", "TENCENTCLOUD_SHARED_CREDENTIALS_DIR", "TENCENTCLOUD_ROLE_ARN", "TENCENTCLOUD_CAM_ROLE_NAME",
	"TENCENTCLOUD_CREDENTIALS_FILE", "TENCENTCLOUD_ROLE_SESSION_NAME",
	"TENCENTCLOUD_ASSUME_ROLE_ARN", "TENCENTCLOUD_ASSUME_ROLE_SESSION_NAME", "TENCENTCLOUD_ASSUME_ROLE_ARNN_FILE",
	"TENCENTCLOUD_ASSUME_ROLE_SESSION_DURATION", "TENCENTCLOUD_ASSUME_ROLE_EXTERNAL_ID",
	"TENCENTCLOUD_ASSUME_ROLE_SOURCE_IDENTITY", "TENCENTCLOUD_ASSUME_ROLE_SERIAL_NUMBER",
	"TENCENTCLOUD_ASSUME_ROLE_TOKEN_CODE", "TENCENTCLOUD_ASSUME_ROLE_PROVIDER_ID",
	"TENCENTCLOUD_ASSUME_ROLE_WEB_IDENTITY_TOKEN", "TENCENTCLOUD_ASSUME_ROLE_WEB_IDENTITY_TOKEN_FILE",
	"TENCENTCLOUD_ASSUME_ROLE_SAML_ASSERTION", "TENCENTCLOUD_ASSUME_ROLE_PRINCIPAL_ARN",
	"TENCENTCLOUD_MFA_CERTIFICATION_SERIAL_NUMBER", "TENCENTCLOUD_MFA_CERTIFICATION_TOKEN_CODE",
	"TENCENTCLOUD_MFA_CERTIFICATION_DURATION_SECONDS",
	"TKE_PROVIDER_ID", "TKE_WEB_IDENTITY_TOKEN_FILE", "TKE_ROLE_ARN", "TKE_ROLE_SESSION_NAME",
	"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_SECURITY_TOKEN",
	"AWS_SESSION_EXPIRATION", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME",
	"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
	"AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
}

func TestAChildIsLedNowhereElse(t *testing.T) {
	for _, name := range elsewhere {
		for _, kv := range testCredential().Environ([]string{name + "=old"}) {
			if strings.HasPrefix(kv, name+"=") {
				t.Errorf("%s is still there", name)
			}
		}
	}
}

// A shell that takes the assignments is led nowhere else either, and can be rid of them again.
func TestAShellIsLedNowhereElseAndGetsRidOfItAgain(t *testing.T) {
	for format, shells := range map[Format][]string{Env: {"sh", "dash", "bash", "zsh"}, Fish: {"fish"}} {
		text, err := testCredential().Encode(format)
		if err != nil {
			t.Fatal(err)
		}
		undo, err := Unset(format)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range shells {
			shell, err := exec.LookPath(name)
			if err != nil {
				t.Logf("no %s here", name)
				continue
			}
			cmd := exec.Command(shell, "-c", string(text)+"env; echo ---\n"+string(undo)+"env")
			cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + t.TempDir(), "AWS_CREDENTIAL_EXPIRATION=old", "TENCENTCLOUD_TOKEN=old"}
			for _, name := range elsewhere {
				cmd.Env = append(cmd.Env, name+"=old")
			}
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			with, without, _ := strings.Cut(string(out), "---\n")
			if strings.Contains(with, "=old") || !strings.Contains(with, "\nTCRED_EXPIRATION=2026-11-21T01:59:00Z\n") {
				t.Errorf("%s has\n%s", name, with)
			}
			for _, v := range testCredential().Variables() {
				if !strings.Contains(with, v.Name+"=") || strings.Contains(without, v.Name+"=") {
					t.Errorf("%s: %s is not set, or set for ever", name, v.Name)
				}
			}
		}
	}
	if text, err := Unset(PowerShell); err != nil || !strings.HasPrefix(string(text), "Remove-Item -ErrorAction Ignore Env:TENCENTCLOUD_SECRET_ID,Env:") {
		t.Errorf("%s, %v", text, err)
	}
	if _, err := Unset(COS); err == nil {
		t.Error("cos sets variables")
	}
}

func TestAFormatIsMeantByANearWordAndByOtherToolsWords(t *testing.T) {
	for word, want := range map[string]string{
		"proces": "process", "JSON": "process", "josn": "process", "fsh": "fish", "enb": "env", "tcli": "tccli", "bash": "env", "pwsh": "powershell", "power": "powershell",
	} {
		if _, err := ParseFormat(word); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("did you mean %q?; known are", want)) {
			t.Errorf("%s: %v", word, err)
		}
	}
}

func TestAnUnknownFormatIsNamedWithThoseThereAre(t *testing.T) {
	if _, err := ParseFormat("xml"); err == nil || !strings.Contains(err.Error(), `"xml"; known are process, tencent`) {
		t.Errorf("got %v", err)
	}
	if f, err := ParseFormat(""); f != Process || err != nil {
		t.Errorf("the default is %q, %v", f, err)
	}
}

// FuzzDecodeCOS: what is taken for a credential is whole, and reads the same once written.
func FuzzDecodeCOS(f *testing.F) {
	text, err := testCredential().Encode(COS)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"credentials":{"tmpSecretId":"a"}}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := DecodeCOS(text)
		if err != nil {
			if !c.IsZero() {
				t.Fatal("an error came with a credential")
			}
			return
		}
		if c.IsZero() {
			t.Fatal("an incomplete credential was taken")
		}
		again, err := c.Encode(COS)
		if err != nil {
			t.Fatal(err)
		}
		if d, err := DecodeCOS(again); err != nil || d != c {
			t.Fatalf("%v, or another credential", err)
		}
	})
}

// PowerShell ends a string between single quotes at any of five characters.
func TestNoQuoteOfPowerShellEndsAValue(t *testing.T) {
	const quotes = "'\u2018\u2019\u201a\u201b"
	c := Credential{SecretID: "a" + quotes + ";calc", SecretKey: quotes, Token: "x"}
	text, err := c.Encode(PowerShell)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		_, value, _ := strings.Cut(strings.TrimSuffix(line, "'\n"), " = '")
		rest := []rune(value)
		for i := 0; i < len(rest); i++ {
			if !strings.ContainsRune(quotes, rest[i]) {
				continue
			}
			if i++; i == len(rest) || rest[i] != rest[i-1] {
				t.Fatalf("the value ends early: %s", line)
			}
		}
	}
	if !strings.Contains(string(text), "= 'a''\u2018\u2018\u2019\u2019\u201a\u201a\u201b\u201b;calc'") {
		t.Errorf("%s", text)
	}
}
