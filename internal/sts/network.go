package sts

import (
	"crypto/tls"
	"errors"
	"net"

	"github.com/tcred/tcred/api"
)

// unreachable says why there was no answer. Certificates get their own words, because their cure differs.
func unreachable(err error, c call) error {
	if known, is := errors.AsType[*api.Error](err); is {
		return known
	}
	e := &api.Error{Code: api.Unreachable, Cause: err}
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &certificate):
		e.Message = "the certificate of " + withPort(c.Host) + " is not trusted: " + oneLine(certificate.Err.Error())
		e.Hint = "does a proxy here inspect TLS? put its CA certificate into a file and set ca_file in config.toml; is this clock right?"
	case errors.As(err, &record):
		e.Message = withPort(c.Host) + " does not speak TLS: " + record.Msg
		e.Hint = "check endpoint in config.toml; plain http is for an emulator on this machine"
	default:
		e.Message, e.Hint = noRoute(reason(err), c)
	}
	return e
}

func noRoute(reason string, c call) (message, hint string) {
	switch {
	case c.Proxy != "":
		return "cannot reach " + withPort(c.Host) + " through proxy " + c.Proxy + " (" + reason + ")", "check proxy in config.toml"
	case c.Plain: // http goes to this machine only
		return "cannot reach " + c.Host + " (" + reason + ")", "does the emulator run there? tcred emulator"
	}
	return "cannot reach " + withPort(c.Host) + " (" + reason + "); the daemon uses no proxy",
		"behind a proxy? set proxy in config.toml: the daemon does not see the shell's " + proxyVariable
}

// reason is the innermost cause: "connection refused" and not the chain that led there.
func reason(err error) string {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return oneLine(dns.Err)
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return "i/o timeout"
	}
	for errors.Unwrap(err) != nil {
		err = errors.Unwrap(err)
	}
	return oneLine(err.Error())
}

func withPort(host string) string {
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	return host + ":443"
}
