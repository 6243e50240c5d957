// Package demo shows a person what tcred does, with the real binaries, a local STS and a temporary directory: no
// account is needed, no keychain is touched, and nothing is left behind.
package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/emulator"
)

// helpersAtOnce is how many helpers ask at the same moment.
const helpersAtOnce = 200

// Run runs the demo with the binary of this process as tcred. What happens is told on progress; answer gets the one
// credential that a tool would get. It removes all it made, also when ctx ends; the error is ctx.Err() then.
func Run(ctx context.Context, answer, progress io.Writer) error {
	w, err := newWorld(ctx)
	if err != nil {
		return err
	}
	failed, removed := w.runSteps(ctx, answer, progress), w.remove()
	if ctx.Err() != nil {
		failed = ctx.Err() // not what the interrupt did to a step
	}
	return errors.Join(removed, failed)
}

// step is one step of the demo. It returns a line about what came of it, or none; calls is how many STS calls it costs.
type step struct {
	title string
	calls int64
	do    func(context.Context) (outcome string, err error)
}

// runSteps runs all steps, and ends with the credential on answer.
func (w *world) runSteps(ctx context.Context, answer, progress io.Writer) error {
	fmt.Fprintf(progress, "tcred demo: a local STS and a temporary directory stand for the real ones\n\n")
	var last []byte
	steps := []step{
		{"tcred add: the permanent key goes into the keystore", 2, w.add},
		{"tcred-helper: a tool asks, and the daemon starts", 1, w.ask(&last)},
		{"tcred-helper: it asks again", 0, w.ask(&last)},
		{"tcred-helper: again, after the daemon was stopped", 0, w.askRestarted},
		{fmt.Sprintf("%d helpers at once, for a profile nobody used", helpersAtOnce), 1, w.askAtOnce},
		{"tcred-helper: STS is down", 0, w.askWhileDown},
		{"tcred whoami", 1, w.whoami},
		{"search for the permanent SecretKey", 0, w.search},
	}
	for i, s := range steps {
		if err := w.run(ctx, progress, i+1, s); err != nil {
			return err
		}
	}
	fmt.Fprintf(progress, "\nthis is what a tool was handed; your turn: tcred add\n")
	_, err := answer.Write(last)
	return err
}

// run runs step n and tells its time and its STS calls. Another number of calls than promised fails the demo.
func (w *world) run(ctx context.Context, progress io.Writer, n int, s step) error {
	before, began := w.sts.Calls(""), time.Now()
	outcome, err := s.do(ctx)
	if err != nil {
		return fmt.Errorf("demo, step %d (%s): %w", n, s.title, err)
	}
	took, calls := time.Since(began), w.sts.Calls("")-before
	fmt.Fprintf(progress, "%d. %-52s %8s  %s\n", n, s.title, round(took), stsCalls(calls))
	if outcome != "" {
		fmt.Fprintf(progress, "   %s\n", outcome)
	}
	if calls != s.calls {
		return &api.Error{
			Code:    api.Internal,
			Message: fmt.Sprintf("demo, step %d made %s where %d were due", n, stsCalls(calls), s.calls),
		}
	}
	return nil
}

// add stores the key, as a person would.
func (w *world) add(ctx context.Context) (string, error) {
	stdin := w.account.SecretKey.Reveal() + "\n"
	_, err := w.runTcred(ctx, stdin, "add", "--secret-id", w.account.SecretID, "--secret-key-stdin")
	return "verified at STS, and encrypted to a passphrase; a desktop would use its keychain", err
}

// ask asks through the helper, as a tool would, and keeps the answer in last.
func (w *world) ask(last *[]byte) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		answer, err := w.runHelper(ctx, "upload")
		*last = answer
		return "", err
	}
}

// askRestarted asks a new daemon, which has nothing in memory.
func (w *world) askRestarted(ctx context.Context) (string, error) {
	if _, err := w.runTcred(ctx, "", "daemon", "stop"); err != nil {
		return "", err
	}
	_, err := w.runHelper(ctx, "upload")
	return "from the sealed entry on disk", err
}

// askAtOnce runs many helpers at once and compares their answers.
func (w *world) askAtOnce(ctx context.Context) (string, error) {
	answers := make([][]byte, helpersAtOnce)
	failures := make([]error, helpersAtOnce)
	var group sync.WaitGroup
	for i := range helpersAtOnce {
		group.Go(func() { answers[i], failures[i] = w.runHelper(ctx, "fleet") })
	}
	group.Wait()
	if err := errors.Join(failures...); err != nil {
		return "", err
	}
	for _, answer := range answers {
		if !bytes.Equal(answer, answers[0]) {
			return "", errors.New("two helpers got different credentials")
		}
	}
	return "all got the same credential", nil
}

func (w *world) askWhileDown(ctx context.Context) (string, error) {
	w.sts.Fail(emulator.Fault{Status: 503})
	defer w.sts.Heal()
	_, err := w.runHelper(ctx, "upload")
	return "served all the same", err
}

func (w *world) whoami(ctx context.Context) (string, error) {
	out, err := w.runTcred(ctx, "", "whoami", "upload")
	return string(bytes.ReplaceAll(bytes.TrimSpace(out), []byte("\n"), []byte("\n   "))), err
}

// search looks for the permanent key where it must not be.
func (w *world) search(context.Context) (string, error) {
	inFiles, files, err := searchFiles(w.dir, w.account.SecretKey)
	if err != nil {
		return "", err
	}
	inProcesses, processes := searchProcesses(w.account.SecretKey)
	if hits := append(inFiles, inProcesses...); len(hits) > 0 {
		return "", fmt.Errorf("the permanent key lies in %v", hits)
	}
	outcome := fmt.Sprintf("not in %d files, the log among them", files)
	if processes > 0 {
		outcome += fmt.Sprintf(", nor in the arguments and environments of %d processes", processes)
	}
	return outcome, nil
}

func stsCalls(n int64) string {
	if n == 1 {
		return "1 STS call"
	}
	return fmt.Sprintf("%d STS calls", n)
}

func round(d time.Duration) time.Duration {
	if d < 10*time.Millisecond {
		return d.Round(100 * time.Microsecond)
	}
	return d.Round(time.Millisecond)
}
