package policy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// segments of a resource, as CAM's "Resource Description Method" page names them.
var segments = []string{"qcs", "project", "service", "region", "account", "resource"}

const resourceHint = "the six segments are qcs:project:service:region:account:resource, e.g. " +
	"qcs::cos:ap-guangzhou:uid/1250000000:bucket-1250000000/*"

// resourceFault says what keeps s from being a resource.
func resourceFault(s string) (message, hint string) {
	parts := strings.SplitN(s, ":", len(segments)) // the last segment may hold colons
	whole := parts[0] == "qcs" && len(parts) == len(segments)
	switch {
	case s == "*":
	case parts[0] == "arn":
		return fmt.Sprintf("resource %s is an AWS name", quote(s)), resourceHint
	case !whole && strings.Contains(s, "："):
		return fmt.Sprintf("resource %s has a full-width colon", quote(s)), `type ":" instead`
	case parts[0] != "qcs":
		return fmt.Sprintf("resource %s is neither \"*\" nor does it begin with qcs:", quote(s)), resourceHint
	case !whole:
		return fmt.Sprintf("resource %s has %d of 6 segments; missing: %s", quote(s), len(parts),
			strings.Join(missing(parts), ", ")), resourceHint
	case parts[5] == "":
		return fmt.Sprintf("resource %s ends without its last segment", quote(s)),
			"write what it is about, like bucket-1250000000/*"
	default:
		return accountFault(parts[2], parts[4], parts[5])
	}
	return "", ""
}

// accountFault says what keeps an account from being one: nothing or * for the key's own, uin/ or uid/ and a number.
func accountFault(service, account, last string) (message, hint string) {
	kind, number, _ := strings.Cut(account, "/")
	switch {
	case account == "" || account == "*":
	case kind != "uin" && kind != "uid":
		message = fmt.Sprintf("account %s begins with neither uin/ nor uid/", quote(account))
	case number == "":
		message = fmt.Sprintf("account %s has no number", quote(account))
	}
	if message == "" {
		return "", ""
	}
	if byAppID(service) {
		return message, appIDHint(placeOf(service, last).appID)
	}
	return message, "write uin/ and the root account's number, or leave it empty for the key's own"
}

// missing says which segments a resource lacks, told by where the account stands.
func missing(parts []string) []string {
	account := -1
	for i, part := range parts {
		if strings.HasPrefix(part, "uin/") || strings.HasPrefix(part, "uid/") {
			account = i
			break
		}
	}
	var lacks []string
	switch {
	case account == 3 && parts[1] == "":
		lacks = []string{"region"}
	case account == 3:
		lacks = []string{"project"}
	case account == 2 && parts[1] == "":
		lacks = []string{"service", "region"}
	case account == 2:
		lacks = []string{"project", "region"}
	case account < 0 && len(parts) == 5 && parts[1] == "":
		return []string{"account"}
	case account < 0 && len(parts) == 5:
		return []string{"project"}
	default:
		return segments[len(parts):]
	}
	if account == len(parts)-1 {
		lacks = append(lacks, "resource")
	}
	return lacks
}

// AppIDHint is the cure of a resource that names another account.
const AppIDHint = "after uid/ goes the APPID, the digits that end the bucket name, not the account's uin"

// appIDHint is AppIDHint, and what to write where the bucket shows it.
func appIDHint(appID string) string {
	if appID == "" {
		return AppIDHint
	}
	return fmt.Sprintf("write uid/%s: %s", appID, AppIDHint)
}

// byAppID reports whether a service's resources name their owner by uid/ and the APPID. All others do by uin/.
func byAppID(service string) bool {
	return service == "cos" || service == "ci" || service == "cas"
}

// placeholder is what documents write for what the reader must put in.
var placeholder = regexp.MustCompile(`<[^<>]+>|\$\{[^{}]*\}`)

// variables are what CAM fills in by itself, in the last segment and in conditions.
var variables = []string{"${uin}", "${owner_uin}", "${app_id}"}

// open reports whether it is not known here what s will be: it has a wildcard, or a variable that tcred fills in.
func open(s string) bool {
	return strings.ContainsAny(s, "*?") || strings.Contains(s, "{{")
}

// resource warns of what CAM can read, and what yet is hardly meant. s has no fault.
func (c *checker) resource(at int, s string) {
	if s == "*" {
		return
	}
	parts := strings.SplitN(s, ":", len(segments))
	service, account, last := parts[2], parts[4], parts[5]
	if service == "" {
		c.warn(at, fmt.Sprintf("resource %s names no service", quote(s)),
			"write one, like cos: CAM's pages differ about an empty one, which may be all of them")
	}
	c.region(at, parts[3])
	p := placeOf(service, last)
	c.account(at, service, account, p)
	c.bucket(at, account, p)
	c.placeholders(at, service, p.rest)
}

// account warns of what STS refuses as InvalidParameter.GrantOtherResource, the commonest failure people report.
func (c *checker) account(at int, service, account string, p place) {
	kind, number, _ := strings.Cut(account, "/")
	shown, hint := quote(account), appIDHint(p.appID)
	switch {
	case account == "" || account == "*":
	case byAppID(service) && kind == "uin":
		c.warn(at, fmt.Sprintf("account %s: a resource of %s names its owner by the APPID", shown, service), hint)
	case open(number):
	case !byAppID(service):
		if kind == "uin" && !digits(number) {
			c.warn(at, fmt.Sprintf("%s is not the number of an account", shown),
				"write uin/ and the root account's number, or leave it empty for the key's own")
		}
	case !digits(number):
		c.warn(at, fmt.Sprintf("%s is not an APPID", shown), hint)
	case p.appID == number:
	case looksLikeUIN(number):
		c.warn(at, fmt.Sprintf("%s looks like an account's uin", shown), hint)
	case p.appID != "":
		c.warn(at, fmt.Sprintf("%s is not the APPID %s of the bucket", shown, p.appID), hint)
	}
}

// looksLikeUIN reports whether number is like those of accounts today, which APPIDs are not.
func looksLikeUIN(number string) bool {
	return len(number) >= 10 && strings.HasPrefix(number, "1000")
}

// placeholders warns of one that is left in the part of a resource that people fill in as they like.
func (c *checker) placeholders(at int, service, rest string) {
	for _, found := range placeholder.FindAllString(rest, -1) {
		switch {
		case !slices.Contains(variables, found):
			c.warn(at, fmt.Sprintf("resource has the placeholder %s", quote(found)), "write what it stands for")
		case service == "cos":
			c.warn(at, fmt.Sprintf("resource has %s, which CAM fills in nowhere in a COS resource", quote(found)),
				"write the name itself")
		default:
			continue
		}
		return
	}
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
