package config

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/human"
)

// Every key there is. A test holds config.example.toml to them.
var (
	topKeys = []string{
		"site", "region", "key", "default_profile", "duration", "endpoint", "proxy", "ca_file", "language", "sts_rate",
		"idle_exit", "keystore", "profiles",
	}
	keystoreKeys = []string{"backend", "passphrase_file", "dir"}
	profileKeys  = []string{"key", "name", "policy", "policy_file", "duration", "region"}
)

var regionShape = regexp.MustCompile(`^[a-z]{2,}(-[a-z0-9]+)+$`)

// config fills cfg in, which holds the defaults.
func (d *document) config(cfg *Config) {
	t := d.root
	t.onlyKnown(topKeys)
	cfg.Site = t.choice("site", Sites)
	cfg.Region = or(t.region(), cfg.Region)
	cfg.Key = or(t.nameOf("key", "key"), cfg.Key)
	cfg.Default = t.nameOf("default_profile", "profile")
	cfg.Duration = or(t.lifetime(), cfg.Duration)
	cfg.Endpoint = t.url("endpoint", ParseEndpoint)
	cfg.Proxy = t.url("proxy", ParseProxy)
	cfg.CAs, cfg.CAFile = t.cas()
	cfg.Language = t.choice("language", Languages)
	cfg.STSRate = or(t.stsRate(), cfg.STSRate)
	cfg.IdleExit = or(t.idleExit(), cfg.IdleExit)
	cfg.Keystore = t.sub("keystore").keystore(cfg.Keystore)
	for _, p := range t.sub("profiles").profiles(cfg) {
		cfg.Profiles[p.Name] = p
	}
}

