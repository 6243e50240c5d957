package helper_test

import (
	"bytes"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tcred/tcred/internal/testworld"
)

// BenchmarkWarm measures promise 7: the helper's call on a daemon that runs and has the credential, against a
// Go program that prints the same bytes. "ratio" is that of the medians and must stay within 1.20.
// The two take turns, so that a busy machine slows both.
func BenchmarkWarm(b *testing.B) {
	dir := testworld.ShortDir(b)
	helper, hello := unmeasured(b, "../../cmd/tcred-helper"), unmeasured(b, "./testdata/hello")
	body := `{"Version":1,"AccessKeyId":"` + strings.Repeat("i", 60) + `","SecretAccessKey":"` + strings.Repeat("k", 44) +
		`","SessionToken":"` + strings.Repeat("t", 600) + `","Expiration":"2026-11-21T12:00:00Z"}` + "\n"
	path := serve(b, dir, func(c net.Conn) { // at once: what the daemon itself takes is another benchmark
		c.Read(make([]byte, 4096))
		io.WriteString(c, okAnswer(body))
	})
	env := []string{"HOME=" + dir, "TCRED_SOCKET=" + path}

	var helperTimes, helloTimes []time.Duration
	for b.Loop() {
		helperTimes = append(helperTimes, timed(b, env, body, helper, "upload"))
		helloTimes = append(helloTimes, timed(b, env, body, hello, body))
	}
	own, base := median(helperTimes), median(helloTimes)
	b.ReportMetric(float64(own)/float64(base), "ratio")
	b.ReportMetric(float64(own.Microseconds()), "helper-µs")
	b.ReportMetric(float64(base.Microseconds()), "hello-µs")
	b.ReportMetric(0, "ns/op") // of both together: says nothing
}

// timed runs a program and checks that it prints want.
func timed(b *testing.B, env []string, want, program string, args ...string) time.Duration {
	b.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(program, args...)
	cmd.Env, cmd.Stdout = env, write // a file, so that no goroutine of ours copies in between
	start := time.Now()
	err = cmd.Run()
	took := time.Since(start)
	write.Close()
	got, _ := io.ReadAll(read)
	read.Close()
	if err != nil || !bytes.Equal(got, []byte(want)) {
		b.Fatalf("%s: %v, printed %d bytes", program, err, len(got))
	}
	return took
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}
