package emulator

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Body is a way to spoil an answer.
type Body string

// The ways to spoil an answer. All but the last two let the call happen and damage its answer on the wire.
const (
	Garble         Body = "garble"          // the right length, but no JSON
	Cut            Body = "cut"             // the connection ends half-way
	HTML           Body = "html"            // a page, as a proxy shows one
	Empty          Body = "empty"           // nothing
	Huge           Body = "huge"            // over 2 MiB of JSON
	NullExpiration Body = "null-expiration" // Expiration is null, as the page allows
	Expired        Body = "expired"         // the credential expired an hour ago
)

var bodies = []Body{"", Garble, Cut, HTML, Empty, Huge, NullExpiration, Expired}

// Fault is what goes wrong with a call. Its fields add up: a slow 502 is one fault.
type Fault struct {
	Action   string        // the calls it meets; "" = all
	Times    int           // how many of them; 0 = all until [Emulator.Heal]
	Delay    time.Duration // before the answer
	Status   int           // HTTP status of the answer; 0 = 200. Alone, the body is its text
	Code     string        // STS error to answer with, before anything is checked
	Message  string        // goes with Code; "" = a general one
	Body     Body          // how to spoil the answer
	Lifetime time.Duration // of the credential, whatever was asked for; 0 = as asked
	Skew     time.Duration // of the emulator's clock; positive = ahead
}

// Fail makes calls fail. A call meets the oldest fault that is for its action and not used up.
func (e *Emulator) Fail(f Fault) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.faults = append(e.faults, f)
}

// Heal removes all faults.
func (e *Emulator) Heal() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.faults = nil
}

// takeFault finds the fault for a call of action and uses it up by one. The caller holds e.mu.
func (e *Emulator) takeFault(action string) Fault {
	i := slices.IndexFunc(e.faults, func(f Fault) bool { return f.Action == "" || f.Action == action })
	if i < 0 {
		return Fault{}
	}
	f := e.faults[i]
	switch {
	case f.Times == 1:
		e.faults = slices.Delete(e.faults, i, i+1)
	case f.Times > 1:
		e.faults[i].Times--
	}
	return f
}

// wait holds the answer back; false if the client has gone meanwhile.
func (f Fault) wait(ctx context.Context) bool {
	if f.Delay <= 0 {
		return true
	}
	timer := time.NewTimer(f.Delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (f Fault) message() string {
	return cmp.Or(f.Message, "the emulator was told to fail")
}

func (f Fault) lifetime(asked time.Duration) time.Duration {
	if f.Body == Expired {
		return -time.Hour
	}
	return cmp.Or(f.Lifetime, asked)
}

const hugeSize = 2 << 20

// write sends an answer as the fault leaves it.
func (f Fault) write(w http.ResponseWriter, answer []byte) {
	status := cmp.Or(f.Status, http.StatusOK)
	kind := "application/json"
	if f.Status != 0 && f.Code == "" && f.Body == "" {
		kind, answer = "text/plain", fmt.Appendf(nil, "%d %s\n", status, http.StatusText(status))
	}
	size := len(answer)
	switch f.Body {
	case Garble:
		answer = bytes.Map(func(r rune) rune { return r ^ 1 }, answer)
	case Cut:
		answer = answer[:size/2] // net/http ends a connection that owes bytes
	case HTML:
		kind, answer = "text/html", []byte("<!DOCTYPE html><title>Please sign in</title><h1>Please sign in</h1>\n")
	case Empty:
		answer = nil
	case Huge:
		answer = slices.Concat([]byte(`{"Padding":"`), bytes.Repeat([]byte("x"), hugeSize), []byte(`",`), answer[1:])
	}
	if f.Body != Cut {
		size = len(answer)
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", strconv.Itoa(size))
	w.WriteHeader(status)
	w.Write(answer) // the client has gone; nobody is left to tell
}
