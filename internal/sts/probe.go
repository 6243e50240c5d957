package sts

import (
	"context"
	"net/http"
	"time"
)

// Probe reaches for STS's host without a key and without a call: any answer will do. It returns how far Tencent
// Cloud's clock is ahead of this one, by the answer's Date, to about a second. Errors are *api.Error: api.Unreachable,
// or api.STSAnswer if the answer has no Date.
func (c *Client) Probe(ctx context.Context) (ahead time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, c.endpoint.String(), nil)
	if err != nil {
		return 0, invalid("endpoint "+c.Host()+" cannot be asked", "check endpoint in config.toml")
	}
	x := c.exchange()
	resp, err := x.send(req)
	if err != nil {
		return 0, unreachable(err, c.call("", "", Subject{}))
	}
	resp.Body.Close() // the answer to a HEAD has none
	if !x.dated {
		return 0, x.fault("no Date (%s)", x.statusText())
	}
	return x.skew, nil
}
