package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/api"
)

func (a *app) versionCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Show the version",
		Long:    "Version shows the version, the commit it was built from if the build knows, and Go's version and target.",
		Example: "  tcred version",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(a.out, "tcred "+versionText())
			return err
		},
	}
}

// versionText is the version and what is known of the build: "1.2.0 (commit 04841c6e9f21, go1.26.8, linux/amd64)".
func versionText() string {
	return fmt.Sprintf("%s (%s%s, %s/%s)", api.Version, commit(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// commit is "commit 04841c6e9f21, ", marked if the tree was changed, or "" where Go did not note it.
func commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	set := make(map[string]string)
	for _, s := range info.Settings {
		set[s.Key] = s.Value
	}
	revision := set["vcs.revision"]
	if revision == "" {
		return ""
	}
	text := "commit " + revision[:min(len(revision), 12)]
	if set["vcs.modified"] == "true" {
		text += " and changes"
	}
	return text + ", "
}
