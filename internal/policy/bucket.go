package policy

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// A place is what the last segment of a resource names, taken apart where it names a bucket.
type place struct {
	inBucket bool
	bucket   string // as it is written
	appID    string // whose bucket it is; "" where that is not to be seen
	old      bool   // it is prefix//APPID/bucket/key: the bucket stands there without its APPID
	bare     bool   // not even a / stands behind the bucket
	rest     string // what stands behind that /, or all there is
}

// placeOf reads the last segment of a resource: bucket-APPID/key, in COS's old form prefix//APPID/bucket/key, in CI
// bucket/bucket-APPID/key.
func placeOf(service, last string) place {
	p := place{inBucket: service == "cos", rest: last}
	if service == "ci" {
		p.rest, p.inBucket = strings.CutPrefix(last, "bucket/")
	}
	if !p.inBucket {
		return p
	}
	if rest, old := strings.CutPrefix(last, "prefix/"); old && service == "cos" {
		p.old, p.rest = true, rest
		if owner, ok := strings.CutPrefix(rest, "/"); ok {
			p.appID, p.rest, _ = strings.Cut(owner, "/")
		}
		if !digits(p.appID) {
			p.appID = ""
		}
	}
	var more bool
	p.bucket, p.rest, more = strings.Cut(p.rest, "/")
	p.bare = !more
	if !p.old {
		p.appID = ownerOf(p.bucket)
	}
	return p
}

// ownerOf is the APPID at the end of a bucket's name, "" where there is none to see. People write the bucket's host
// for it, too.
func ownerOf(bucket string) string {
	bucket, _, _ = strings.Cut(bucket, ".")
	i := strings.LastIndexByte(bucket, '-')
	if appID := bucket[i+1:]; i > 0 && len(appID) >= 8 && digits(appID) {
		return appID
	}
	return ""
}

// unnamed is what documents write for a bucket.
var unnamed = regexp.MustCompile(`<[^<>]+>|\{[^{}]+\}|\$[A-Za-z]|^(?i:your)[-_]`)

// bucket warns of a bucket that there cannot be.
func (c *checker) bucket(at int, account string, p place) {
	uid, _ := strings.CutPrefix(account, "uid/")
	name, _, _ := strings.Cut(p.bucket, ".")
	switch {
	case !p.inBucket || open(p.bucket):
	case name == "":
		c.warn(at, "resource names no bucket",
			"write the whole name of the bucket, like bucket-1250000000, before the first /")
	case unnamed.MatchString(name):
		c.warn(at, fmt.Sprintf("bucket %s is a placeholder", quote(name)),
			"write the whole name of the bucket, like bucket-1250000000")
	case p.old || p.appID != "" || strings.HasSuffix(name, "-"+uid):
	case digits(uid) && !looksLikeUIN(uid):
		c.warn(at, fmt.Sprintf("bucket %s ends without its APPID", quote(name)),
			fmt.Sprintf("write %s: the name of a bucket ends in - and the APPID", quote(name+"-"+uid)))
	default:
		c.warn(at, fmt.Sprintf("bucket %s ends without its APPID", quote(name)),
			"write its whole name, like bucket-1250000000")
	}
}

// onObjects are COS's operations on objects. Those on buckets take a resource that ends in the bucket's name or in /.
var onObjects = []string{
	"AbortMultipartUpload", "AppendObject", "CompleteMultipartUpload", "DeleteMultipleObjects", "DeleteObject",
	"DeleteObjectTagging", "GetObject", "GetObjectACL", "GetObjectTagging", "HeadObject", "InitiateMultipartUpload",
	"ListParts", "OptionsObject", "PostObject", "PostObjectRestore", "PutObject", "PutObjectACL", "PutObjectCopy",
	"PutObjectTagging", "UploadPart", "UploadPartCopy",
}

// isOnObjects reports whether an action, perhaps with wildcards, is one of them.
func isOnObjects(action string) bool {
	service, pattern, found := strings.Cut(strings.TrimPrefix(action, "name/"), ":")
	if !found {
		return action == "*"
	}
	if service != "cos" && service != "*" {
		return false
	}
	return slices.ContainsFunc(onObjects, func(operation string) bool {
		matches, err := path.Match(pattern, operation)
		return matches && err == nil
	})
}

// objects warns of a statement about objects whose resource is a bucket, or the one object whose name ends in /.
func (c *checker) objects(statement node) {
	if !slices.ContainsFunc(statement.texts("action"), func(n node) bool { return isOnObjects(n.text) }) {
		return
	}
	resources := statement.texts("resource")
	all := make([]string, len(resources))
	for i, n := range resources {
		all[i] = n.text
	}
	slices.Sort(all)
	for _, n := range resources {
		folder, p := folderOf(n.text)
		// What is in it may stand beside it: Tencent Cloud's pages give both for all rights to a bucket.
		i, _ := slices.BinarySearch(all, folder+"\x00")
		switch {
		case folder == "" || i < len(all) && strings.HasPrefix(all[i], folder):
		case p.rest == "":
			c.warn(n.at, fmt.Sprintf("resource %s is the bucket, not the objects in it", quote(n.text)),
				"end it with /* for its objects")
		default:
			c.warn(n.at, fmt.Sprintf("resource %s is the one object of that name, not what is in it", quote(n.text)),
				"end it with /* for what is in it")
		}
	}
}

// folderOf is what the names of all objects begin with that are in a COS resource, and "" where it names objects
// itself, or another service's.
func folderOf(resource string) (string, place) {
	message, _ := resourceFault(resource)
	if message != "" || resource == "*" {
		return "", place{}
	}
	parts := strings.SplitN(resource, ":", len(segments))
	p := placeOf(parts[2], parts[5])
	switch {
	case parts[2] != "cos" || p.bucket == "":
	case p.bare && !strings.HasSuffix(resource, "*"):
		return resource + "/", p
	case strings.HasSuffix(resource, "/"):
		return resource, p
	}
	return "", place{}
}

// texts are the strings under a key.
func (n node) texts(key string) (all []node) {
	for _, m := range n.members {
		if m.key != key {
			continue
		}
		for _, item := range m.value.oneOrMore() {
			if item.kind == "string" {
				all = append(all, item)
			}
		}
	}
	return all
}
