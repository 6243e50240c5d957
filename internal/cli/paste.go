package cli

import (
	"context"
	"strings"

	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/cmdline"
	"github.com/tcred/tcred/internal/keys"
	"github.com/tcred/tcred/keystore"
)

// consoleHint is where a person finds a key.
const consoleHint = "copy both from the API keys page of the CAM console"

// pasted is what a person has entered of a key so far, as they pasted it; "" is still to be asked for.
type pasted struct {
	id, secret string
	given      bool // the SecretId came on the command line
}

// forget drops the half that was refused, and reports whether the person can be asked for it again.
func (p *pasted) forget(half keys.Half) bool {
	switch {
	case p.secret == "": // nobody was asked
		return false
	case half == keys.SecretKey:
		p.secret = ""
		return true
	case half == keys.SecretID && !p.given:
		p.id = ""
		return true
	}
	return false
}

// ask asks for what is missing. A SecretId and its SecretKey may come in one paste, as one line or as the two of the
// console's SecretKey.csv. Not even the SecretId is shown: it may be the secret, pasted into the wrong place.
func (p *pasted) ask(ctx context.Context, a *app) (keystore.Key, error) {
	for p.id == "" || p.secret == "" {
		what := "SecretId"
		if p.id != "" {
			what = "SecretKey"
		}
		parts, err := a.askParts(ctx, what)
		switch {
		case err != nil:
			return keystore.Key{}, err
		case len(parts) == 0:
			return keystore.Key{}, cmdline.Error(consoleHint, "no %s was entered", what)
		case len(parts) == 1 && p.id == "":
			p.id = parts[0]
		case len(parts) == 1:
			p.secret = parts[0]
		case len(parts) == 2:
			p.id, p.secret = parts[0], parts[1]
		default:
			return keystore.Key{}, cmdline.Error(consoleHint+", one after the other or both on one line", "that is not one %s", what)
		}
		if what == "SecretId" && keystore.LooksLikeID(p.id) {
			a.tell("SecretId %s", credential.Mask(p.id))
		}
	}
	return keystore.NewKey(p.id, p.secret)
}

// askParts asks for one line, and for the next where it held names alone: the first line of SecretKey.csv.
func (a *app) askParts(ctx context.Context, what string) ([]string, error) {
	for {
		line, err := a.terminal().Hidden(ctx, what)
		if err != nil {
			return nil, err
		}
		parts := keystore.Parts(line.Reveal())
		if len(parts) > 0 || strings.TrimSpace(line.Reveal()) == "" {
			return parts, nil
		}
	}
}
