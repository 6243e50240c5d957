package keys

import (
	"cmp"
	"context"
	"strings"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/keystore"
)

// consoleHint is where a person finds a key.
const consoleHint = "copy both from the API keys page of the CAM console"

// Person is whoever sits at the terminal.
type Person interface {
	Hidden(ctx context.Context, prompt string) (credential.Secret, error)
}

// Pasted is what a person has entered of a key so far; what is missing is still to be asked for.
type Pasted struct {
	Given string                           // the SecretId, where it came on the command line
	Say   func(format string, args ...any) // is told the SecretId, masked, once it was entered

	id, secret string
}

// Forget drops the half that was refused, and reports whether the person can be asked for it again.
func (p *Pasted) Forget(half Half) bool {
	switch {
	case p.secret == "": // nobody was asked
		return false
	case half == SecretKey:
		p.secret = ""
		return true
	case half == SecretID && p.Given == "":
		p.id = ""
		return true
	}
	return false
}

// Ask asks for what is missing. A SecretId and its SecretKey may come in one paste, as one line or as the two of the
// console's SecretKey.csv. Not even the SecretId is shown: it may be the secret, pasted into the wrong place.
func (p *Pasted) Ask(ctx context.Context, person Person) (keystore.Key, error) {
	p.id = cmp.Or(p.id, p.Given)
	for p.id == "" || p.secret == "" {
		what := "SecretId"
		if p.id != "" {
			what = "SecretKey"
		}
		parts, err := askParts(ctx, person, what)
		switch {
		case err != nil:
			return keystore.Key{}, err
		case len(parts) == 0:
			return keystore.Key{}, badPaste(consoleHint, "no "+what+" was entered")
		case len(parts) == 1 && p.id == "":
			p.id = parts[0]
		case len(parts) == 1:
			p.secret = parts[0]
		case len(parts) == 2:
			p.id, p.secret = parts[0], parts[1]
		default:
			return keystore.Key{}, badPaste(consoleHint+", one after the other or on one line", "that is not one "+what)
		}
		if what == "SecretId" && keystore.LooksLikeID(p.id) {
			p.Say("SecretId %s", credential.Mask(p.id))
		}
	}
	return keystore.NewKey(p.id, p.secret)
}

// askParts asks for one line, and for the next where it held names alone: the first line of SecretKey.csv.
func askParts(ctx context.Context, person Person, what string) ([]string, error) {
	for {
		line, err := person.Hidden(ctx, what)
		if err != nil {
			return nil, err
		}
		parts := keystore.Parts(line.Reveal())
		if len(parts) > 0 || strings.TrimSpace(line.Reveal()) == "" {
			return parts, nil
		}
	}
}

func badPaste(hint, message string) error {
	return &api.Error{Code: api.BadRequest, Message: message, Hint: hint}
}
