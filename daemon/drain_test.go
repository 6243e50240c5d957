package daemon

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

func TestAConnectionThatWasAcceptedIsAnsweredAfterStop(t *testing.T) {
	inService(t, nil, func(t *testing.T, s *service) {
		c, err := s.pipes.dial(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // accepted; its request is still to come
		s.server.stop()
		time.Sleep(time.Second)
		if _, err := s.pipes.dial(t.Context(), "", ""); err == nil {
			t.Error("a server that stops accepts")
		}
		go io.WriteString(c, "GET /v1/status HTTP/1.1\r\nHost: tcred\r\n\r\n")
		answer, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		if answer.StatusCode != http.StatusOK || !answer.Close {
			t.Errorf("got %s, to be closed: %v", answer.Status, answer.Close)
		}
		began := time.Now()
		if err := <-s.ended; err != nil || time.Since(began) > time.Second {
			t.Errorf("Serve returned %v after %s", err, time.Since(began))
		}
	})
}

func TestAClientThatSaysNothingHoldsUpTheStopForAMomentOnly(t *testing.T) {
	inService(t, nil, func(t *testing.T, s *service) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		c, err := s.pipes.dial(ctx, "", "")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		synctest.Wait()
		began := time.Now()
		s.server.stop()
		if err := <-s.ended; err != nil || time.Since(began) > 6*time.Second {
			t.Errorf("Serve returned %v after %s", err, time.Since(began))
		}
	})
}
