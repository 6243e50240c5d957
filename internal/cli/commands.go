package cli

import "github.com/spf13/cobra"

// Commands are tcred and tcred-helper with all their commands and flags, for their man pages. They are not for running.
func Commands() []*cobra.Command {
	a := new(app)
	return []*cobra.Command{a.root(), a.helperCmd()}
}

// commands are all of them; help sorts them by name.
func (a *app) commands() []*cobra.Command {
	return []*cobra.Command{
		a.demoCmd(), a.initCmd(), a.addCmd(), a.listCmd(), a.removeCmd(),
		a.getCmd(), a.execCmd(), a.whoamiCmd(),
		a.statusCmd(), a.unlockCmd(), a.lockCmd(), a.passphraseCmd(), a.refreshCmd(), a.clearCmd(),
		a.checkCmd(), a.doctorCmd(), a.logsCmd(),
		a.daemonCmd(), a.serviceCmd(), a.emulatorCmd(), a.completionCmd(), a.versionCmd(),
		a.keychainChildCmd(), a.helperCmd(),
	}
}
