package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/emulator"
)

// crowd is how many helpers ask at once in the demo.
const crowd = 200

func (a *app) demoCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "See all of it work: no account, no keychain, nothing left behind",
		Long: `Demo does the whole job on a local STS in a temporary directory: a key goes into a keystore, tools
get credentials through the helper, 200 of them at once, STS fails, and the permanent key is searched
for. Its story is on stderr; stdout gets one credential, as a tool would. Then everything is removed.`,
		Example: "  tcred demo",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			// A terminal that closes, or a reader that ends, must leave as little behind as ^C.
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGHUP, syscall.SIGPIPE)
			defer stop()
			s, err := newStage(ctx, a)
			if err != nil {
				return err
			}
			played, cleared := s.play(ctx), s.clear()
			if ctx.Err() != nil {
				played = ctx.Err() // not what it did to the scene
			}
			return errors.Join(cleared, played)
		},
	}
}

// scene is one step of the demo. It says what came of it, and how many STS calls it may cost.
type scene struct {
	title string
	calls int64
	play  func(context.Context) (outcome string, err error)
}

// play runs the scenes, each with its time and STS calls, and ends with the credential on stdout.
func (s *stage) play(ctx context.Context) error {
	fmt.Fprintf(s.app.err, "tcred demo: a local STS and a temporary directory stand for the real ones\n\n")
	var last []byte
	scenes := []scene{
		{"tcred add: the permanent key goes into the keystore", 2, s.add},
		{"tcred-helper: a tool asks, and the daemon starts", 1, s.ask(&last)},
		{"tcred-helper: it asks again", 0, s.ask(&last)},
		{"tcred-helper: again, after the daemon was stopped", 0, s.askRestarted},
		{fmt.Sprintf("%d helpers at once, for a profile nobody used", crowd), 1, s.askAtOnce},
		{"tcred-helper: STS is down", 0, s.askWhileDown},
		{"tcred whoami", 1, s.whoami},
		{"search for the permanent SecretKey", 0, s.search},
	}
	for i, sc := range scenes {
		if err := s.run(ctx, i+1, sc); err != nil {
			return err
		}
	}
	fmt.Fprintf(s.app.err, "\nthis is what a tool was handed; your turn: tcred add\n")
	_, err := s.app.out.Write(last)
	return err
}

// run plays one scene. A scene that costs another number of STS calls than promised is a failure of the demo.
func (s *stage) run(ctx context.Context, n int, sc scene) error {
	calls, began := s.sts.Calls(""), time.Now()
	outcome, err := sc.play(ctx)
	if err != nil {
		return fmt.Errorf("demo, step %d (%s): %w", n, sc.title, err)
	}
	took, calls := time.Since(began), s.sts.Calls("")-calls
	fmt.Fprintf(s.app.err, "%d. %-52s %8s  %s\n", n, sc.title, round(took), stsCalls(calls))
	if outcome != "" {
		fmt.Fprintf(s.app.err, "   %s\n", outcome)
	}
	if calls != sc.calls {
		return &api.Error{Code: api.Internal, Message: fmt.Sprintf("demo, step %d made %s where %d were due", n, stsCalls(calls), sc.calls)}
	}
	return nil
}

func (s *stage) add(ctx context.Context) (string, error) {
	_, err := s.tcredCmd(ctx, s.account.SecretKey.Reveal()+"\n", "add", "--secret-id", s.account.SecretID, "--secret-key-stdin")
	return "verified at STS, and encrypted to a passphrase; a desktop would use its keychain", err
}

// ask lets the helper answer, as a tool would.
func (s *stage) ask(last *[]byte) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		answer, err := s.helperCmd(ctx, "upload")
		*last = answer
		return "", err
	}
}

func (s *stage) askRestarted(ctx context.Context) (string, error) {
	if _, err := s.tcredCmd(ctx, "", "daemon", "stop"); err != nil {
		return "", err
	}
	_, err := s.helperCmd(ctx, "upload")
	return "from the sealed entry on disk", err
}

// askAtOnce starts a crowd of helpers and compares their answers.
func (s *stage) askAtOnce(ctx context.Context) (string, error) {
	answers := make([][]byte, crowd)
	failures := make([]error, crowd)
	var group sync.WaitGroup
	for i := range crowd {
		group.Go(func() { answers[i], failures[i] = s.helperCmd(ctx, "fleet") })
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

func (s *stage) askWhileDown(ctx context.Context) (string, error) {
	s.sts.Fail(emulator.Fault{Status: 503})
	defer s.sts.Heal()
	_, err := s.helperCmd(ctx, "upload")
	return "served all the same", err
}

func (s *stage) whoami(ctx context.Context) (string, error) {
	out, err := s.tcredCmd(ctx, "", "whoami", "upload")
	return string(bytes.ReplaceAll(bytes.TrimSpace(out), []byte("\n"), []byte("\n   "))), err
}

// search looks for the permanent key where it must not be.
func (s *stage) search(context.Context) (string, error) {
	found, err := searchFiles(s.dir, s.account.SecretKey)
	if err != nil {
		return "", err
	}
	more, processes := searchProcesses(s.account.SecretKey)
	if hits := append(found.hits, more...); len(hits) > 0 {
		return "", fmt.Errorf("the permanent key lies in %v", hits)
	}
	outcome := fmt.Sprintf("not in %d files, the log among them", found.files)
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
