// Package say is how a command ends for people: the lines on stderr and the exit status.
//
// The helper imports it, so it uses nothing that package os does not need anyway: package place says what that saves.
package say

import (
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/human"
)

// What people see on stderr begins with these.
const (
	ErrorPrefix   = "tcred: error: "
	HintPrefix    = "tcred: hint: "
	WarningPrefix = "tcred: warning: "
	DebugPrefix   = "tcred: debug: "
)

// Patience is how long a person at a terminal waits before they are told for what.
const Patience = time.Second

// Waiting is the line that tells them.
func Waiting(what string) string { return "tcred: waiting for " + what + "\n" }

// Exit statuses of every command.
const (
	ExitOK       = 0
	ExitFailed   = 1
	ExitUsage    = 2
	ExitPerson   = 3  // a person is needed: locked, no such key
	ExitTryAgain = 75 // EX_TEMPFAIL: the same call may succeed later

	ExitInterrupted = 130 // as of a command that ^C ended
)

// Text renders e as the lines a person sees, each ended by a newline.
func Text(e *api.Error) string {
	text := ErrorPrefix + human.OneLine(e.Message) + "\n"
	if e.Hint != "" {
		text += HintPrefix + human.OneLine(e.Hint) + "\n"
	}
	return text
}

// PartlyUnused is the warning that not all of the config on disk is in use, and why.
func PartlyUnused(why error) string {
	return "not all of the config on disk is in use: " + human.OneLine(why.Error())
}

// Exit is the exit status of a command that fails with e.
func Exit(e *api.Error) int {
	if e.Retryable() {
		return ExitTryAgain
	}
	switch e.Code {
	case api.BadRequest:
		return ExitUsage
	case api.NoProfile, api.NoKey, api.KeystoreLocked, api.KeystoreAbsent, api.WrongPassphrase:
		return ExitPerson
	}
	return ExitFailed
}
