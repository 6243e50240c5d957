package policy

import (
	"fmt"
	"strings"
)

// A field is one key of an object, and how to check its value.
type field struct {
	name    string
	example string // of its value; "" for a field that may be left out
	check   func(node)
}

func (c *checker) policy(root node) {
	c.object(root, "the policy", "write one like "+examplePolicy, []field{
		{"version", `"2.0"`, c.version},
		{"statement", "[" + exampleStatement + "]", c.statements},
	})
}

// Examples of what grants little.
const (
	exampleAction    = `"name/cos:GetObject"`
	exampleResource  = `"qcs::cos:ap-guangzhou:uid/1250000000:bucket-1250000000/*"`
	exampleStatement = `{"effect": "allow", "action": ` + exampleAction + `, "resource": ` + exampleResource + `}`
	examplePolicy    = `{"version": "2.0", "statement": [` + exampleStatement + `]}`
)

func (c *checker) statement(n node) {
	c.object(n, "the statement", "write one like "+exampleStatement, []field{
		{"effect", `"allow"`, c.effect},
		{"action", exampleAction, func(n node) { c.strings(n, "action", exampleAction, actionFault, c.action) }},
		{"resource", exampleResource, func(n node) { c.strings(n, "resource", exampleResource, resourceFault, c.resource) }},
		{"condition", "", c.condition},
	})
	c.objects(n)
}

// object checks an object's keys against fields. what names it: "the statement". hint is said if it is none.
func (c *checker) object(n node, what, hint string, fields []field) {
	if n.kind != "object" {
		c.fail(n.at, fmt.Sprintf("%s is a %s; it must be an object", what, n.kind), hint)
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
		if f.example != "" && !seen[f.name] {
			c.fail(n.at, fmt.Sprintf("%s has no %q", what, f.name), fmt.Sprintf("add one, like %q: %s", f.name, f.example))
		}
	}
}

// field finds the field m is meant to be and reports what is wrong with its key.
func (c *checker) field(m member, what string, fields []field) *field {
	hint := "delete it, or does it belong elsewhere?"
	for i, f := range fields {
		if m.key == f.name {
			return &fields[i]
		}
		if strings.EqualFold(m.key, f.name) {
			c.fail(m.at, fmt.Sprintf("key %s must be lower case", quote(m.key)),
				fmt.Sprintf("write %q: capitals are AWS's spelling, CAM's keys have none", f.name))
			return &fields[i]
		}
		if oneLetterApart(strings.ToLower(m.key), f.name) {
			hint = fmt.Sprintf("write %q", f.name)
		}
	}
	if strings.EqualFold(m.key, "principal") {
		c.fail(m.at, "a policy for temporary credentials cannot have a principal",
			"delete it: STS grants to the federated user")
		return nil
	}
	c.warn(m.at, fmt.Sprintf("%s has a key %s that CAM does not describe", what, quote(m.key)), hint)
	return nil
}

// duplicates reports keys that stand twice in one object, however deep.
func (c *checker) duplicates(n node) {
	first := map[string]int{}
	for _, m := range n.members {
		if at, twice := first[m.key]; twice {
			line, _ := c.lines.Position(at)
			c.fail(m.at, fmt.Sprintf("key %s is there already", quote(m.key)),
				fmt.Sprintf("delete this one, or the first, which is on line %d", line))
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
		c.fail(n.at, fmt.Sprintf("statement is a %s; it must be a list of objects", n.kind),
			"write a list, like ["+exampleStatement+"]")
	case len(n.items) == 0:
		c.fail(n.at, "statement is an empty list", "write at least one statement in it, like "+exampleStatement)
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
		c.fail(n.at, `effect must be "allow" or "deny"`, `write one of the two`)
	}
}

func (c *checker) condition(n node) {
	if n.kind != "object" {
		c.fail(n.at, fmt.Sprintf("condition is a %s; it must be an object", n.kind),
			`delete the key, or write one like {"ip_equal": {"qcs:ip": "10.0.0.0/8"}}`)
	}
}

// strings checks a string or a list of strings, each by itself: with fault, which says what CAM cannot read, and with
// doubt, which warns of the rest.
func (c *checker) strings(
	n node, what, example string, fault func(string) (message, hint string), doubt func(int, string),
) {
	items := n.oneOrMore()
	if len(items) == 0 {
		c.fail(n.at, what+" is an empty list", "write at least one in it, like "+example)
	}
	for _, item := range items {
		switch {
		case item.kind != "string":
			c.fail(item.at, fmt.Sprintf("%s has a %s where a string must be", what, item.kind),
				"write a string, in quotes, like "+example)
		case strings.TrimSpace(item.text) == "":
			c.fail(item.at, what+" is an empty string", "write one like "+example)
		default:
			text := item.text
			message, hint := fault(text)
			if trimmed := strings.TrimSpace(text); text != trimmed {
				readable := message == ""
				c.add(item.at, fmt.Sprintf("%s %s has blanks around it", what, quote(text)), "delete them", readable)
				text = trimmed
				if !readable { // which the blanks may be the reason of
					message, hint = fault(text)
				}
			}
			if message != "" {
				c.fail(item.at, message, hint)
				continue
			}
			doubt(item.at, text)
		}
	}
}

// oneOrMore is what stands in a list, or n itself where one needs no list.
func (n node) oneOrMore() []node {
	if n.kind == "list" {
		return n.items
	}
	return []node{n}
}

// actionFault says what keeps s from being an action: before a colon there is a service, and behind it an operation.
// Which ones there are only CAM knows.
func actionFault(s string) (message, hint string) {
	service, operation, found := strings.Cut(strings.TrimPrefix(s, "name/"), ":")
	switch {
	case found && service == "":
		return fmt.Sprintf("action %s names no service", quote(s)), serviceHint
	case found && operation == "":
		return fmt.Sprintf("action %s names no operation", quote(s)),
			"write the operation behind it, like name/cos:PutObject"
	}
	return "", ""
}

const serviceHint = "write the service before it, like name/cos:PutObject"

// action warns of what CAM's pages do not describe, and of what is another cloud's.
func (c *checker) action(at int, s string) {
	set, isSet := strings.CutPrefix(s, "permid/") // of actions, by its number
	switch {
	case s == "*" || isSet && set != "":
	case !strings.Contains(s, ":"):
		c.warn(at, fmt.Sprintf("action %s names no service", quote(s)), serviceHint)
	case strings.HasPrefix(s, "s3:"), strings.HasPrefix(s, "ec2:"), strings.HasPrefix(s, "iam:"):
		c.warn(at, fmt.Sprintf("action %s is AWS's", quote(s)), "CAM's look like name/cos:PutObject")
	case placeholder.MatchString(s):
		c.warn(at, fmt.Sprintf("action %s has the placeholder %s", quote(s), quote(placeholder.FindString(s))),
			"CAM's look like name/cos:PutObject")
	}
}
