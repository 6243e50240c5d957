package sts

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	tcerr "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/errors"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/say"
)

// upload is a call with all that an error may tell about it.
var upload = call{
	Subject: Subject{Profile: "upload", Key: "work", Owner: "sub-account 100000000002", Account: "100000000001"},
	Action:  "GetFederationToken", Host: "sts.tencentcloudapi.com", Region: "ap-guangzhou",
	SecretID: testID, Duration: 12 * time.Hour, Policy: [2]int{7000, 9000},
}

func explained(code, message string, c call) *api.Error {
	return api.AsError(explain(tcerr.NewTencentCloudSDKError(code, message, testRequest), c))
}

func TestErrorsReadAsTheDesignPromises(t *testing.T) {
	bare, late, early := call{Action: "GetCallerIdentity", SecretID: testID}, upload, upload
	withToken := bare
	withToken.Token = true
	late.Skew, early.Skew = 10*time.Minute+12*time.Second, -6*time.Minute
	for _, tt := range []struct {
		code    string
		call    call
		message string
		hint    string
		want    api.Code
	}{
		{
			"AuthFailure.SecretIdNotFound", bare,
			"tencent cloud does not know SecretId AKIDz8…fQv6: STS's own words (AuthFailure.SecretIdNotFound, request 59a5e07e)",
			"deleted, disabled or mistyped? see the API keys page of the CAM console", api.STSCredential,
		},
		{
			"UnauthorizedOperation", upload,
			`key "work" (sub-account 100000000002) may not call sts:GetFederationToken: STS's own words (UnauthorizedOperation, request 59a5e07e)`,
			"ask an administrator to grant, in CAM, the preset policy QcloudSTSFullAccess, or a custom one that allows sts:GetFederationToken", api.STSPermission,
		},
		{
			"UnauthorizedOperation", bare,
			"SecretId AKIDz8…fQv6 may not call sts:GetCallerIdentity: STS's own words (UnauthorizedOperation, request 59a5e07e)",
			"ask an administrator to grant, in CAM, the preset policy QcloudSTSFullAccess, or a custom one that allows sts:GetCallerIdentity", api.STSPermission,
		},
		{
			"InvalidParameter.GrantOtherResource", upload,
			`the policy of profile "upload" names another account's resource: key "work" belongs to account 100000000001, ` +
				`and a credential grants that account's resources only: STS's own words (InvalidParameter.GrantOtherResource, request 59a5e07e)`,
			"another account's resources need a role there; or is the APPID wrong? after uid/ goes the APPID, the digits that end the bucket name, not the account's uin", api.PolicyInvalid,
		},
		{
			"AuthFailure.SignatureExpire", late,
			"this clock is 10m12s behind tencent cloud; 5m is the limit: STS's own words (AuthFailure.SignatureExpire, request 59a5e07e)",
			"set the clock, e.g. sudo timedatectl set-ntp true", api.STSClock,
		},
		{
			"AuthFailure.SignatureExpire", early,
			"this clock is 6m ahead of tencent cloud; 5m is the limit: STS's own words (AuthFailure.SignatureExpire, request 59a5e07e)",
			"set the clock, e.g. sudo timedatectl set-ntp true", api.STSClock,
		},
		{
			"AuthFailure.SignatureExpire", upload,
			"this clock and tencent cloud's are too far apart; 5m is the limit: STS's own words (AuthFailure.SignatureExpire, request 59a5e07e)",
			"set the clock, e.g. sudo timedatectl set-ntp true", api.STSClock,
		},
		{
			"InvalidParameter.OverTimeError", upload,
			`tencent cloud refuses a life of 12h for profile "upload" with key "work" (sub-account 100000000002): STS's own words (InvalidParameter.OverTimeError, request 59a5e07e)`,
			"set a shorter duration: at most 2h with a root account's key, 36h with a sub-account's", api.STSRequest,
		},
		{
			"InvalidParameter.PolicyTooLong", upload,
			`the policy of profile "upload", 7000 bytes, 9000 as sent, is too long: STS's own words (InvalidParameter.PolicyTooLong, request 59a5e07e)`,
			"fewer statements, or wildcards in place of long lists", api.PolicyInvalid,
		},
		{
			"AuthFailure.TokenFailure", upload,
			"tencent cloud does not take the token of SecretId AKIDz8…fQv6: STS's own words (AuthFailure.TokenFailure, request 59a5e07e)",
			"GetFederationToken takes permanent keys only: make one on the API keys page of the CAM console, then tcred add", api.STSCredential,
		},
		{
			"AuthFailure.TokenFailure", withToken,
			"tencent cloud does not take the token of SecretId AKIDz8…fQv6: STS's own words (AuthFailure.TokenFailure, request 59a5e07e)",
			"expired, or another credential's? get a new one", api.STSCredential,
		},
		{
			"FailedOperation.Foo", upload,
			"tencent cloud refuses sts:GetFederationToken: STS's own words (FailedOperation.Foo, request 59a5e07e)",
			"tencent cloud's support can look up request " + testRequest, api.STSRequest,
		},
	} {
		e := explained(tt.code, "STS's own words.", tt.call)
		if e.Message != tt.message || e.Hint != tt.hint || e.Code != tt.want || e.RequestID != testRequest {
			t.Errorf("%s:\n got %s: %s\n     %s\nwant %s: %s\n     %s", tt.code, e.Code, e.Message, e.Hint, tt.want, tt.message, tt.hint)
		}
	}
}

