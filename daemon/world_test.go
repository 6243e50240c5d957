package daemon

import (
	"context"
	"log/slog"

	"github.com/tcred/tcred/cache"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/broker"
	"github.com/tcred/tcred/internal/broker/brokertest"
)

// newBroker puts a new broker into a world: memory is empty, the disk is as it was.
func newBroker(w *brokertest.World) *broker.Broker { return newBrokerAt(w, brokertest.Rate) }

// newBrokerAt is newBroker with so many calls of STS a second.
func newBrokerAt(w *brokertest.World, perSecond int) *broker.Broker {
	store := cache.Open(w.Dir, slog.New(slog.DiscardHandler))
	b := broker.New(broker.Options{Profiles: profiles{w.STS}, Store: store, Now: w.Wall, Rate: perSecond})
	w.Asker = b
	return b
}

// profiles is the one profile of a brokertest.STS.
type profiles struct{ sts *brokertest.STS }

func (p profiles) Names(context.Context) []string { return []string{brokertest.Profile} }

func (p profiles) Lookup(_ context.Context, name string) (broker.Profile, error) {
	id, revision, err := p.sts.Config(name)
	if err != nil {
		return broker.Profile{}, err
	}
	return broker.Profile{
		Name: name, Key: "default", Lifetime: p.sts.Duration - credential.Margin, Revision: revision, Source: source{p.sts, id},
	}, nil
}

// source is a brokertest.STS as a broker.Source; Identify is its own.
type source struct {
	*brokertest.STS
	id string
}

func (s source) ID() string { return s.id }

func (s source) Open(ctx context.Context) (broker.Session, error) {
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
