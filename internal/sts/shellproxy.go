package sts

import (
	"os"
	"strings"

	"github.com/tcred/tcred/api"
)

// NameShellProxy replaces a hint that only guesses at a proxy. The daemon cannot see the shell's environment, so its
// hint asks "behind a proxy?"; a command can see it, and names the variable by which other programs find one.
func NameShellProxy(e *api.Error) *api.Error {
	name := shellProxy()
	if name == "" || e.Code != api.Unreachable || !strings.Contains(e.Hint, proxyVariable) {
		return e
	}
	named := *e
	named.Hint = "your shell has " + name + " set, the daemon does not see it: set proxy in config.toml"
	return &named
}

// proxyVariable is the one that the guessing hint names.
const proxyVariable = "HTTPS_PROXY"

// shellProxy is the first variable of this environment that names a proxy, "" if none does.
func shellProxy() string {
	for _, name := range []string{proxyVariable, "https_proxy", "ALL_PROXY", "all_proxy"} {
		if os.Getenv(name) != "" {
			return name
		}
	}
	return ""
}
