package cmdline

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tcred/tcred/internal/human"
)

// OtherWords are what other tools call a command of ours, most of them aws-vault, tccli, gcloud and git. A word behind
// "daemon" or "service" is meant there alone.
var OtherWords = map[string]string{
	"rm": "remove", "delete": "remove", "del": "remove", "forget": "remove",
	"show": "get", "print": "get", "fetch": "get", "token": "get", "credentials": "get", "creds": "get", "export": "get",
	"env": "exec", "execute": "exec", "run": "exec", "shell": "exec", "sh": "exec", "with": "exec", "use": "exec", "switch": "exec", "assume": "exec", "sudo": "exec",
	"login": "add", "import": "add", "new": "add", "create": "add", "set": "add", "put": "add", "store": "add", "save": "add",
	"rotate": "add", "replace": "add",
	"logout": "lock", "signout": "lock", "close": "lock", "open": "unlock",
	"keys": "list", "key": "list", "profile": "list", "profiles": "list",
	"configure": "init", "config": "init", "setup": "init", "onboard": "init",
	"validate": "check", "lint": "check", "verify": "check", "test": "check",
	"renew": "refresh", "update": "refresh",
	"flush": "clear", "purge": "clear", "revoke": "clear", "clean": "clear", "reset": "clear",
	"server": "daemon", "serve": "daemon", "agent": "daemon", "start": "daemon",
	"stop": "daemon stop", "quit": "daemon stop", "kill": "daemon stop", "restart": "service restart",
	"ps": "status", "info": "status", "state": "status", "top": "status",
	"id": "whoami", "who": "whoami", "identity": "whoami", "caller-identity": "whoami",
	"log": "logs", "tail": "logs", "journal": "logs",
	"diagnose": "doctor", "debug": "doctor", "health": "doctor", "troubleshoot": "doctor", "fix": "doctor",
	"install": "service install", "uninstall": "service uninstall", "enable": "service install", "disable": "service uninstall",
	"mock": "emulator", "fake": "emulator", "try": "demo", "tour": "demo", "completions": "completion", "autocomplete": "completion",

	"daemon start": "daemon", "daemon run": "daemon", "daemon status": "status", "daemon logs": "logs", "daemon log": "logs",
	"daemon kill": "daemon stop", "daemon quit": "daemon stop", "daemon restart": "daemon stop", "daemon install": "service install",
	"service start": "service restart", "service stop": "daemon stop", "service remove": "service uninstall", "service rm": "service uninstall",
	"service enable": "service install", "service disable": "service uninstall", "service add": "service install", "service logs": "logs",
}

// NoCommand is the error for a word that is not one of cmd's commands. Its hint shows how the one that was meant is
// used.
func NoCommand(cmd *cobra.Command, word string) error {
	path := strings.TrimPrefix(cmd.CommandPath()+" ", "tcred ")
	var names []string // without aliases: those are short, and near to too much
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	if meant, known := OtherWords[strings.ToLower(path+word)]; known {
		return Error("tcred "+meant+" --help", "no command %q; did you mean %q?", path+word, meant)
	}
	if meant := human.Nearest(word, names); meant != "" {
		return Error(cmd.CommandPath()+" "+meant+" --help", "no command %q; did you mean %q?", path+word, meant)
	}
	return Error(cmd.CommandPath()+" --help", "no command %q", path+word)
}

// OtherFlags are what other tools call a flag, and those of ours that it may stand for, by the command that has one.
var OtherFlags = map[string][]string{
	"output": {"format", "json"}, "o": {"format", "json"}, "json": {"format"}, "export-format": {"format"},
	"p": {"profile"}, "profile-name": {"profile"}, "name": {"profile"}, "account": {"profile"}, "key": {"profile"},
	"ttl": {"min-ttl"}, "duration": {"min-ttl", "for"}, "t": {"for", "min-ttl"}, "timeout": {"for", "min-ttl"}, "expires": {"min-ttl"},
	"no-session": {"no-daemon"}, "offline": {"no-daemon"}, "standalone": {"no-daemon"},
	"y": {"force"}, "yes": {"force"}, "f": {"force"}, "assume-yes": {"force"}, "overwrite": {"replace"}, "force": {"replace"},
	"v": {"debug"}, "verbose": {"debug"}, "trace": {"debug"}, "log-level": {"debug"},
	"tail": {"lines"}, "w": {"watch"}, "interval": {"watch"}, "backend": {"keystore"},
	"stdin": {"secret-key-stdin", "passphrase-stdin"}, "access-key": {"secret-id"}, "secretid": {"secret-id"}, "a": {"all"},
	"listen": {"address"}, "port": {"address"}, "n": {"dry-run"}, "undo": {"unset"},
}

// servers are flags by which other tools start a server of credentials for their command.
var servers = []string{"server", "ec2-server", "ecs-server", "imds", "lazy"}

// unknownFlag is the error for a flag that cmd does not have.
func unknownFlag(cmd *cobra.Command, missing *pflag.NotExistError) error {
	name, message := missing.GetSpecifiedName(), missing.Error()
	message, _, _ = strings.Cut(message, " in -") // the rest repeats what was typed behind a shorthand
	if slices.Contains(servers, name) {
		return Error("tcred-helper --help; a tool that runs it as its credential_process has a fresh credential each time",
			"%s; tcred starts no server for a command", message)
	}
	var names []string
	has := func(flag string) bool { return slices.Contains(names, flag) }
	all := func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	}
	cmd.Flags().VisitAll(all)
	cmd.InheritedFlags().VisitAll(all)
	near := ""
	if at := slices.IndexFunc(OtherFlags[name], has); at >= 0 {
		near = OtherFlags[name][at]
	} else if len(name) > 1 {
		near = human.Nearest(name, names)
	}
	if near != "" {
		message += fmt.Sprintf("; did you mean --%s?", near)
	}
	return Error(cmd.CommandPath()+" --help", "%s", message)
}
