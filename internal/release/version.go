package release

import (
	"context"
	"fmt"
	"regexp"
	"strings"
)

// semver is strict enough that packages can be named after what it matches.
var semver = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?(\+[0-9A-Za-z.]+)?$`)

// findVersion is the version given, or the one that git knows.
func (r *release) findVersion(ctx context.Context, given string) (string, error) {
	version := strings.TrimPrefix(given, "v")
	if version == "" {
		described, err := output(ctx, r.root, "git", "describe", "--tags", "--match=v[0-9]*", "--always", "--dirty")
		if err != nil {
			return "", fmt.Errorf("no --version, and %w", err)
		}
		version = fromDescription(described)
	}
	if !semver.MatchString(version) {
		return "", fmt.Errorf("%q is not a version such as 1.2.0 or 1.2.0-rc.1", version)
	}
	return version, nil
}

// description is what git describe says of a commit that is not tagged itself: a tag, how far it is, a hash.
var description = regexp.MustCompile(`^v(.*)-([0-9]+)-g([0-9a-f]+)$`)

// fromDescription makes a version of what git describe says. A commit after a tag gets a suffix that makes it newer
// than the tag for packages: v1.2.0-3-g04841c6 is 1.2.0+3.g04841c6.
func fromDescription(described string) string {
	described, dirty := strings.CutSuffix(described, "-dirty")
	version := "0.0.0+g" + described
	if m := description.FindStringSubmatch(described); m != nil {
		version = m[1] + "+" + m[2] + ".g" + m[3]
	} else if tag, ok := strings.CutPrefix(described, "v"); ok {
		version = tag
		if dirty {
			version += "+dirty"
		}
		return version
	}
	if dirty {
		version += ".dirty"
	}
	return version
}
