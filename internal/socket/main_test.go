//go:build unix

package socket

import (
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/say"
	"github.com/tcred/tcred/internal/testworld"
)

// envRole makes the test's own binary play another part.
const envRole = "SOCKET_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(envRole) {
	case "":
		os.Exit(testworld.Run(m))
	case "listen": // on the inherited socket, until stdin ends
		syscall.Listen(3, 1)
	case "ask":
		timeout, _ := time.ParseDuration(os.Getenv("SOCKET_TEST_TIMEOUT"))
		if _, err := DialOrStart(os.Getenv(api.EnvSocket), "", time.Now().Add(timeout)); err != nil {
			fmt.Print(say.Text(api.AsError(err)))
			return
		}
	case "ask and become": // as tcred exec does
		startIt()
		syscall.Exec("/bin/sh", []string{"sh", "-c", "cat <&3"}, os.Environ())
	case "ask and wait":
		startIt()
		if pid, err := syscall.Wait4(-1, nil, 0, nil); err != syscall.ECHILD {
			fmt.Println("a child was left:", pid, err)
			return
		}
		fmt.Println("no child is left")
		return
	case "ask and watch":
		if change := watched(startIt); change != "" {
			fmt.Println(change)
			return
		}
	}
	fmt.Println("ok")
	io.Copy(io.Discard, os.Stdin)
}

func startIt() { DialOrStart(os.Getenv(api.EnvSocket), "", time.Now().Add(10*time.Second)) }

// watched says what of this process's umask and its file 3 changed while do ran, by /proc.
func watched(do func()) string {
	done := make(chan struct{})
	go func() { do(); close(done) }()
	before := ""
	for looks := 0; ; looks++ {
		status, _ := os.ReadFile("/proc/self/status")
		_, mask, _ := strings.Cut(string(status), "Umask:")
		mask, _, _ = strings.Cut(mask, "\n")
		flags, _ := os.ReadFile("/proc/self/fdinfo/3")
		if now := mask + " " + string(flags); before == "" {
			before = now
		} else if now != before {
			return before + " became " + now
		}
		select {
		case <-done:
			if mask == "" || looks < 10 {
				return fmt.Sprintf("looked %d times, umask %q", looks, mask)
			}
			return ""
		default:
		}
	}
}
