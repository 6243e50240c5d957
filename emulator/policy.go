package emulator

import (
	"encoding/json"
	"net/url"
	"strings"
	"unicode/utf8"
)

// maxPolicy is how long a decoded policy may be here, in bytes. No limit of this call is published;
// this is the one of CAM's custom policies.
const maxPolicy = 6144

// policyRules are what a policy is held to, beside CAM's syntax.
type policyRules struct {
	account Account // whose resources it may grant
	asSDKs  bool    // what the COS STS SDKs send, against the page, passes too: all sign v1
}

// checkPolicy holds the Policy parameter, as it came, to CAM's syntax and to the rules.
func checkPolicy(encoded string, rules policyRules) error {
	if rules.asSDKs && strings.HasPrefix(encoded, "{") {
		return checkPolicyText(encoded, rules)
	}
	if strings.ContainsAny(encoded, `{"`) { // every URL encoder escapes these
		return malformed("the Policy is not URL-encoded")
	}
	text, err := url.QueryUnescape(encoded)
	if err != nil {
		return malformed("the Policy is not URL-encoded: %v", err)
	}
	return checkPolicyText(text, rules)
}

func checkPolicyText(text string, rules policyRules) error {
	if len(text) > maxPolicy {
		return refuse("InvalidParameter.PolicyTooLong", "the policy has %d bytes; %d is the limit", len(text), maxPolicy)
	}
	fields := make(map[string]json.RawMessage) // unlike a struct, it tells upper from lower case
	if !utf8.ValidString(text) || json.Unmarshal([]byte(text), &fields) != nil {
		return malformed("the Policy, URL-decoded once, is no JSON object")
	}
	if name, found := redundant(text); found {
		return malformed("the policy has %.64q twice in one object", name)
	}
	if name := inCapitals(fields, "version", "statement", "principal"); name != "" {
		return malformed("the policy has %q, which is not in lower case", name)
	}
	var version string
	if json.Unmarshal(fields["version"], &version) != nil || version != "2.0" {
		return malformed(`the policy's version is not "2.0"`)
	}
	var statements []map[string]json.RawMessage
	if json.Unmarshal(fields["statement"], &statements) != nil || len(statements) == 0 {
		return malformed("the policy's statement is not a list of statements")
	}
	if fields["principal"] != nil {
		return refuse("InvalidParameter.StrategyInvalid", "the policy has a principal")
	}
	for _, s := range statements {
		if err := checkStatement(s, rules); err != nil {
			return err
		}
	}
	return nil
}

// redundant finds a key that stands twice in one object of a JSON text. CAM's own analyzer of policies calls it an
// error; which of the two would count, two readers may see in two ways.
func redundant(text string) (name string, found bool) {
	type object struct {
		names map[string]bool // nil in a list
		value bool            // a value comes next, not a name
	}
	var open []object
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber() // 1e999 is JSON
	for {
		token, err := d.Token()
		if err != nil { // the end: the text is JSON
			return "", false
		}
		in := len(open) - 1
		switch name, isString := token.(string); {
		case token == json.Delim('}') || token == json.Delim(']'):
			open = open[:in]
			continue
		case in < 0 || open[in].names == nil:
		case open[in].value:
			open[in].value = false
		case isString && open[in].names[name]:
			return name, true
		case isString:
			open[in].names[name], open[in].value = true, true
		}
		switch token {
		case json.Delim('{'):
			open = append(open, object{names: make(map[string]bool)})
		case json.Delim('['):
			open = append(open, object{})
		}
	}
}

// inCapitals is one of the names in other letters than its own, "" if there is none: CAM's elements are in lower case.
func inCapitals(fields map[string]json.RawMessage, names ...string) string {
	for field := range fields {
		for _, name := range names {
			if field != name && strings.EqualFold(field, name) {
				return field
			}
		}
	}
	return ""
}

func malformed(format string, args ...any) error {
	return refuse("InvalidParameter.StrategyFormatError", format, args...)
}

func checkStatement(s map[string]json.RawMessage, rules policyRules) error {
	if name := inCapitals(s, "effect", "action", "resource", "condition", "principal"); name != "" {
		return malformed("a statement has %q, which is not in lower case", name)
	}
	if p := s["principal"]; p != nil && !(rules.asSDKs && everybody(p)) {
		return refuse("InvalidParameter.StrategyInvalid", "a statement has a principal")
	}
	var effect string
	if json.Unmarshal(s["effect"], &effect) != nil || effect != "allow" && effect != "deny" {
		return malformed("a statement's effect is neither allow nor deny")
	}
	if condition := s["condition"]; condition != nil && condition[0] != '{' { // null is none either
		return malformed("a statement's condition is no JSON object")
	}
	if err := checkActions(s["action"]); err != nil {
		return err
	}
	return checkResources(s["resource"], rules.account)
}

// everybody reports whether a principal is {"qcs":"*"}, alone or in a list: it says no more than none.
func everybody(principal json.RawMessage) bool {
	var by map[string]json.RawMessage
	if json.Unmarshal(principal, &by) != nil || len(by) != 1 {
		return false
	}
	names, ok := oneOrMore(by["qcs"])
	return ok && len(names) == 1 && names[0] == "*"
}

func checkActions(raw json.RawMessage) error {
	actions, ok := oneOrMore(raw)
	if !ok {
		return malformed("a statement's action is neither a string nor a list of strings")
	}
	for _, action := range actions {
		if !isAction(action) {
			return malformed("an action has no service, or no operation")
		}
	}
	return nil
}

// isAction holds an action to CAM's [name/]service:operation, where neither is empty. * and permid/280655, a set of
// actions, have no colon. Neither had the COS STS SDK's first examples, PutObject: no page says that STS refuses it.
func isAction(action string) bool {
	service, operation, found := strings.Cut(strings.TrimPrefix(action, "name/"), ":")
	return strings.TrimSpace(action) != "" && (!found || service != "" && operation != "")
}

func checkResources(raw json.RawMessage, account Account) error {
	resources, ok := oneOrMore(raw)
	if !ok {
		return malformed("a statement's resource is neither a string nor a list of strings")
	}
	for _, resource := range resources {
		if err := checkResource(resource, account); err != nil {
			return err
		}
	}
	return nil
}

// oneOrMore reads a string or a list of strings, neither of them empty.
func oneOrMore(raw json.RawMessage) ([]string, bool) {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return []string{one}, one != ""
	}
	var more []string
	if json.Unmarshal(raw, &more) != nil {
		return nil, false
	}
	return more, len(more) > 0
}

// checkResource holds a resource to six segments, qcs:project:service:region:account:resource. Whatever
// follows the fifth colon belongs to the last. Service, region and account may be empty: all services and regions, and
// the account that asks.
func checkResource(resource string, account Account) error {
	if resource == "*" {
		return nil
	}
	part := strings.SplitN(resource, ":", 6)
	if len(part) != 6 || part[0] != "qcs" || part[5] == "" {
		return refuse("InvalidParameter.ResouceError", "a resource is not of six segments: qcs::service:region:account:resource")
	}
	service, owner := part[2], part[4]
	kind, number, _ := strings.Cut(owner, "/")
	if owner != "" && owner != "*" && (kind != "uin" && kind != "uid" || number == "") {
		return refuse("InvalidParameter.ResouceError", "the account of a resource is neither uin/… nor uid/…")
	}
	if service == "cos" && kind == "uid" && account.AppID != "" && number != account.AppID && number != "*" {
		return refuse("InvalidParameter.GrantOtherResource", "a resource belongs to another account: its uid is not the APPID")
	}
	return nil
}
