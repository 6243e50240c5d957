// Package packaging holds what makes tcred a service of its user: units for systemd, an agent for launchd.
//
// The units are files that packages install as they are; "tcred service install" writes them with the path of its
// own binary where no package did.
package packaging

import (
	_ "embed"
	"encoding/xml"
	"fmt"
	"strings"
	"text/template"
)

// Names of the systemd units.
const (
	SystemdSocketName  = "tcred.socket"
	SystemdServiceName = "tcred.service"
)

// LaunchdLabel names the launchd agent; its file is <label>.plist.
const LaunchdLabel = "io.github.tcred.daemon"

// packagedStart is how packages run the daemon, in tcred.service.
const packagedStart = "ExecStart=/usr/bin/tcred "

var (
	//go:embed systemd/tcred.socket
	systemdSocket string
	//go:embed systemd/tcred.service
	systemdService string
	//go:embed launchd/io.github.tcred.daemon.plist
	launchdAgent string
)

// Setting is an environment variable of the daemon.
type Setting struct{ Name, Value string }

// SystemdSocket is the text of tcred.socket.
func SystemdSocket() string { return systemdSocket }

// SystemdService is the text of tcred.service that runs binary, an absolute path.
func SystemdService(binary string) string {
	return strings.Replace(systemdService, packagedStart, "ExecStart="+systemdQuote(binary)+" ", 1)
}

// SystemdServiceDropIn is what this machine adds to tcred.service: the environment, which a user's shell sets but
// systemd does not read, and, where systemd knows it (from 254 on), a growing pause between restarts. It is "" if
// there is nothing to add.
func SystemdServiceDropIn(env []Setting, backoff bool) string {
	var b strings.Builder
	for _, e := range env {
		fmt.Fprintf(&b, "Environment=%s\n", systemdQuote(e.Name+"="+e.Value))
	}
	if backoff {
		b.WriteString("RestartSteps=6\nRestartMaxDelaySec=1min\n")
	}
	if b.Len() == 0 {
		return ""
	}
	return "[Service]\n" + b.String()
}

// SystemdSocketDropIn makes tcred.socket listen on path in place of its own.
func SystemdSocketDropIn(path string) string {
	return "[Socket]\nListenStream=\nListenStream=" + strings.ReplaceAll(path, "%", "%%") + "\n"
}

// systemdQuote writes a word so that systemd reads it as it is: no splitting at blanks, no %-specifiers.
func systemdQuote(word string) string {
	word = strings.ReplaceAll(word, "%", "%%")
	if !strings.ContainsFunc(word, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`"'\;`, r) }) {
		return word
	}
	var b strings.Builder
	for i := range len(word) {
		switch c := word[i]; {
		case c == '"' || c == '\\':
			b.WriteString(`\` + string(rune(c)))
		case c < ' ' || c == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	return `"` + b.String() + `"`
}

// Agent is what the launchd agent is made of. A shell's environment does not reach it, so all is written in.
type Agent struct {
	Binary string // absolute path of tcred
	Log    string // where its last words go
	Env    []Setting
}

// Label is the agent's name.
func (Agent) Label() string { return LaunchdLabel }

// LaunchdAgent is the property list of a.
func LaunchdAgent(a Agent) (string, error) {
	t, err := template.New("agent").Funcs(template.FuncMap{"xml": xmlText}).Parse(launchdAgent)
	if err != nil {
		return "", fmt.Errorf("reading the agent's template: %w", err)
	}
	var b strings.Builder
	if err := t.Execute(&b, a); err != nil {
		return "", fmt.Errorf("filling the agent's template: %w", err)
	}
	return b.String(), nil
}

func xmlText(s string) (string, error) {
	var b strings.Builder
	err := xml.EscapeText(&b, []byte(s))
	return b.String(), err
}