// seedCodes are the codes that the two pages list.
func seedCodes(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("testdata/seed-codes.txt")
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			codes = append(codes, line)
		}
	}
	if len(codes) != 18+3 {
		t.Fatalf("%d codes in the fixture", len(codes))
	}
	return codes
}

func TestEveryCodeOfThePagesHasARow(t *testing.T) {
	for _, code := range seedCodes(t) {
		if _, ok := table[code]; !ok {
			t.Errorf("no row for %s", code)
		}
	}
}

// sdkCodes are the codes that the official SDK lists for STS.
func sdkCodes(t *testing.T) (codes []string) {
	t.Helper()
	dir, err := exec.Command("go", "list", "-f", "{{.Dir}}", "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/sts/v20180813").Output()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "errors.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^\s+[A-Z_]+ = "([A-Za-z.]+)"$`).FindAllSubmatch(text, -1) {
		codes = append(codes, string(m[1]))
	}
	if len(codes) < 28 {
		t.Fatalf("%d codes in the SDK", len(codes))
	}
	return codes
}

func TestEveryCodeOfTheSDKHasARow(t *testing.T) {
	for _, code := range sdkCodes(t) {
		if _, ok := table[code]; !ok {
			t.Errorf("no row for %s", code)
		}
	}
}

// STS's message names the action and the resource: it must never be dropped.
func TestEveryRowPassesSTSsOwnWordsOn(t *testing.T) {
	const words = `(cos:GetService) resource (qcs::cos:::*) has no permission`
	for code := range table {
		e := explained(code, words, upload)
		if own := strings.HasPrefix(code, "ClientError"); strings.Contains(e.Message, words) == own {
			t.Errorf("%s reads %q", code, e.Message)
		}
		if e := explained(code, " . ", upload); strings.Contains(e.Message, ": (") || strings.Contains(e.Message, ":  ") {
			t.Errorf("%s without a message reads %q", code, e.Message)
		}
	}
}

func TestEveryRowSaysItsKindMeaningAndCureInOneLine(t *testing.T) {
	for code, f := range table {
		if f.kind == "" || f.meaning == "" || f.cure == "" {
			t.Errorf("%s: %+v lacks a part", code, f)
		}
		for _, c := range []call{upload, {}} {
			e := explained(code, "reason", c)
			if strings.ContainsAny(e.Message+e.Hint, "{}\n") || strings.HasSuffix(e.Message, ".") || strings.HasSuffix(e.Hint, ".") ||
				!strings.HasSuffix(e.Message, " ("+code+", request 59a5e07e)") {
				t.Errorf("%s reads %q, %q", code, e.Message, e.Hint)
			}
		}
	}
}

