// Command outside is a program of another module: the official SDK with a credential of the daemon, which it starts
// from the tcred in its first argument. Its second is where STS is, host:port. It prints who it is.
package main

import (
	"fmt"
	"os"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"
	sts "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/sts/v20180813"

	"github.com/tcred/tcred/client"
)

func main() {
	tcred := client.Client{Binary: os.Args[1]}
	settings := profile.NewClientProfile()
	settings.HttpProfile.Scheme, settings.HttpProfile.Endpoint = "HTTP", os.Args[2]

	credential := tcred.Tencent("upload")
	c, err := sts.NewClient(credential, "ap-guangzhou", settings)
	if err != nil {
		fail(err)
	}
	who, err := c.GetCallerIdentity(sts.NewGetCallerIdentityRequest())
	if err != nil {
		fail(err, credential.Err())
	}
	fmt.Println(*who.Response.UserId)
}

func fail(why ...any) {
	fmt.Fprintln(os.Stderr, why...)
	os.Exit(1)
}
