package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/internal/doctor"
	"github.com/tcred/tcred/internal/human"
	"github.com/tcred/tcred/internal/process"
	"github.com/tcred/tcred/internal/say"
	"github.com/tcred/tcred/internal/table"
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
	process.Harden() // it reads every key
	done := a.await("the keystore, the daemon and the network")
	findings := doctor.Examine(ctx)
	done()
	if err := ctx.Err(); err != nil {
		return err // what was looked at after ^C says nothing
	}
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
	var t table.Table
	for _, f := range findings {
		t.Add(string(f.Level), f.Check, f.Detail)
		if f.Cure != "" {
			t.Add("", "", "cure: "+f.Cure)
		}
	}
	return t.Print(a.out, a.width())
}