// or is v, or the default if v is not set.
func or[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

// onlyKnown reports every key that is not one of known, with the nearest one or the table it belongs to.
func (t table) onlyKnown(known []string) {
	for _, key := range t.keys() {
		if slices.Contains(known, key) || t.doc.full(false) {
			continue
		}
		offset, _ := t.at(key)
		line := t.doc.text[:offset][bytes.LastIndexByte(t.doc.text[:offset], '\n')+1:]
		if i := bytes.LastIndex(line, []byte(key)); i >= 0 { // the key rather than its value
			offset += i - len(line)
		}
		t.doc.add(t.concerns(key), offset, fmt.Sprintf("unknown key %q", key), t.unknownHint(key, known), false)
	}
}

func (t table) unknownHint(key string, known []string) string {
	_, isTable := t.value(key).(map[string]any)
	near := human.Nearest(key, known)
	switch {
	case near != "":
		return fmt.Sprintf("did you mean %q?", near)
	case isTable && strings.HasPrefix(t.name, "profiles."):
		return fmt.Sprintf("a profile with a dot in its name is written [profiles.%q]",
			strings.TrimPrefix(t.name, "profiles.")+"."+key)
	case slices.Contains(topKeys, key):
		return "it goes above the first [table]"
	case slices.Contains(keystoreKeys, key):
		return "it goes into [keystore]"
	case slices.Contains(profileKeys, key):
		return "it goes into [profiles.NAME]"
	}
	return "known here: " + strings.Join(known, ", ")
}

func (t table) region() string {
	region := t.text("region")
	if region != "" && !regionShape.MatchString(region) {
		t.fail("region", fmt.Sprintf("%q is not a region", region), "a region looks like ap-guangzhou")
		return ""
	}
	return region
}

// nameOf is the name of a thing, a key or a profile, that stands under a setting, "" if it is absent or wrong.
func (t table) nameOf(setting, thing string) string {
	name := t.text(setting)
	if name != "" && !api.ValidName(name) {
		t.fail(setting, fmt.Sprintf("%q cannot be a %s's name", name, thing), api.NameHint)
		return ""
	}
	return name
}

// duration is the time under key as it stands there.
func (t table) duration(key, example string) (d time.Duration, ok bool) {
	switch v := t.value(key).(type) {
	case nil:
		return 0, false
	case string:
		if d, err := time.ParseDuration(v); err == nil {
			return d, true
		}
		hint := fmt.Sprintf("write a number with h, m or s, like %q", example)
		if seconds, err := time.ParseDuration(v + "s"); err == nil {
			hint = unitHint(seconds)
		}
		t.fail(key, fmt.Sprintf("%s %q is not a duration", key, v), hint)
	case int64:
		hint := unitHint(time.Duration(v) * time.Second)
		if v < 1 || v > int64(7*24*time.Hour/time.Second) { // no count of seconds anybody meant
			hint = fmt.Sprintf("write %q", example)
		}
		t.fail(key, fmt.Sprintf("%s = %d has no unit", key, v), hint)
	default:
		t.fail(key, fmt.Sprintf("%s must be a string, not %s", key, kind(v)), fmt.Sprintf("write %q", example))
	}
	return 0, false
}

func unitHint(seconds time.Duration) string {
	return fmt.Sprintf("write %q for that many seconds", human.Span(seconds))
}

// lifetime is the duration of a credential, 0 if it is absent or wrong.
func (t table) lifetime() time.Duration {
	d, ok := t.duration("duration", human.Span(DefaultDuration))
	switch {
	case !ok:
		return 0
	case d < MinDuration || d > MaxDuration:
		t.fail("duration", fmt.Sprintf("duration %s is out of range", human.Span(d)),
			fmt.Sprintf("%s to %s; at most %s for a root account's key", human.Span(MinDuration), human.Span(MaxDuration),
				human.Span(MaxRootDuration)))
		return 0
	case d%time.Second != 0:
		t.fail("duration", fmt.Sprintf("duration %s is not in whole seconds", human.Span(d)), "STS counts in seconds")
		return 0
	case d < COSDuration:
		t.warn("duration",
			fmt.Sprintf("duration %s is short: COS states at least %s for temporary keys", human.Span(d), human.Span(COSDuration)),
			"STS states no least life; if a tool on COS refuses the credential, this is why")
	}
	return d
}

// stsRate is calls a second, 0 if it is absent or wrong.
func (t table) stsRate() int {
	switch v := t.value("sts_rate").(type) {
	case nil:
	case int64:
		if 1 <= v && v <= MaxSTSRate {
			return int(v)
		}
		t.fail("sts_rate", fmt.Sprintf("sts_rate %d is out of range", v),
			fmt.Sprintf("1 to %d calls a second, which is all that STS allows", MaxSTSRate))
	default:
		t.fail("sts_rate", fmt.Sprintf("sts_rate must be a whole number, not %s", kind(v)),
			fmt.Sprintf("sts_rate = %d", DefaultSTSRate))
	}
	return 0
}

func (t table) idleExit() time.Duration {
	d, ok := t.duration("idle_exit", "30m")
	if ok && d != 0 && d < MinIdleExit {
		t.fail("idle_exit", fmt.Sprintf("idle_exit %s is too short", human.Span(d)),
			fmt.Sprintf(`write "0" for never, or at least %q`, human.Span(MinIdleExit)))
		return 0
	}
	return d
}

// url is the URL under key as parse reads it, nil if it is absent or wrong.
func (t table) url(key string, parse func(string) (*url.URL, error)) *url.URL {
	s := t.text(key)
	if s == "" {
		return nil
	}
	u, err := parse(s)
	if err != nil {
		e := api.AsError(err)
		t.fail(key, e.Message, e.Hint)
		return nil
	}
	return u
}

// cas are the system's certificates and those of ca_file, nil without one or if it is wrong.
func (t table) cas() (cas *x509.CertPool, file string) {
	file = t.path("ca_file")
	if file == "" {
		return nil, ""
	}
	t.doc.files = append(t.doc.files, file)
	text, err := readFile(file, maxCAFile)
	if err != nil {
		t.fileProblem("ca_file", file, err)
		return nil, ""
	}
	t.doc.sums[file] = sha256.Sum256(text)
	if cas, err = x509.SystemCertPool(); err != nil { // a system without any
		cas = x509.NewCertPool()
	}
	if !cas.AppendCertsFromPEM(text) {
		t.fail("ca_file", fmt.Sprintf("ca_file %s holds no PEM certificate", file),
			"it should have lines that say BEGIN CERTIFICATE")
		return nil, ""
	}
	return cas, file
}

func (t table) keystore(k Keystore) Keystore {
	t.onlyKnown(keystoreKeys)
	wrong := t.has("backend")
	if backend := t.choice("backend", Backends); backend != "" {
		k.Backend, wrong = backend, false
	}
	k.PassphraseFile = t.path("passphrase_file")
	k.Dir = t.path("dir")
	for key, backend := range map[string]string{"passphrase_file": "file", "dir": "dir"} {
		if t.has(key) && k.Backend != backend && !wrong {
			t.fail(key, fmt.Sprintf("%s goes with backend = %q only; it is %q", key, backend, k.Backend),
				"delete one of the two")
		}
	}
	return k
}
