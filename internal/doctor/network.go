package doctor

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/config"
	"github.com/tcred/tcred/internal/human"
	"github.com/tcred/tcred/internal/sts"
)

// How far this clock may be off. STS refuses signatures five minutes away (AuthFailure.SignatureExpire).
const (
	maxSkew      = 5 * time.Minute
	warnSkew     = time.Minute
	probeTimeout = 5 * time.Second
)

// network reaches for every STS host that a key is used with, and looks at its clock.
func (x *examination) network(ctx context.Context) {
	c, err := x.set.Config()
	if err != nil {
		return // config said why
	}
	for _, site := range x.sites(c) {
		client, err := x.set.Client(site)
		if err != nil {
			x.failed("network", err)
			continue
		}
		x.host(ctx, client)
	}
}

// sites are those that keys are used with: config's own, else those that the index names. There is at least one, which
// may be "".
func (x *examination) sites(c *config.Config) []string {
	entries, err := x.set.Keys()
	if err != nil || c.Site != "" || c.Endpoint != nil {
		return []string{c.Site}
	}
	var sites []string
	for _, e := range entries {
		if e.Site != "" {
			sites = append(sites, e.Site)
		}
	}
	if len(sites) == 0 {
		return []string{""}
	}
	slices.Sort(sites)
	return slices.Compact(sites)
}

// host asks the host that c calls.
func (x *examination) host(ctx context.Context, c *sts.Client) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	ahead, err := c.Probe(ctx)
	if err != nil {
		x.failed("network", sts.NameShellProxy(api.AsError(err)))
		return
	}
	x.ok("network", "%s answers", c.Host())
	x.clock(ahead)
}

// clock judges by how much Tencent Cloud's is ahead of ours.
func (x *examination) clock(ahead time.Duration) {
	const cure = "set the clock, e.g. sudo timedatectl set-ntp true"
	side := "behind"
	if ahead < 0 {
		side = "ahead of"
	}
	off := ahead.Abs().Truncate(time.Second)
	text := fmt.Sprintf("this clock is %s %s tencent cloud; %s is the limit", human.Span(off), side, human.Span(maxSkew))
	switch {
	case off > maxSkew:
		x.fail("clock", cure, "%s", text)
	case off > warnSkew:
		x.warn("clock", cure, "%s", text)
	default:
		x.ok("clock", "it agrees with tencent cloud's")
	}
}