func TestAnUnknownCodePassesThroughWithTheKindOfItsFamily(t *testing.T) {
	for code, want := range map[string]api.Code{
		"InternalError.Foo": api.STSTransient, "AuthFailure.Foo": api.STSCredential, "UnauthorizedOperation.Foo.Bar": api.STSPermission,
		"RequestLimitExceeded.Foo": api.STSThrottled, "RequestLimitExceeded.IPLimitExceeded.Foo": api.STSThrottled,
		"InvalidParameter.Foo": api.STSRequest, "Foo.Bar": api.STSRequest, "Foo": api.STSRequest, "": api.STSRequest,
	} {
		e := explained(code, "the frobnicator is\n\x1b[2Jout. ", upload)
		message := "tencent cloud refuses sts:GetFederationToken: the frobnicator is [2Jout (" + code + ", request 59a5e07e)"
		if e.Code != want || e.Message != message || e.Hint == "" {
			t.Errorf("%q: got %s %q, hint %q, want %s %q", code, e.Code, e.Message, e.Hint, want, message)
		}
	}
}

func TestSTSsMessageIsShownMaskedAndShort(t *testing.T) {
	e := explained("Foo", "no "+testID+" "+strings.Repeat("é", 1000), upload)
	if strings.Contains(e.Message, testID) || !strings.Contains(e.Message, "no AKIDz8…fQv6 éé") || len([]rune(e.Message)) > 450 {
		t.Error(e.Message)
	}
}

func TestTheSDKsOwnMessagesAreNotShown(t *testing.T) {
	for _, code := range []string{"ClientError.ParseJsonError", "ClientError.HttpStatusCodeError", "ClientError.IOError", "ClientError.Foo"} {
		if e := explained(code, "with body: canary", upload); strings.Contains(fmt.Sprintf("%s %+v", say.Text(e), e), "canary") {
			t.Errorf("%s: %s", code, say.Text(e))
		}
	}
}

func TestANetworkErrorSaysWhereAndWhatToDo(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", errors.New("connection refused"))}
	proxied, local := upload, upload
	proxied.Proxy, local.Host, local.Plain = "proxy.corp:8080", "127.0.0.1:8085", true
	for _, tt := range []struct {
		cause   error
		call    call
		message string
		hint    string
	}{
		{
			context.DeadlineExceeded, upload,
			"cannot reach sts.tencentcloudapi.com:443 (i/o timeout); the daemon uses no proxy",
			"behind a proxy? set proxy in config.toml: the daemon does not see the shell's HTTPS_PROXY",
		},
		{
			&net.DNSError{Err: "no such host", Name: "sts.tencentcloudapi.com"}, upload,
			"cannot reach sts.tencentcloudapi.com:443 (no such host); the daemon uses no proxy",
			"behind a proxy? set proxy in config.toml: the daemon does not see the shell's HTTPS_PROXY",
		},
		{refused, proxied, "cannot reach sts.tencentcloudapi.com:443 through proxy proxy.corp:8080 (connection refused)", "check proxy in config.toml"},
		{refused, local, "cannot reach 127.0.0.1:8085 (connection refused)", "does the emulator run there? tcred emulator"},
	} {
		err := explain(tcerr.NewTencentCloudSDKErrorWithCause("ClientError.NetworkError", "Fail to get response", "", tt.cause), tt.call)
		e := api.AsError(err)
		if e.Code != api.Unreachable || e.Message != tt.message || e.Hint != tt.hint || !errors.Is(err, tt.cause) {
			t.Errorf("%v:\n%s: %s\n%s", tt.cause, e.Code, e.Message, e.Hint)
		}
	}
}

func TestTheClockErrorMeasuresByTheAnswersDate(t *testing.T) {
	c := start(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", now.Add(10*time.Minute+12*time.Second).Format(http.TimeFormat))
		failing("AuthFailure.SignatureExpire", "expired")(w, r)
	})
	c.now = func() time.Time { return now.Add(700 * time.Millisecond) }
	_, err := federate(t, c, FederationRequest{})
	if err == nil || !strings.HasPrefix(err.Error(), "this clock is 10m12s behind tencent cloud; 5m is the limit: expired (") {
		t.Error(err)
	}
}
