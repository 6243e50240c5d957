package daemon

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

const statusRequest = "GET /v1/status HTTP/1.1\r\nHost: tcred\r\n\r\n"

// connect is a connection to the service whose read ends by itself in ten minutes.
func connect(t *testing.T, s *service) net.Conn {
	t.Helper()
	c, err := s.pipes.dial(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Minute)); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAClientThatKeepsItsConnectionForNothingIsDropped(t *testing.T) {
	inService(t, nil, func(t *testing.T, s *service) {
		c := connect(t, s)
		go io.WriteString(c, statusRequest)
		r := bufio.NewReader(c)
		answer, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, answer.Body)
		began := time.Now()
		if _, err := r.ReadByte(); err == nil || errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) > 2*time.Minute {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

func TestAClientThatDoesNotReadItsAnswerIsDropped(t *testing.T) {
	inService(t, nil, func(t *testing.T, s *service) {
		c := connect(t, s)
		go io.WriteString(c, statusRequest)
		synctest.Wait()
		time.Sleep(2 * time.Minute)
		if text, err := io.ReadAll(c); len(text) > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("two minutes later it gets %q, %v", text, err)
		}
	})
}
