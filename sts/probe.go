package sts

import (
	"context"
	"net/http"
	"time"

	"github.com/tcred/tcred/api"
)

// Probe reaches for STS's host without a key and without a call: any answer will do. It returns how far Tencent
// Cloud's clock is ahead of this one, by the answer's Date, to about a second. Errors are *api.Error: api.Unreachable,
// or api.STSAnswer if the answer has no Date.
func (c *Client) Probe(ctx context.Context) (ahead time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, c.endpoint.String(), nil)
	if err != nil {
		return 0, invalid("endpoint "+c.Host()+" cannot be asked", "check endpoint in config.toml")
	}
	resp, err := c.transport.RoundTrip(req) // no redirect is followed
	if err != nil {
		return 0, unreachable(err, c.call("", "", Subject{}))
	}
	resp.Body.Close() //nolint:errcheck // the answer to a HEAD has none
	date, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return 0, &api.Error{
			Code: api.STSAnswer, Message: c.Host() + " answered without a Date (" + resp.Status + "), not as STS does",
			Hint: "does something else answer in its place? check endpoint and proxy in config.toml, and this network's sign-in page",
		}
	}
	return date.Sub(c.now().Truncate(time.Second)), nil
}
