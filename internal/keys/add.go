package keys

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/keystore"
)

// Addition puts a key into a keystore and its entry into the index, or leaves both as they were. With a store that is
// read-only the key is there already, and only the entry is new.
type Addition struct {
	Store   keystore.Store
	Index   keystore.Index
	Name    string // of the key
	Replace bool   // a key of that name gives way; without it, that is an error
	Daemon  Daemon // has the keystore open, which is locked in this process; nil where Store can be read here

	old     *keystore.Key // that is to be replaced, nil if there is none or it cannot be read
	there   bool          // a key of that name is in the keystore, readable or not
	restore func() error  // puts back what the store has under the name, byte for byte; nil if it cannot
}

// Daemon is the daemon that stores a key in this process's place: a client.Client.
type Daemon interface {
	AddKey(ctx context.Context, name string, key api.NewKey) error
}

// keeper is a store that can put back what it has under a name now, also what it cannot read.
type keeper interface {
	Keep(name string) (restore func() error, err error)
}

// undoTimeout bounds how long a failed addition takes to put things back.
const undoTimeout = 10 * time.Second

// Look finds the key that has the name already. Without Replace it is an error; with it, a damaged one may be replaced
// too.
func (a *Addition) Look(ctx context.Context) error {
	a.old, a.there = nil, false
	if a.Store.ReadOnly() {
		return nil // nothing is replaced
	}
	if a.Daemon != nil {
		return a.lookAtNames(ctx)
	}
	old, err := a.Store.Get(ctx, a.Name)
	switch {
	case api.CodeOf(err) == api.NoKey:
		return nil
	case err != nil && !(a.Replace && api.CodeOf(err) == api.KeystoreFailed):
		return err
	case err == nil && !a.Replace:
		return nameTaken(a.Name, old.ID)
	case err == nil:
		a.old = &old
	}
	a.there = true
	return nil
}

// lookAtNames finds a key of that name in a keystore that is locked here.
func (a *Addition) lookAtNames(ctx context.Context) error {
	names, err := a.Store.List(ctx)
	if err != nil {
		return err
	}
	a.there = slices.Contains(names, a.Name)
	if !a.there || a.Replace {
		return nil
	}
	entries, err := a.Index.Load()
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name == a.Name {
			return nameTaken(a.Name, e.SecretID)
		}
	}
	return nameTaken(a.Name, "")
}

func nameTaken(name, secretID string) error {
	return &api.Error{
		Code:    api.BadRequest,
		Message: fmt.Sprintf("there is a key %q already, SecretId %s", name, credential.Mask(secretID)),
		Hint:    fmt.Sprintf("tcred add %s --replace puts another in its place; or choose another name", name),
	}
}

// Put stores the key, reads it back and puts e, which bears the addition's name, into the index. No other process adds
// or removes a key meanwhile. If a step fails, those before it are undone; the error says what is stored now.
func (a *Addition) Put(ctx context.Context, key keystore.Key, e keystore.Entry) error {
	if a.Store.ReadOnly() {
		return a.NothingStored(a.Index.Put(ctx, e))
	}
	if a.Daemon != nil {
		return a.putThere(ctx, key, e)
	}
	index, unlock, err := a.Index.Lock(ctx)
	if err != nil {
		return a.NothingStored(err)
	}
	defer unlock()
	if err := a.Look(ctx); err != nil { // once more: another process may have added one since the caller looked
		return a.NothingStored(err)
	}
	a.restore = nil
	if k, is := a.Store.(keeper); is {
		if a.restore, err = k.Keep(a.Name); err != nil {
			return a.NothingStored(err)
		}
	}
	err = a.Store.Put(ctx, a.Name, key)
	if err == nil {
		err = a.readBack(ctx, key)
	}
	if err == nil {
		err = index.Put(ctx, e)
	}
	if err == nil {
		return nil
	}
	if undone := a.undo(ctx); undone != nil {
		return a.notUndone(err, undone)
	}
	return a.NothingStored(err)
}

// putThere has the daemon store the key. Its own errors say what is stored now.
func (a *Addition) putThere(ctx context.Context, key keystore.Key, e keystore.Entry) error {
	err := a.Daemon.AddKey(ctx, a.Name, api.NewKey{
		SecretID: key.ID, SecretKey: key.Secret.Reveal(), Replace: a.Replace,
		Site: e.Site, AccountID: e.AccountID, UserID: e.UserID, Arn: e.Arn, Type: e.Type,
	})
	if code := api.CodeOf(err); code == api.NoDaemon || code == api.Timeout {
		failed := *api.AsError(err)
		failed.Message += fmt.Sprintf("; key %q may be stored or not", a.Name)
		failed.Hint = "tcred list shows it, and tcred whoami --key " + a.Name + " tries it"
		return &failed
	}
	return err
}

func (a *Addition) readBack(ctx context.Context, key keystore.Key) error {
	got, err := a.Store.Get(ctx, a.Name)
	if err == nil && got != key {
		message := fmt.Sprintf("%s gave key %q back changed", Title(a.Store), a.Name)
		return &api.Error{Code: api.KeystoreFailed, Message: message, Hint: "tcred doctor"}
	}
	return err
}

// undo makes the keystore what it was, also after an interrupt.
func (a *Addition) undo(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
	defer cancel()
	if a.restore != nil {
		return a.restore()
	}
	if a.old != nil {
		if got, err := a.Store.Get(ctx, a.Name); err == nil && got == *a.old {
			return nil // it was never touched
		}
		return a.Store.Put(ctx, a.Name, *a.old)
	}
	if err := a.Store.Delete(ctx, a.Name); api.CodeOf(err) != api.NoKey {
		return err
	}
	return nil
}

// NothingStored is err, which ended the addition, with the words that the keystore is as it was; nil if err is nil.
func (a *Addition) NothingStored(err error) error {
	if err == nil {
		return nil
	}
	e := ended(err)
	e.Message += "; nothing was stored"
	if a.old != nil {
		e.Message += ", the old key is still there"
	}
	return e
}

// notUndone is err, which ended the addition, with what may be in the keystore now that undo failed too.
func (a *Addition) notUndone(err, undo error) error {
	e := ended(err)
	if a.old != nil {
		e.Message += fmt.Sprintf("; the old key could not be put back (%v), so %s holds the old or the new key %q",
			undo, Title(a.Store), a.Name)
		e.Hint = fmt.Sprintf("once that is mended: tcred add %s --replace", a.Name)
		return e
	}
	e.Message += fmt.Sprintf("; it could not be taken out again (%v), so %s may hold key %q, which no list shows",
		undo, Title(a.Store), a.Name)
	e.Hint = fmt.Sprintf("once that is mended: tcred remove %s, or tcred add %[1]s --replace", a.Name)
	return e
}

// ended is a copy of the error that ended an addition.
func ended(err error) *api.Error {
	e := *api.AsError(err)
	if errors.Is(err, context.Canceled) {
		e.Message = "interrupted"
	}
	return &e
}
