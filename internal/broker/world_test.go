package broker

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/tcred/tcred/cache"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/broker/brokertest"
)

// world is a brokertest.World with a broker in it.
type world struct {
	*brokertest.World
	broker *Broker
}

// inWorld runs a story in a bubble: a profile "p" of that duration, and a disk cache of its own.
func inWorld(t *testing.T, duration time.Duration, story func(*testing.T, *world)) {
	t.Helper()
	brokertest.In(t, duration, func(t *testing.T, machine *brokertest.World) {
		w := &world{World: machine}
		w.restart()
		story(t, w)
	})
}

// restart is a new daemon on the same machine: memory is gone, the disk is as it was.
func (w *world) restart() {
	w.broker = w.another()
	w.Asker = w.broker
}

// another is a second daemon on the same machine and cache.
func (w *world) another() *Broker {
	store := cache.Open(w.Dir, slog.New(slog.DiscardHandler))
	return New(Options{Profiles: profiles{w.STS}, Store: store, Now: w.Wall, Rate: brokertest.Rate})
}

// refresh runs the refresher until the story ends.
func (w *world) refresh() { w.Run(w.broker.RunRefresher) }

// profiles is the one profile of a brokertest.STS.
type profiles struct{ sts *brokertest.STS }

func (p profiles) Names(context.Context) []string { return []string{brokertest.Profile} }

func (p profiles) Lookup(_ context.Context, name string) (Profile, error) {
	id, revision, err := p.sts.Config(name)
	if err != nil {
		return Profile{}, err
	}
	return Profile{
		Name: name, Key: "default", Lifetime: p.sts.Duration - credential.Margin, Revision: revision, Source: source{p.sts, id},
	}, nil
}

// source is a brokertest.STS as a Source; Identify is its own.
type source struct {
	*brokertest.STS
	id string
}

func (s source) ID() string { return s.id }

func (s source) Open(ctx context.Context) (Session, error) {
	key, err := s.ReadKey(ctx)
	if err != nil {
		return nil, err
	}
	sealer, err := cache.NewSealer(key)
	return session{s.STS, sealer}, err
}

type session struct {
	*brokertest.STS
	sealer *cache.Sealer
}

func (s session) Sealer() *cache.Sealer { return s.sealer }

func (session) Close() {}
