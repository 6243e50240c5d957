package api_test

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tcred/tcred/api"
)

// ask stands in for a call of package client that failed.
func ask() error {
	return fmt.Errorf("uploading: %w", &api.Error{
		Code: api.STSThrottled, Message: "STS asks to be called less often", Hint: "lower sts_rate in config.toml",
	})
}

// What a program does about an error of package client: it goes by the code where it knows a better answer, else by
// Retryable.
func ExampleError() {
	err := ask()
	e, ok := errors.AsType[*api.Error](err)
	switch {
	case !ok:
		fmt.Println("not from tcred:", err)
	case e.Code == api.KeystoreLocked:
		fmt.Println("a person must run: tcred unlock")
	case e.Retryable():
		fmt.Println("again later:", e)
	default:
		fmt.Printf("%v (%s)\n", e, e.Hint)
	}
	// Output: again later: STS asks to be called less often
}

// A client of one's own reads a failure from the socket. An error keeps what the daemon said of it, even under a code
// that this version does not know.
func ExampleProblem_Err() {
	const body = `{"type":"about:blank","title":"sts_quota","status":503,"detail":"the account's quota is used up",
		"code":"sts_quota","retryable":true}`
	var problem api.Problem
	if err := json.Unmarshal([]byte(body), &problem); err != nil {
		fmt.Println(err)
		return
	}
	err := problem.Err()
	fmt.Println(err, err.Status(), err.Retryable())
	// Output: the account's quota is used up 503 true
}
