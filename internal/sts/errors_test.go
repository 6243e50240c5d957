package sts

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	tcerr "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/errors"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/say"
)

// upload is a call with all that an error may tell about it.
var upload = call{
	Subject: Subject{Profile: "upload", Key: "work", Account: "sub-account 100000000002"},
	Action:  "GetFederationToken", Host: "sts.tencentcloudapi.com", Region: "ap-guangzhou",
	SecretID: testID, Duration: 12 * time.Hour,
}

func explained(code, message string, c call) *api.Error {
	return api.AsError(explain(tcerr.NewTencentCloudSDKError(code, message, testRequest), c))
}

func TestErrorsReadAsTheDesignPromises(t *testing.T) {
	bare, late, early := call{Action: "GetCallerIdentity", SecretID: testID}, upload, upload
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
			"tencent cloud does not know SecretId AKIDz8…fQv6 (AuthFailure.SecretIdNotFound, request 59a5e07e)",
			"deleted, disabled or mistyped? see the API keys page of the CAM console", api.STSCredential,
		},
		{
			"UnauthorizedOperation", upload,
			`key "work" (sub-account 100000000002) may not call sts:GetFederationToken (UnauthorizedOperation, request 59a5e07e)`,
			`ask an administrator to allow "sts:GetFederationToken"`, api.STSPermission,
		},
		{
			"UnauthorizedOperation", bare,
			"SecretId AKIDz8…fQv6 may not call sts:GetCallerIdentity (UnauthorizedOperation, request 59a5e07e)",
			`ask an administrator to allow "sts:GetCallerIdentity"`, api.STSPermission,
		},
		{
			"InvalidParameter.GrantOtherResource", upload,
			`the policy of profile "upload" names another account's resource (InvalidParameter.GrantOtherResource, request 59a5e07e)`,
			"after uid/ goes the APPID, the digits that end the bucket name, not the account's uin", api.PolicyInvalid,
		},
		{
			"AuthFailure.SignatureExpire", late,
			"this clock is 10m12s behind tencent cloud; 5m is the limit (AuthFailure.SignatureExpire, request 59a5e07e)",
			"set the clock, e.g. sudo timedatectl set-ntp true", api.STSClock,
		},
		{
			"AuthFailure.SignatureExpire", early,
			"this clock is 6m ahead of tencent cloud; 5m is the limit (AuthFailure.SignatureExpire, request 59a5e07e)",
			"set the clock, e.g. sudo timedatectl set-ntp true", api.STSClock,
		},
		{
			"AuthFailure.SignatureExpire", upload,
			"this clock and tencent cloud's are too far apart; 5m is the limit (AuthFailure.SignatureExpire, request 59a5e07e)",
			"set the clock, e.g. sudo timedatectl set-ntp true", api.STSClock,
		},
		{
			"InvalidParameter.OverTimeError", upload,
			`profile "upload" asks for 12h, longer than key "work" (sub-account 100000000002) may have (InvalidParameter.OverTimeError, request 59a5e07e)`,
			"at most 2h with a root account's key, 36h with a sub-account's: set duration", api.STSRequest,
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
	if err == nil || !strings.HasPrefix(err.Error(), "this clock is 10m12s behind tencent cloud; 5m is the limit (") {
		t.Error(err)
	}
}
