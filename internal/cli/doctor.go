package cli

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/human"
	"github.com/tcred/tcred/internal/place/dirs"
	"github.com/tcred/tcred/internal/profile"
	"github.com/tcred/tcred/internal/say"
)

func (a *app) doctorCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look for whatever could keep tcred from working",
		Long: `Doctor looks at the config, the keystore, the directories, the socket and the daemon, the helper, the
network, this clock, and for permanent keys that lie around in plaintext. Each check is ok, a warning or a
failure, and each fault comes with its cure. It starts no daemon, raises no prompt and shows no secret.
Exit status 1 means that a check failed.`,
		Example: `  tcred doctor
  tcred doctor --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.doctor(cmd.Context(), asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// How a check can end.
const (
	levelOK   = "ok"
	levelWarn = "warn" // it works, but
	levelFail = "fail"
)

// finding is the outcome of one check.
type finding struct {
	Level  string `json:"level"`
	Check  string `json:"check"` // what was looked at
	Detail string `json:"detail"`
	Cure   string `json:"cure,omitempty"`
}

// doctor goes from check to check and notes what it finds.
type doctor struct {
	paths    dirs.Places
	set      *profile.Set
	findings []finding
}

func (d *doctor) ok(check, format string, args ...any) {
	d.note(levelOK, check, "", fmt.Sprintf(format, args...))
}

func (d *doctor) warn(check, cure, format string, args ...any) {
	d.note(levelWarn, check, cure, fmt.Sprintf(format, args...))
}

func (d *doctor) fail(check, cure, format string, args ...any) {
	d.note(levelFail, check, cure, fmt.Sprintf(format, args...))
}

// failed is fail with an error's own words; its hint is the cure.
func (d *doctor) failed(check string, err error) {
	e := api.AsError(err)
	d.note(levelFail, check, e.Hint, e.Message)
}

func (d *doctor) note(level, check, cure, detail string) {
	d.findings = append(d.findings, finding{level, check, human.OneLine(detail), human.OneLine(cure)})
}

func (a *app) doctor(ctx context.Context, asJSON bool) error {
	d := &doctor{}
	d.examine(ctx)
	var err error
	if asJSON {
		err = a.printJSON(d.findings)
	} else {
		err = a.printFindings(d.findings)
	}
	if err != nil {
		return err
	}
	counts := make(map[string]int)
	for _, f := range d.findings {
		counts[f.Level]++
	}
	a.tell("%s, %s", count(counts[levelFail], "failure"), count(counts[levelWarn], "warning"))
	if counts[levelFail] > 0 {
		return exitStatus(say.ExitFailed)
	}
	return nil
}

// examine runs every check that can be run.
func (d *doctor) examine(ctx context.Context) {
	var err error
	if d.paths, err = dirs.Find(); err != nil {
		d.failed("paths", err)
	} else {
		d.set = profile.Open(profile.Options{
			ConfigPath: d.paths.Config, Index: indexOf(d.paths), FileDir: d.paths.Keys,
			Notify: func(line string) { d.warn("keystore", "", "%s", line) },
		})
		d.config(ctx)
		d.keystore(ctx)
		d.cacheDir(ctx)
		d.stateDir()
		d.socket()
		d.daemon(ctx)
		d.network(ctx)
	}
	d.helper(ctx)
	d.plaintext()
}

func (a *app) printFindings(findings []finding) error {
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	for _, f := range findings {
		fmt.Fprintf(w, "%s\t%s\t%s\n", f.Level, f.Check, f.Detail)
		if f.Cure != "" {
			fmt.Fprintf(w, "\t\tcure: %s\n", f.Cure)
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	return nil
}
