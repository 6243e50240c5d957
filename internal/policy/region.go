package policy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// cities are the regions of Tencent Cloud: what stands before the hyphen, by what stands behind it. A region that is
// new and not here is as good as any other.
var cities = map[string]string{
	"bangkok": "ap", "beijing": "ap", "changsha": "ap", "chengdu": "ap", "chongqing": "ap", "fuzhou": "ap",
	"guangzhou": "ap", "hangzhou": "ap", "hongkong": "ap", "jakarta": "ap", "jinan": "ap", "mumbai": "ap",
	"nanjing": "ap", "seoul": "ap", "shanghai": "ap", "shenzhen": "ap", "singapore": "ap", "taipei": "ap",
	"tianjin": "ap", "tokyo": "ap", "wuhan": "ap",
	"ashburn": "na", "siliconvalley": "na", "toronto": "na",
	"frankfurt": "eu", "moscow": "eu",
	"saopaulo": "sa",
}

// mistyped are the cities that no other city's name is near to.
var mistyped = []string{
	"bangkok", "beijing", "chengdu", "chongqing", "frankfurt", "guangzhou", "hongkong", "jakarta", "shanghai",
	"siliconvalley", "singapore",
}

var (
	regionForm = regexp.MustCompile(`^[a-z]{2}-[a-z]+(-[a-z0-9]+)*$`)
	// oldForm is a region as it was named before: gz, sh, szjr.
	oldForm  = regexp.MustCompile(`^[a-z]{2,4}$`)
	oldNames = []string{"cgoec", "gzopen", "hfeec", "sheec", "sjwec", "szsycft", "xiyec"}
	// awsForm is one of AWS's: us-east-1. COS had cn-south and its like itself.
	awsForm = regexp.MustCompile(`^(?:us-.*|(?:[a-bd-z][a-z]|c[a-mo-z])-(?:north|south|east|west|central)[a-z]*-[0-9]+)$`)
	// everywhere are the words for what an empty segment says.
	everywhere = []string{"all", "any", "global", "none", "null"}
)

// region warns of a region that there is none. Nothing means all of them.
func (c *checker) region(at int, region string) {
	if region == "" || open(region) {
		return
	}
	hint := "write one like ap-guangzhou, or leave it empty for all regions"
	switch right := nearRegion(region); {
	case right == region:
		return
	case right != "":
		hint = fmt.Sprintf("write %s, or leave it empty for all regions", right)
	case awsForm.MatchString(region), slices.Contains(everywhere, region):
	case regionForm.MatchString(region), oldForm.MatchString(region), slices.Contains(oldNames, region):
		return
	}
	c.warn(at, fmt.Sprintf("there is no region %s", quote(region)), hint)
}

// nearRegion is the region that was meant, as far as its city tells it: ap-guangzhou for guangzhou, cn-guangzhou,
// AP_Guangzhou and ap-guangzho; "" if it does not.
func nearRegion(region string) string {
	name := strings.NewReplacer("_", "-", " ", "-").Replace(strings.ToLower(strings.TrimSpace(region)))
	before, city, found := strings.Cut(name, "-")
	if !found || cities[before] != "" {
		city = name
	}
	city, tail, more := strings.Cut(city, "-")
	if i := slices.IndexFunc(mistyped, func(c string) bool { return oneLetterApart(city, c) }); i >= 0 {
		city = mistyped[i]
	}
	near := cities[city] + "-" + city
	if more {
		near += "-" + tail
	}
	if cities[city] == "" || len(near) > 40 || !regionForm.MatchString(near) {
		return ""
	}
	return near
}

// oneLetterApart reports whether one letter inserted, deleted or replaced, or two swapped, turn a into b.
func oneLetterApart(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	switch len(b) - len(a) {
	case 1:
		return a[i:] == b[i+1:]
	case 0:
		return i < len(a) && (a[i+1:] == b[i+1:] ||
			i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:])
	}
	return false
}
