package cli

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/internal/doctor"
	"github.com/tcred/tcred/internal/human"
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

func (a *app) doctor(ctx context.Context, asJSON bool) error {
	harden() // it reads every key
	findings := doctor.Examine(ctx)
	var err error
	if asJSON {
		err = a.printJSON(findings)
	} else {
		err = a.printFindings(findings)
	}
	if err != nil {
		return err
	}
	counts := make(map[doctor.Level]int)
	for _, f := range findings {
		counts[f.Level]++
	}
	a.tell("%s, %s", human.Count(counts[doctor.Fail], "failure"), human.Count(counts[doctor.Warn], "warning"))
	if counts[doctor.Fail] > 0 {
		return exitStatus(say.ExitFailed)
	}
	return nil
}

func (a *app) printFindings(findings []doctor.Finding) error {
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
