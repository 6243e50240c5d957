package service

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/tcred/tcred/internal/place"
)

// KeptAfterLogout is the command after which a daemon goes on when its user logs out, where logout ends it now. It is
// "" where it does not, or where nobody can tell: only systemd's logind says.
//
// Without lingering logind ends the user's services with the last session, and removes /run/user/UID, where the socket
// is: a daemon whose socket is gone ends too. Where KillUserProcesses is on it also ends what a session started.
func KeptAfterLogout(ctx context.Context) string {
	if runtime.GOOS != "linux" {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	user, err := command{"loginctl", "show-user", fmt.Sprint(os.Geteuid()), "--property=Linger"}.output(ctx)
	if err != nil {
		return ""
	}
	manager, err := command{"loginctl", "show-user", "--property=KillUserProcesses"}.output(ctx)
	if err != nil {
		return ""
	}
	socket, _ := place.Socket() // where that is not known, no daemon was asked
	return keptBy(user, manager, socket)
}

// keptBy goes by what logind says of the user and of itself, and by where the socket is.
func keptBy(user, manager, socket string) string {
	says := func(text, line string) bool { return slices.Contains(strings.Fields(text), line) }
	kills := says(manager, "KillUserProcesses=yes")
	lingers := says(user, "Linger=yes")
	switch {
	case !kills && (lingers || !strings.HasPrefix(socket, "/run/user/")):
		return ""
	case !kills:
		return "loginctl enable-linger"
	case lingers:
		return "tcred service install"
	}
	return "loginctl enable-linger, then tcred service install"
}
