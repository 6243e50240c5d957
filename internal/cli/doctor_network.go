package cli

import (
	"context"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/human"
	"github.com/tcred/tcred/internal/sts"
)

// How far this clock may be off. STS refuses signatures five minutes away (AuthFailure.SignatureExpire).
const (
	maxSkew      = 5 * time.Minute
	notedSkew    = time.Minute
	probeTimeout = 5 * time.Second
)

// network reaches for every STS host that a key is used with, and looks at its clock.
func (d *doctor) network(ctx context.Context) {
	c, err := d.set.Config()
	if err != nil {
		return // config said why
	}
	sites := []string{c.Site}
	if entries, err := d.set.Keys(); err == nil && c.Site == "" && c.Endpoint == nil {
		for _, e := range entries {
			sites = append(sites, e.Site)
		}
		slices.Sort(sites)
		sites = slices.Compact(sites)
		if len(sites) > 1 && sites[0] == "" { // what no key says is not asked about
			sites = sites[1:]
		}
	}
	for _, site := range sites {
		client, err := d.set.Client(site)
		if err != nil {
			d.failed("network", err)
			continue
		}
		d.host(ctx, client)
	}
}

func (d *doctor) host(ctx context.Context, c *sts.Client) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	ahead, err := c.Probe(ctx)
	if err != nil {
		d.failed("network", namingProxy(api.AsError(err)))
		return
	}
	d.ok("network", "%s answers", c.Host())
	d.clock(ahead)
}

// clock judges by how much Tencent Cloud's is ahead of ours.
func (d *doctor) clock(ahead time.Duration) {
	const cure = "set the clock, e.g. sudo timedatectl set-ntp true"
	side := "behind"
	if ahead < 0 {
		side = "ahead of"
	}
	off := ahead.Abs().Truncate(time.Second)
	switch {
	case off > maxSkew:
		d.fail("clock", cure, "this clock is %s %s tencent cloud; %s is the limit", human.Span(off), side, human.Span(maxSkew))
	case off > notedSkew:
		d.warn("clock", cure, "this clock is %s %s tencent cloud; %s is the limit", human.Span(off), side, human.Span(maxSkew))
	default:
		d.ok("clock", "it agrees with tencent cloud's")
	}
}

// namingProxy makes sure of a hint that can only guess where it comes from: this shell's variables are here to see.
func namingProxy(e *api.Error) *api.Error {
	name := shellProxy()
	if name == "" || e.Code != api.Unreachable || !strings.Contains(e.Hint, "HTTPS_PROXY") {
		return e
	}
	named := *e
	named.Hint = "your shell has " + name + " set, the daemon does not see it: set proxy in config.toml"
	return &named
}

// shellProxy names the variable by which other programs here would find a proxy, "" if there is none.
func shellProxy() string {
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"} {
		if os.Getenv(name) != "" {
			return name
		}
	}
	return ""
}
