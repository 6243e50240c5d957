package cli

import (
	"fmt"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tcred/tcred/internal/cmdline"
)

// Each word of another tool stands for a command that there is.
func TestOtherToolsWordsStandForCommandsThatThereAre(t *testing.T) {
	root := new(app).root()
	for word, meant := range cmdline.OtherWords {
		cmd, rest, err := root.Find(strings.Fields(meant))
		if err != nil || len(rest) > 0 || !cmd.IsAvailableCommand() {
			t.Errorf("%s stands for %q, which is not there", word, meant)
		}
	}
	flags := make(map[string]bool)
	var look func(*cobra.Command)
	look = func(cmd *cobra.Command) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) { flags[f.Name] = true })
		cmd.PersistentFlags().VisitAll(func(f *pflag.Flag) { flags[f.Name] = true })
		for _, c := range cmd.Commands() {
			look(c)
		}
	}
	look(root)
	for word, meant := range cmdline.OtherFlags {
		for _, flag := range meant {
			if !flags[flag] {
				t.Errorf("--%s stands for --%s, which is not there", word, flag)
			}
		}
	}
}

func TestTheLikeliestCommandIsMeant(t *testing.T) {
	root := new(app).root()
	for word, want := range map[string]string{
		"lst": "list", "lsit": "list", "lits": "list", "gte": "get", "ge": "get", "exce": "exec", "exex": "exec", "execute": "exec",
		"stauts": "status", "stats": "status", "stat": "status", "remov": "remove", "ad": "add", "addd": "add", "whoam": "whoami",
		"loc": "lock", "unlok": "unlock", "ulock": "unlock", "log": "logs", "lgos": "logs", "docter": "doctor", "deamon": "daemon",
		"chekc": "check", "clera": "clear", "refesh": "refresh", "verison": "version", "comp": "completion", "emu": "emulator",
		"RM": "remove", "Status": "status", "int": "init", "dmeo": "demo", "servic": "service", "sevice": "service",
	} {
		if err := cmdline.NoCommand(root, word); !strings.HasSuffix(err.Error(), fmt.Sprintf("did you mean %q?", want)) {
			t.Errorf("%s: %v", word, err)
		}
	}
	for _, word := range []string{"frobnicate", "x", "upload"} {
		if err := cmdline.NoCommand(root, word); strings.Contains(err.Error(), "did you mean") {
			t.Errorf("%s: %v", word, err)
		}
	}
}

// The help of each command that takes a profile says which one is meant where none is named.
func TestTheHelpOfEveryCommandSaysWhichProfileIsMeant(t *testing.T) {
	a := new(app)
	found := 0
	for _, cmd := range append(a.root().Commands(), a.helperCmd()) {
		if !strings.Contains(cmd.Use, "[PROFILE]") {
			continue
		}
		found++
		if !strings.Contains(cmd.Long, strings.TrimSpace(profileHelp)) || cmd.Flags().Lookup("profile") == nil {
			t.Errorf("%s does not", cmd.Name())
		}
	}
	if found < 6 {
		t.Errorf("only %d commands take a profile", found)
	}
}
