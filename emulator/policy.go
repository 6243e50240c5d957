package emulator

import (
	"encoding/json"
	"net/url"
	"strings"
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
	if err := json.Unmarshal([]byte(text), &fields); err != nil {
		return malformed("the Policy, URL-decoded once, is no JSON object")
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

func malformed(format string, args ...any) error {
	return refuse("InvalidParameter.StrategyFormatError", format, args...)
}

func checkStatement(s map[string]json.RawMessage, rules policyRules) error {
	if p := s["principal"]; p != nil && !(rules.asSDKs && everybody(p)) {
		return refuse("InvalidParameter.StrategyInvalid", "a statement has a principal")
	}
	var effect string
	if json.Unmarshal(s["effect"], &effect) != nil || effect != "allow" && effect != "deny" {
		return malformed("a statement's effect is neither allow nor deny")
	}
	if condition := s["condition"]; condition != nil && json.Unmarshal(condition, new(map[string]any)) != nil {
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
		if service, operation, _ := strings.Cut(action, ":"); action != "*" && (service == "" || operation == "") {
			return malformed("an action is not of the form service:operation")
		}
	}
	return nil
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
// follows the fifth colon belongs to the last.
func checkResource(resource string, account Account) error {
	if resource == "*" {
		return nil
	}
	part := strings.SplitN(resource, ":", 6)
	if len(part) != 6 || part[0] != "qcs" || part[2] == "" || part[5] == "" {
		return refuse("InvalidParameter.ResouceError", "a resource is not of six segments: qcs::service:region:account:resource")
	}
	service, owner := part[2], part[4]
	kind, number, _ := strings.Cut(owner, "/")
	if owner != "" && (kind != "uin" && kind != "uid" || number == "") {
		return refuse("InvalidParameter.ResouceError", "the account of a resource is neither uin/… nor uid/…")
	}
	if service == "cos" && kind == "uid" && account.AppID != "" && number != account.AppID {
		return refuse("InvalidParameter.GrantOtherResource", "a resource belongs to another account: its uid is not the APPID")
	}
	return nil
}
