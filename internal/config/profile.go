package config

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/human"
	"github.com/tcred/tcred/internal/policy"
)

// fullPolicy in config.toml stands for the key's own rights.
const fullPolicy = "full"

// profiles reads the tables under [profiles]. cfg holds the defaults for them.
func (t table) profiles(cfg *Config) (all []Profile) {
	for _, name := range t.keys() {
		if !api.ValidName(name) {
			offset, _ := t.at(name)
			t.doc.add(t.name+"."+name, offset, fmt.Sprintf("%q cannot be a profile's name", name), api.NameHint, false)
		}
		all = append(all, t.sub(name).profile(name, cfg))
	}
	return all
}

func (t table) profile(name string, cfg *Config) Profile {
	if t.values == nil { // sub has said why
		return Profile{Name: name}
	}
	t.onlyKnown(profileKeys)
	p := Profile{
		Name:          name,
		Key:           or(t.nameOf("key", "key"), cfg.Key),
		FederatedUser: or(t.federatedUser(), federatedUser(name)),
		Region:        or(t.region(), cfg.Region),
		Duration:      or(t.lifetime(), cfg.Duration),
	}
	switch inline, file := t.has("policy"), t.has("policy_file"); {
	case inline && file:
		t.fail("policy_file", fmt.Sprintf("profile %q has both policy and policy_file", name), "keep one of them")
	case inline:
		p.Policy = t.inlinePolicy()
	case file:
		p.Policy, p.PolicyFile = t.policyFile()
	case t.misspelled("policy", "policy_file"): // which is said already
	default:
		t.fail("policy", fmt.Sprintf("profile %q has no policy", name),
			`policy_file = "…" for what it needs, or policy = "full" for all rights of its key`)
	}
	return p
}

// misspelled reports whether an unknown key was meant to be one of these.
func (t table) misspelled(meant ...string) bool {
	return slices.ContainsFunc(t.keys(), func(key string) bool {
		return !slices.Contains(profileKeys, key) && slices.Contains(meant, human.Nearest(key, profileKeys))
	})
}

// federatedUser may be more than STS's page says, letters, because STS takes more.
func (t table) federatedUser() string {
	name := t.text("name")
	switch {
	case strings.ContainsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }):
		t.fail("name", fmt.Sprintf("name %q has a blank or a control character", name),
			"the name of a federated user consists of letters")
		return ""
	case strings.ContainsFunc(name, func(r rune) bool { return !isLetter(r) }):
		t.warn("name", fmt.Sprintf("name %q is not of letters alone, as STS asks for", name),
			"STS has been seen to take hyphens; leave the line out to be safe")
	}
	return name
}

func (t table) inlinePolicy() string {
	src := t.text("policy")
	switch {
	case src == "":
		return ""
	case src == fullPolicy:
		return policy.Full
	case !strings.Contains(src, "{"):
		hint := fmt.Sprintf("for a file write policy_file = %q", src)
		if strings.EqualFold(strings.TrimSpace(src), fullPolicy) {
			hint = `write "full"`
		}
		t.fail("policy", fmt.Sprintf("policy %q is neither \"full\" nor JSON", src), hint)
		return ""
	}
	findings := policy.Check([]byte(src))
	t.reportInline(src, findings)
	return compact([]byte(src), findings)
}

// reportInline places findings on config.toml's own lines, which it can unless the policy is written with escapes.
func (t table) reportInline(src string, findings []policy.Finding) {
	offset, length := t.at("policy")
	written := t.doc.text[offset:min(offset+length, len(t.doc.text))]
	shown := bytes.TrimPrefix(bytes.TrimPrefix(written, []byte("\r")), []byte("\n")) // TOML drops the first newline
	newlines := strings.NewReplacer("\r\n", "\n")
	asWritten := newlines.Replace(string(shown)) == newlines.Replace(src)
	if asWritten {
		offset += len(written) - len(shown)
	}
	line, column := t.doc.lines.Position(offset)
	for _, f := range findings {
		p := Problem{t.doc.file, line, column, f.Message, f.Hint, f.Warning, t.name}
		switch {
		case !asWritten:
			p.Message += fmt.Sprintf(" (line %d, column %d of the policy)", f.Line, f.Column)
		case f.Line == 1:
			p.Column += f.Column - 1
		default:
			p.Line, p.Column = line+f.Line-1, f.Column
		}
		t.doc.report(p)
	}
}

// A policyFile is read once, though profiles may share it.
type policyFile struct {
	text string // compact; "" if the policy is refused
	err  error  // why it cannot be read
}

func (t table) policyFile() (text, path string) {
	path = t.path("policy_file")
	if path == "" {
		return "", ""
	}
	file, known := t.doc.policies[path]
	if !known {
		file = t.doc.readPolicy(path)
		t.doc.policies[path] = file
	}
	if file.err != nil {
		t.fileProblem("policy_file", path, file.err)
	}
	return file.text, path
}

func (d *document) readPolicy(path string) policyFile {
	d.files = append(d.files, path)
	src, err := readFile(path, maxPolicy)
	if err != nil {
		return policyFile{err: err}
	}
	d.sums[path] = sha256.Sum256(src)
	findings := policy.Check(src)
	for _, f := range findings {
		d.report(Problem{path, f.Line, f.Column, f.Message, f.Hint, f.Warning, path}) // it concerns each profile that names it
	}
	return policyFile{text: compact(src, findings)}
}

// compact is "" for a policy that is refused.
func compact(src []byte, findings []policy.Finding) string {
	if slices.ContainsFunc(findings, func(f policy.Finding) bool { return !f.Warning }) {
		return ""
	}
	text, _ := policy.Compact(src) // no error without a finding
	return text
}
