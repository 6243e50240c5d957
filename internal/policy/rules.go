package policy

import (
	"fmt"
	"strings"
)

// A field is one key of an object, and how to check its value.
type field struct {
	name     string
	required bool
	check    func(node)
}

func (c *checker) policy(root node) {
	c.object(root, "the policy", []field{
		{"version", true, c.version},
		{"statement", true, c.statements},
	})
}

func (c *checker) statement(n node) {
	c.object(n, "the statement", []field{
		{"effect", true, c.effect},
		{"action", true, func(n node) { c.strings(n, "action", c.action) }},
		{"resource", true, func(n node) { c.strings(n, "resource", c.resource) }},
		{"condition", false, c.condition},
	})
}

// object checks an object's keys against fields. what names it: "the statement".
func (c *checker) object(n node, what string, fields []field) {
	if n.kind != "object" {
		c.fail(n.at, fmt.Sprintf("%s is a %s; it must be an object", what, n.kind), "")
		return
	}
	seen := map[string]bool{}
	for _, m := range n.members {
		f := c.field(m, what, fields)
		if f == nil {
			continue
		}
		seen[f.name] = true
		f.check(m.value)
	}
	for _, f := range fields {
		if f.required && !seen[f.name] {
			c.fail(n.at, fmt.Sprintf("%s has no %q", what, f.name), "")
		}
	}
}

// field finds the field m is meant to be and reports what is wrong with its key.
func (c *checker) field(m member, what string, fields []field) *field {
	for i, f := range fields {
		if m.key == f.name {
			return &fields[i]
		}
		if strings.EqualFold(m.key, f.name) {
			c.fail(m.at, fmt.Sprintf("key %s must be lower case", quote(m.key)),
				fmt.Sprintf("write %q: capitals are AWS's spelling, CAM's keys have none", f.name))
			return &fields[i]
		}
	}
	if strings.EqualFold(m.key, "principal") {
		c.fail(m.at, "a policy for temporary credentials cannot have a principal",
			"delete it: STS grants to the federated user")
		return nil
	}
	c.warn(m.at, fmt.Sprintf("%s has a key %s that CAM does not describe", what, quote(m.key)), "")
	return nil
}

// duplicates reports keys that stand twice in one object, however deep.
func (c *checker) duplicates(n node) {
	first := map[string]int{}
	for _, m := range n.members {
		if at, twice := first[m.key]; twice {
			line, _ := c.lines.Position(at)
			c.fail(m.at, fmt.Sprintf("key %s is there already", quote(m.key)), fmt.Sprintf("the first one is on line %d", line))
		} else {
			first[m.key] = m.at
		}
		c.duplicates(m.value)
	}
	for _, item := range n.items {
		c.duplicates(item)
	}
}

func (c *checker) version(n node) {
	switch {
	case n.kind == "number":
		c.fail(n.at, "version is a number; it must be a string", `write "2.0", in quotes`)
	case n.kind != "string" || n.text != "2.0":
		hint := `write "2.0"`
		if strings.HasPrefix(n.text, "20") {
			hint += ": a date is the version of an AWS policy"
		}
		c.fail(n.at, `version must be "2.0"`, hint)
	}
}

func (c *checker) statements(n node) {
	switch {
	case n.kind == "object":
		c.fail(n.at, "statement is an object; it must be a list", `put it in brackets: "statement": [{…}]`)
		c.statement(n)
	case n.kind != "list":
		c.fail(n.at, fmt.Sprintf("statement is a %s; it must be a list of objects", n.kind), "")
	case len(n.items) == 0:
		c.fail(n.at, "statement is an empty list", "a policy has at least one statement")
	}
	for _, item := range n.items {
		c.statement(item)
	}
}

func (c *checker) effect(n node) {
	switch {
	case n.kind == "string" && (n.text == "allow" || n.text == "deny"):
	case n.kind == "string" && (strings.EqualFold(n.text, "allow") || strings.EqualFold(n.text, "deny")):
		c.fail(n.at, fmt.Sprintf("effect %s must be lower case", quote(n.text)),
			fmt.Sprintf("write %q", strings.ToLower(n.text)))
	default:
		c.fail(n.at, `effect must be "allow" or "deny"`, "")
	}
}

func (c *checker) condition(n node) {
	if n.kind != "object" {
		c.fail(n.at, fmt.Sprintf("condition is a %s; it must be an object", n.kind),
			`like {"ip_equal": {"qcs:ip": "10.0.0.0/8"}}`)
	}
}

// strings checks a string or a list of strings, each by itself.
func (c *checker) strings(n node, what string, each func(at int, s string)) {
	items := []node{n}
	if n.kind == "list" {
		items = n.items
	}
	if len(items) == 0 {
		c.fail(n.at, what+" is an empty list", "")
	}
	for _, item := range items {
		switch {
		case item.kind != "string":
			c.fail(item.at, fmt.Sprintf("%s has a %s where a string must be", what, item.kind), "")
		case item.text == "":
			c.fail(item.at, what+" is an empty string", "")
		default:
			if item.text != strings.TrimSpace(item.text) {
				c.warn(item.at, fmt.Sprintf("%s %s has blanks around it", what, quote(item.text)), "delete them")
			}
			each(item.at, strings.TrimSpace(item.text))
		}
	}
}

// action warns only: CAM knows more actions than we do.
func (c *checker) action(at int, s string) {
	switch {
	case s == "*":
	case strings.HasPrefix(s, "s3:"), strings.HasPrefix(s, "ec2:"), strings.HasPrefix(s, "iam:"):
		c.warn(at, fmt.Sprintf("action %s is AWS's", quote(s)), "CAM's look like name/cos:PutObject")
	case !strings.Contains(s, ":"):
		c.warn(at, fmt.Sprintf("action %s names no service", quote(s)),
			"write the service before it, like name/cos:PutObject")
	}
}
