package helper

import (
	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/human"
)

const usage = `Prints a temporary Tencent Cloud credential. The tcred daemon is started when it is needed.

Usage: tcred-helper [PROFILE] [flags]

  --profile P    the same as PROFILE
  --format F     process (the default), tencent, cos, tccli, env, fish or powershell
  --min-ttl D    fail unless the credential lives at least that long: 20m
  --version      print the version
  --help         print this

PROFILE is the argument, else $TCRED_PROFILE, else default_profile in config.toml, else the profile or key "default",
else the only key.

In ~/.aws/config, with absolute paths:
  credential_process = /usr/local/bin/tcred-helper upload
`

// options is a parsed command line.
type options struct {
	profile, format, minTTL string // a profile "" is the daemon's to choose
	fromEnv                 bool   // the environment names the profile
	version, help           bool
}

// maxValue bounds a flag's value, in bytes, well under what the daemon takes as a header.
const maxValue = 256

// parseArgs reads the command line; fallback is the profile that the environment names, or "".
func parseArgs(args []string, fallback string) (options, error) {
	var o options
	var profiles []string
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if arg == "" || arg[0] != '-' {
			profiles = append(profiles, arg)
			continue
		}
		name, value, hasValue := cut(arg)
		if flag := o.boolean(name); flag != nil && !hasValue {
			*flag = true
			continue
		}
		if name != "--profile" && name != "--format" && name != "--min-ttl" {
			return o, wrong("unknown flag " + quote(arg))
		}
		if !hasValue && len(args) > 0 {
			value, args = args[0], args[1:]
		}
		if value == "" {
			return o, wrong(name + " needs a value")
		}
		if len(value) > maxValue {
			return o, wrong("the value of " + name + " is too long")
		}
		if name != "--profile" && human.LooksSecret(value) {
			return o, wrong("the value of " + name + " looks like a SecretId or a SecretKey")
		}
		switch name {
		case "--profile":
			profiles = append(profiles, value)
		case "--format":
			o.format = value
		case "--min-ttl":
			o.minTTL = value
		}
	}
	if o.help || o.version {
		return o, nil
	}
	return o, o.choose(profiles, fallback)
}

func (o *options) boolean(name string) *bool {
	switch name {
	case "--help", "-h":
		return &o.help
	case "--version":
		return &o.version
	}
	return nil
}

func (o *options) choose(profiles []string, fallback string) error {
	switch {
	case len(profiles) > 1:
		return wrong("more than one profile: " + quote(profiles[0]) + " and " + quote(profiles[1]))
	case len(profiles) == 1:
		o.profile = profiles[0]
	case fallback != "":
		o.profile, o.fromEnv = fallback, true
	default:
		return nil
	}
	if human.LooksSecret(o.profile) && len(profiles) == 1 { // asked about, it would be in the daemon's log
		return wrong("the profile looks like a SecretId or a SecretKey")
	}
	if api.ValidName(o.profile) {
		return nil
	}
	where := ""
	if o.fromEnv {
		where = " in " + api.EnvProfile
	}
	return &api.Error{Code: api.BadRequest, Message: "bad profile name " + quote(o.profile) + where, Hint: api.NameHint}
}

// request is the request as it crosses the socket. The profile's name needs no escape, and config, an absolute
// path of package socket, holds nothing that could end a header.
func (o options) request(config string) []byte {
	target := api.PathAll
	if o.profile != "" {
		target = api.PathCredentials + o.profile
	}
	separator := "?"
	for _, p := range [...]struct{ name, value string }{{api.ParamFormat, o.format}, {api.ParamMinTTL, o.minTTL}} {
		if p.value != "" {
			target += separator + p.name + "=" + escape(p.value)
			separator = "&"
		}
	}
	return []byte("GET " + target + " HTTP/1.1\r\nHost: tcred\r\nAccept: " + api.TypeText + "\r\n" +
		api.HeaderConfig + ": " + config + "\r\nConnection: close\r\n\r\n")
}

// cut splits --name=value.
func cut(arg string) (name, value string, hasValue bool) {
	for i := 0; i < len(arg); i++ {
		if arg[i] == '=' {
			return arg[:i], arg[i+1:], true
		}
	}
	return arg, "", false
}

// escape percent-encodes all but the characters that RFC 3986 calls unreserved.
func escape(value string) string {
	const hex = "0123456789ABCDEF"
	var out []byte
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_', c == '~':
			out = append(out, c)
		default:
			out = append(out, '%', hex[c>>4], hex[c&15])
		}
	}
	return string(out)
}

func wrong(message string) error {
	return &api.Error{Code: api.BadRequest, Message: message, Hint: "tcred-helper --help"}
}

// quote puts text between quotes, on one line, and cuts what is absurdly long.
func quote(text string) string {
	if human.LooksSecret(text) {
		return human.SecretLike
	}
	if len(text) > maxValue {
		text = text[:maxValue] + "…"
	}
	return human.Quote(text)
}
