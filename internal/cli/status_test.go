package cli

import (
	"bytes"
	"strings"
	"testing"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/place/dirs"
)

func TestStatusSaysWhatIsNotAsThisCommandWouldHaveIt(t *testing.T) {
	var said bytes.Buffer
	a := &app{err: &said}
	a.warnOfSkew(api.Status{Version: api.Version, Config: "/c"}, dirs.Places{Config: "/c"})
	if said.Len() > 0 {
		t.Errorf("all is well, but it says %q", &said)
	}
	a.warnOfSkew(api.Status{Version: "0.1-old", Config: "/other"}, dirs.Places{Config: "/c"})
	for _, want := range []string{"version 0.1-old, this is " + api.Version, "reads /other, this shell means /c"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("no %q in\n%s", want, &said)
		}
	}
}
