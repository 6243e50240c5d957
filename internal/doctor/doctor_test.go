package doctor

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tcred/tcred/api"
)

func TestClockIsJudgedByWhatSTSAccepts(t *testing.T) {
	for ahead, want := range map[time.Duration]string{
		0:                               "ok it agrees with tencent cloud's",
		-time.Minute:                    "ok it agrees with tencent cloud's",
		2 * time.Minute:                 "warn this clock is 2m behind tencent cloud; 5m is the limit",
		-5 * time.Minute:                "warn this clock is 5m ahead of tencent cloud; 5m is the limit",
		10*time.Minute + 12*time.Second: "fail this clock is 10m12s behind tencent cloud; 5m is the limit",
	} {
		x := &examination{}
		x.clock(ahead)
		f := x.findings[0]
		if got := string(f.Level) + " " + f.Detail; got != want || (f.Level == OK) != (f.Cure == "") {
			t.Errorf("%v: %q, cure %q", ahead, got, f.Cure)
		}
	}
}

func TestItLooksWhetherTheSocketsDirectoryCanBeMade(t *testing.T) {
	home, err := os.MkdirTemp("", "tcred") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(home)
	for dir, level := range map[string]Level{
		filepath.Join(home, "a", "b"): OK,
		"/proc/none/a":                Fail,
	} {
		if runtime.GOOS == "windows" && level == Fail {
			continue
		}
		t.Setenv(api.EnvSocket, filepath.Join(dir, "s"))
		x := &examination{}
		x.socket()
		if f := x.findings[0]; f.Level != level || (level == Fail) != strings.Contains(f.Cure, api.EnvSocket) {
			t.Errorf("%s: %+v", dir, f)
		}
	}
}

func TestItSendsToTheServiceWhereNobodyAnswers(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no daemon on windows yet")
	}
	dir, err := os.MkdirTemp("", "tcred")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	t.Setenv(api.EnvSocket, filepath.Join(dir, "s"))
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	x := &examination{}
	x.daemon(ctx)
	if f := x.findings[0]; f.Level != Fail || !strings.Contains(f.Cure, "tcred service status") {
		t.Errorf("%+v", f)
	}
}
