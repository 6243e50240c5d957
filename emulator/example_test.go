package emulator_test

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	sdkerrors "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/errors"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"
	sts "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/sts/v20180813"

	"github.com/tcred/tcred/emulator"
)

// sdk is the official SDK with a key of account, pointed at the emulator.
func sdk(server *httptest.Server, account emulator.Account) *sts.Client {
	settings := profile.NewClientProfile()
	settings.HttpProfile.Scheme, settings.HttpProfile.Endpoint = "HTTP", strings.TrimPrefix(server.URL, "http://")
	key := common.NewCredential(account.SecretID, account.SecretKey.Reveal())
	c, err := sts.NewClient(key, "ap-guangzhou", settings)
	if err != nil {
		panic(err)
	}
	return c
}

// request asks for a token that is good for half an hour.
func request() *sts.GetFederationTokenRequest {
	const policy = `{"version":"2.0","statement":[{"effect":"allow","action":"name/cos:PutObject","resource":"*"}]}`
	r := sts.NewGetFederationTokenRequest()
	r.Name, r.DurationSeconds = common.StringPtr("upload"), common.Uint64Ptr(1800)
	r.Policy = common.StringPtr(url.QueryEscape(policy))
	return r
}

// The official SDK for Go gets a temporary credential.
func Example() {
	account := emulator.NewAccount(false) // a sub-account with a key of its own
	cloud := emulator.New(emulator.Options{Accounts: []emulator.Account{account}})
	server := httptest.NewServer(cloud)
	defer server.Close()

	got, err := sdk(server, account).GetFederationToken(request())
	if err != nil {
		fmt.Println(err)
		return
	}
	left := time.Until(time.Unix(int64(*got.Response.ExpiredTime), 0))
	fmt.Println("a token of", len(*got.Response.Credentials.Token), "bytes for", left.Round(time.Minute))
	fmt.Println("calls:", cloud.Calls(emulator.GetFederationToken))
	// Output:
	// a token of 512 bytes for 30m0s
	// calls: 1
}

// A test of what a program does when STS fails.
func ExampleEmulator_Fail() {
	account := emulator.NewAccount(false)
	cloud := emulator.New(emulator.Options{Accounts: []emulator.Account{account}})
	server := httptest.NewServer(cloud)
	defer server.Close()

	cloud.Fail(emulator.Fault{Action: emulator.GetFederationToken, Times: 1, Code: "InternalError"})
	for range 2 {
		_, err := sdk(server, account).GetFederationToken(request())
		if refused, ok := errors.AsType[*sdkerrors.TencentCloudSDKError](err); ok {
			fmt.Println(refused.Code)
		} else {
			fmt.Println(err)
		}
	}
	// Output:
	// InternalError
	// <nil>
}
