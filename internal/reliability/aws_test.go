package reliability

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/emulator"
)

const awsCLI = "/usr/bin/aws" // Debian's

// TestAWSCLIAsksOnceACommand counts the helper's runs: botocore runs its credential_process again, on every request,
// once less than 15 minutes are left. Each age of a credential of 30 minutes, of which 29 can be used, is made by an
// STS that gives less life from the start. That such a profile never serves less than 15 minutes, whatever its age, is
// shown in daemon, where time is synthetic.
func TestAWSCLIAsksOnceACommand(t *testing.T) {
	needReal(t)
	if _, err := os.Stat(awsCLI); err != nil {
		t.Fatalf("TCRED_TEST_REAL=1 needs Debian's awscli: %v", err)
	}
	ages := []struct {
		profile string
		left    time.Duration
		calls   int
	}{
		{"fresh", 29 * time.Minute, 1},
		{"used", 25 * time.Minute, 1},
		{"older", 20 * time.Minute, 1},
		{"due", 16 * time.Minute, 1},
		{"last", 15*time.Minute + 40*time.Second, 1}, // a start of aws on a busy machine takes its time
		{"control", 14 * time.Minute, 2},             // what every command would cost without the 15 minutes: this test can fail
	}
	var settings strings.Builder
	settings.WriteString("duration = \"30m\"\n")
	for _, a := range ages {
		fmt.Fprintf(&settings, "[profiles.%s]\npolicy = \"full\"\n", a.profile)
	}
	w := newWorld(t, shipped, settings.String())
	w.start()
	helper, calls := loggingHelper(t, w)
	for _, a := range ages {
		t.Run(a.profile, func(t *testing.T) {
			w.cloud.suffer(emulator.Fault{Lifetime: a.left + credential.Margin})
			service := newAWSService(t)
			before := calls()
			w.runAWS(t, service.URL, helper+" "+a.profile)
			if got := calls() - before; got != a.calls {
				t.Errorf("aws ran the helper %d times with %s left, want %d", got, a.left, a.calls)
			}
			t.Logf("%s left: %d runs of the helper", a.left, calls()-before)
			if owner := service.owner(t, w.cloud); owner != a.profile {
				t.Errorf("the request carried a credential of %q, not of %q", owner, a.profile)
			}
		})
	}
}

// loggingHelper is a program that writes a line and becomes the helper, and the number of lines so far.
func loggingHelper(t *testing.T, w *world) (path string, calls func() int) {
	t.Helper()
	path, log := filepath.Join(w.dir, "helper"), filepath.Join(w.dir, "helper.log")
	script := fmt.Sprintf("#!/bin/sh\necho run >>%s\nexec %s \"$@\"\n", log, filepath.Join(w.bin, "tcred-helper"))
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return path, func() int {
		text, _ := os.ReadFile(log) // none before the first run
		return strings.Count(string(text), "\n")
	}
}

// runAWS runs one aws command against url, with process as its credential_process.
func (w *world) runAWS(t *testing.T, url, process string) {
	t.Helper()
	config := filepath.Join(w.dir, "aws.config")
	text := "[default]\nregion = ap-guangzhou\ncredential_process = " + process + "\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), awsCLI, "sts", "get-caller-identity", "--endpoint-url", url, "--output", "json")
	cmd.Dir = w.dir
	cmd.Env = append(w.env(), "AWS_CONFIG_FILE="+config, "AWS_SHARED_CREDENTIALS_FILE="+filepath.Join(w.dir, "none"),
		"AWS_EC2_METADATA_DISABLED=true")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("aws: %v\n%s", err, out)
	}
}

// awsService answers GetCallerIdentity, and keeps the headers of what it was asked.
type awsService struct {
	*httptest.Server
	asked []http.Header
}

func newAWSService(t *testing.T) *awsService {
	s := &awsService{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked = append(s.asked, r.Header)
		w.Header().Set("Content-Type", "text/xml")
		fmt.Fprint(w, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>`+
			`<Arn>arn:aws:iam::1:user/u</Arn><UserId>u</UserId><Account>1</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`)
	}))
	t.Cleanup(s.Close)
	return s
}

// owner is the profile whose credential the one request carried: its id and its token, as c issued them together.
func (s *awsService) owner(t *testing.T, c *cloud) string {
	t.Helper()
	if len(s.asked) != 1 {
		t.Fatalf("the service got %d requests, want 1", len(s.asked))
	}
	_, id, _ := strings.Cut(s.asked[0].Get("Authorization"), "Credential=")
	id, _, _ = strings.Cut(id, "/")
	c.mu.Lock()
	defer c.mu.Unlock()
	made := c.grant[id]
	if made == nil || made.cred.Token.Reveal() != s.asked[0].Get("X-Amz-Security-Token") {
		return ""
	}
	return made.name
}
