//go:build unix

package socket

import (
	"fmt"
	"io"
	"os"
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
		if _, err := DialOrStart(os.Getenv(api.EnvSocket), time.Now().Add(timeout)); err != nil {
			fmt.Print(say.Text(api.AsError(err)))
			return
		}
	case "ask and become": // as tcred exec does
		DialOrStart(os.Getenv(api.EnvSocket), time.Now().Add(10*time.Second))
		syscall.Exec("/bin/sh", []string{"sh", "-c", "cat <&3"}, os.Environ())
	}
	fmt.Println("ok")
	io.Copy(io.Discard, os.Stdin)
}
