package service

import "testing"

func TestWhatKeepsADaemonAfterLogout(t *testing.T) {
	const here, elsewhere = "/run/user/1000/tcred/tcred.sock", "/home/u/.tcred.sock"
	for _, tt := range []struct{ user, manager, socket, want string }{
		{"Linger=no", "KillUserProcesses=no", here, "loginctl enable-linger"},
		{"Linger=yes", "KillUserProcesses=no", here, ""},
		{"Linger=no", "KillUserProcesses=no", elsewhere, ""},
		{"Linger=no", "KillUserProcesses=yes", elsewhere, "loginctl enable-linger, then tcred service install"},
		{"Linger=yes", "KillUserProcesses=yes", here, "tcred service install"},
	} {
		if got := keptBy(tt.user, tt.manager, tt.socket); got != tt.want {
			t.Errorf("%+v: %q", tt, got)
		}
	}
}
