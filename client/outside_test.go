//go:build unix

package client_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/client"
	"github.com/tcred/tcred/emulator"
)

// A program in another module and another directory, with no tcred beside it, starts the daemon and asks the official
// SDK.
func TestAProgramOfAnotherModuleUsesAnSDK(t *testing.T) {
	account := emulator.NewAccount(false)
	cloud := emulator.New(emulator.Options{Accounts: []emulator.Account{account}})
	server := httptest.NewServer(cloud)
	t.Cleanup(server.Close)

	dir, err := os.MkdirTemp("", "t")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	at := func(name string) string { return filepath.Join(dir, name) }
	write(t, at("keys/tcred.key.work"), account.SecretID+"\n"+account.SecretKey.Reveal()+"\n")
	write(t, at("config.toml"), fmt.Sprintf(`endpoint = %q
[keystore]
backend = "dir"
dir = %q
[profiles.upload]
key = "work"
policy = "full"
`, server.URL, at("keys")))
	buildOutside(t, at("module"))
	build := exec.Command("go", "build", "-o", at("bin/tcred"), "github.com/tcred/tcred")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building tcred: %v\n%s", err, out)
	}

	t.Setenv(api.EnvSocket, at("run/s"))
	t.Setenv(api.EnvConfig, at("config.toml"))
	t.Cleanup(func() {
		if err := new(client.Client).Stop(context.Background()); err != nil && api.CodeOf(err) != api.NoDaemon {
			t.Errorf("the daemon does not stop: %v", err)
		}
	})
	program := exec.Command(at("module/outside"), at("bin/tcred"), strings.TrimPrefix(server.URL, "http://"))
	program.Dir = at("module")
	program.Env = []string{
		"HOME=" + dir, api.EnvSocket + "=" + at("run/s"), api.EnvConfig + "=" + at("config.toml"),
		"XDG_CACHE_HOME=" + at("cache"), "XDG_STATE_HOME=" + at("state"), "XDG_DATA_HOME=" + at("data"),
	}
	out, err := program.CombinedOutput()
	if want := account.UIN + ":upload\n"; err != nil || string(out) != want {
		log, _ := os.ReadFile(at("state/tcred/daemon.log"))
		t.Fatalf("%v: printed %q, want %q; the daemon's log:\n%s", err, out, want, log)
	}
	if n := cloud.Calls(emulator.GetFederationToken); n != 1 {
		t.Errorf("%d calls of GetFederationToken", n)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// buildOutside makes a module in dir of testdata/outside and this checkout, and builds it without a network.
func buildOutside(t *testing.T, dir string) {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	ours := read("../go.mod")
	sdk := regexp.MustCompile(`(?m)^\tgithub\.com/tencentcloud/\S+ v\S+$`).FindAllString(ours, -1)
	version := regexp.MustCompile(`(?m)^go \S+$`).FindString(ours)
	write(t, filepath.Join(dir, "go.mod"), fmt.Sprintf(`module example.com/outside

%s

require (
	github.com/tcred/tcred v0.0.0
%s
)

replace github.com/tcred/tcred => %s
`, version, strings.Join(sdk, "\n"), root))
	write(t, filepath.Join(dir, "go.sum"), read("../go.sum"))
	write(t, filepath.Join(dir, "main.go"), read("testdata/outside/main.go"))

	build := exec.Command("go", "build", "-mod=mod", "-o", "outside", ".")
	build.Dir = dir
	build.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	if bytes.Contains(out, []byte("GOPROXY=off")) { // this checkout's own build needs less than the module graph
		missing := fmt.Sprintf("the module cache lacks what another module needs of it:\n%s", out)
		if os.Getenv("TCRED_TEST_REAL") == "1" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	if err != nil {
		t.Fatalf("building the program: %v\n%s", err, out)
	}
}
