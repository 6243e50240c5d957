package sts

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/say"
)

func TestAMemberIsThereTwiceWhateverItsCase(t *testing.T) {
	for text, want := range map[string]bool{
		`{"a":1,"b":{"a":1},"c":[{"a":1},{"a":1}]}`: false,
		`{}`:            false,
		`{"a":1,"a":1}`: true,
		`{"a":1,"A":1}`: true,
		`{"x":{"Credentials":{},"Credential\u017f":null}}`: true, // a long s
		`{"x":[1,{"Token":1,"To\u212aen":1}]}`:             true, // the sign of kelvin
		`{"a":1,"\u0061":1}`:                               true,
	} {
		if got := twice([]byte(text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

// The SDK fills one struct from both members, so that it has credentials where the last one has none.
func TestAnAnswerThatNamesCredentialsTwiceIsRefusedAndNeverQuoted(t *testing.T) {
	const secret = "TheTokenThatNobodyMayQuote"
	credentials := fmt.Sprintf(`{"Token":%q,"TmpSecretId":"i","TmpSecretKey":%[1]q}`, secret)
	failure := fmt.Sprintf(`{"Code":"InternalError","Message":"it was %s"}`, secret)
	for _, body := range []string{
		`{"Response":{"Credentials":` + credentials + `,"Credentials":null,"Error":` + failure + `}}`,
		`{"Response":{"Credentials":` + credentials + `,"credentials":null,"Error":` + failure + `}}`,
		`{"Response":{"Credentials":` + credentials + `},"response":{"Error":` + failure + `}}`,
	} {
		s := start(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) })
		_, err := federate(t, s, FederationRequest{Duration: time.Hour})
		if api.CodeOf(err) != api.STSAnswer || strings.Contains(say.Text(api.AsError(err)), secret) {
			t.Errorf("%s: %v", body, err)
		}
	}
}
