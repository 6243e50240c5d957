package doctor

import (
	"regexp"

	"github.com/tcred/tcred/api"
)

// Fault is one thing that is wrong with a daemon, and what it is in the way of: profiles, and the keystore.
type Fault struct {
	Of      []string
	Problem *api.Problem
}

// Faults are those of a status, each once, however many profiles it is in the way of. What is wrong with the config is
// left out as far as the status itself is about it.
func Faults(st api.Status) (list []Fault) {
	said := make(map[string]int)
	note := func(name string, p *api.Problem) {
		if p == nil || st.Problem != nil && p.Code == api.ConfigInvalid && alike(p) == alike(st.Problem) {
			return
		}
		at, there := said[alike(p)]
		if !there {
			at = len(list)
			said[alike(p)] = at
			list = append(list, Fault{Problem: p})
		}
		list[at].Of = append(list[at].Of, name)
	}
	if st.Keystore != "" { // else its problem is the config's
		note("keystore", st.KeystoreProblem)
	}
	for _, p := range st.Profiles {
		note(p.Name, p.LastError)
	}
	return list
}

// onlyHere is what two problems of one cause may differ in: whose key or profile it is, the request, how many more.
var onlyHere = regexp.MustCompile(`,? (?:so |of |for )?(?:key|profile) "[^"]*"(?: cannot be \w+)?|,? request [0-9a-f-]+…?| \(\d+ more\)`)

// alike is the text of a problem without what is only here. Of a thing that is not there it is all of the text.
func alike(p *api.Problem) string {
	if p.Code == api.NoKey || p.Code == api.NoProfile {
		return p.Detail
	}
	return string(p.Code) + " " + onlyHere.ReplaceAllString(p.Detail, "")
}
