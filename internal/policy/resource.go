package policy

import (
	"fmt"
	"strings"
)

// segments of a resource, as CAM's "Resource Description Method" page names them.
var segments = []string{"qcs", "project", "service", "region", "account", "resource"}

const resourceHint = "the six segments are qcs:project:service:region:account:resource, e.g. " +
	"qcs::cos:ap-guangzhou:uid/1250000000:bucket-1250000000/*"

func (c *checker) resource(at int, s string) {
	if s == "*" {
		return
	}
	parts := strings.SplitN(s, ":", len(segments)) // the last segment may hold colons
	switch {
	case parts[0] == "arn":
		c.fail(at, fmt.Sprintf("resource %s is an AWS name", quote(s)), resourceHint)
	case strings.Contains(s, "："):
		c.fail(at, fmt.Sprintf("resource %s has a full-width colon", quote(s)), `type ":" instead`)
	case parts[0] != "qcs":
		c.fail(at, fmt.Sprintf("resource %s is neither \"*\" nor does it begin with qcs:", quote(s)), resourceHint)
	case len(parts) < len(segments):
		c.fail(at, fmt.Sprintf("resource %s has %d of 6 segments; missing: %s", quote(s), len(parts),
			strings.Join(missing(parts), ", ")), resourceHint)
	case parts[5] == "":
		c.fail(at, fmt.Sprintf("resource %s ends without its last segment", quote(s)), "end it with * for everything")
	default:
		c.account(at, parts[2], parts[4], parts[5])
	}
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

// account warns of what STS refuses as InvalidParameter.GrantOtherResource, the commonest failure people report.
func (c *checker) account(at int, service, account, resource string) {
	uid, isUID := strings.CutPrefix(account, "uid/")
	appid := bucketAppID(resource)
	switch {
	case account == "" || account == "*" || strings.HasPrefix(account, "uin/"):
	case !isUID:
		c.warn(at, fmt.Sprintf("account %s begins with neither uin/ nor uid/", quote(account)), resourceHint)
	case service != "cos":
	case len(uid) >= 10 && strings.HasPrefix(uid, "1000") && digits(uid):
		c.warn(at, fmt.Sprintf("uid/%s looks like an account's uin", uid), AppIDHint)
	case appid != "" && digits(uid) && uid != appid:
		c.warn(at, fmt.Sprintf("uid/%s is not the APPID %s of the bucket", uid, appid), AppIDHint)
	}
}

// bucketAppID is the APPID at the end of a bucket's name, "" where there is none to see.
func bucketAppID(resource string) string {
	bucket, _, _ := strings.Cut(resource, "/")
	i := strings.LastIndexByte(bucket, '-')
	if appid := bucket[i+1:]; i > 0 && len(appid) >= 8 && digits(appid) {
		return appid
	}
	return ""
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
