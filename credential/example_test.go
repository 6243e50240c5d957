package credential_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/tcred/tcred/credential"
)

var example = credential.Credential{
	SecretID: "AKIDexample", SecretKey: "key", Token: "token", RequestID: "59a5e07e",
	Issued: time.Date(2026, 11, 21, 12, 1, 0, 0, time.UTC), Expires: time.Date(2026, 11, 21, 14, 0, 0, 0, time.UTC),
}

// However it is printed, a credential shows its end alone.
func Example() {
	fmt.Println(example)
	fmt.Printf("%+v\n", example)
	fmt.Println(example.SecretID, example.SecretKey, example.SecretKey.Reveal())
	// Output:
	// [redacted] until 2026-11-21T14:00:00Z
	// [redacted] until 2026-11-21T14:00:00Z
	// AKIDexample [redacted] key
}

// What credential_process in ~/.aws/config has to print.
func ExampleCredential_Encode() {
	text, err := example.Encode(credential.Process)
	fmt.Print(string(text), err)
	// Output:
	// {"Version":1,"AccessKeyId":"AKIDexample","SecretAccessKey":"key","SessionToken":"token","Expiration":"2026-11-21T14:00:00Z"}
	// <nil>
}

// The environment of a child that is to use this credential: what names another one is gone.
func ExampleCredential_Environ() {
	env := example.Environ([]string{"PATH=/bin", "AWS_PROFILE=other", "TENCENTCLOUD_SECRET_ID=AKIDpermanent"})
	for _, kv := range env {
		switch name, _, _ := strings.Cut(kv, "="); name {
		case "PATH", "AWS_PROFILE", "TENCENTCLOUD_SECRET_ID":
			fmt.Println(kv)
		}
	}
	// Output:
	// PATH=/bin
	// TENCENTCLOUD_SECRET_ID=AKIDexample
}

// Format cos holds every field, so a credential can be read back from it.
func ExampleDecodeCOS() {
	text, err := example.Encode(credential.COS)
	if err != nil {
		fmt.Println(err)
		return
	}
	again, err := credential.DecodeCOS(text)
	fmt.Println(again.SecretID, again.Duration(), err)
	// Output: AKIDexample 1h59m0s <nil>
}
