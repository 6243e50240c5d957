package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/keystore"
)

// vault is where a key and what is known of it are put together, or not at all.
type vault struct {
	store keystore.Store
	index keystore.Index
	old   *keystore.Key // that is to be replaced, nil if there is none

	locked bool // a file keystore, until a person opened it in this process
}

// undoTimeout bounds how long a failed addition takes to put things back.
const undoTimeout = 10 * time.Second

// look finds the key that has the name already. A damaged one may be replaced too.
func (w *vault) look(ctx context.Context, q addition) error {
	w.old = nil
	if w.store.ReadOnly() {
		return nil // nothing is replaced
	}
	old, err := w.store.Get(ctx, q.name)
	switch {
	case api.CodeOf(err) == api.NoKey:
		return nil
	case err != nil && !(q.replace && api.CodeOf(err) == api.KeystoreFailed):
		return err
	case err == nil && !q.replace:
		return &api.Error{
			Code:    api.BadRequest,
			Message: fmt.Sprintf("there is a key %q already, SecretId %s", q.name, credential.Mask(old.ID)),
			Hint:    fmt.Sprintf("tcred add %s --replace puts another in its place; or choose another name", q.name),
		}
	case err == nil:
		w.old = &old
	}
	return nil
}

// keep stores the key, reads it back and notes it in the index, while no other process does. If one of these fails,
// it undoes what was done and says what is where.
func (w *vault) keep(ctx context.Context, q addition, key keystore.Key, e keystore.Entry) error {
	if w.store.ReadOnly() {
		return w.fate(w.index.Put(ctx, e), e.Name, nil)
	}
	index, unlock, err := w.index.Lock(ctx)
	if err != nil {
		return w.fate(err, e.Name, nil)
	}
	defer unlock()
	if err := w.look(ctx, q); err != nil { // again: another may have come while this key was asked for and tried
		return w.fate(err, e.Name, nil)
	}
	err = w.store.Put(ctx, e.Name, key)
	if err == nil {
		err = w.readBack(ctx, e.Name, key)
	}
	if err == nil {
		err = index.Put(ctx, e)
	}
	if err == nil {
		return nil
	}
	return w.fate(err, e.Name, w.undo(ctx, e.Name))
}

func (w *vault) readBack(ctx context.Context, name string, key keystore.Key) error {
	got, err := w.store.Get(ctx, name)
	if err == nil && got != key {
		err = &api.Error{Code: api.KeystoreFailed, Message: fmt.Sprintf("%s gave key %q back changed", titleOf(w.store), name), Hint: "tcred doctor"}
	}
	return err
}

// undo makes the keystore what it was, also after an interrupt.
func (w *vault) undo(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
	defer cancel()
	if w.old != nil {
		if got, err := w.store.Get(ctx, name); err == nil && got == *w.old {
			return nil // it was never touched
		}
		return w.store.Put(ctx, name, *w.old)
	}
	if err := w.store.Delete(ctx, name); api.CodeOf(err) != api.NoKey {
		return err
	}
	return nil
}

// fate adds to err what is where now.
func (w *vault) fate(err error, name string, undone error) error {
	if err == nil {
		return nil
	}
	e := *api.AsError(err)
	if errors.Is(err, context.Canceled) {
		e.Message = "interrupted"
	}
	switch {
	case undone != nil && w.old != nil:
		e.Message += fmt.Sprintf("; the old key could not be put back (%v), so %s holds the old or the new key %q", undone, titleOf(w.store), name)
		e.Hint = fmt.Sprintf("once that is mended: tcred add %s --replace", name)
	case undone != nil:
		e.Message += fmt.Sprintf("; it could not be taken out again (%v), so %s may hold key %q, which no list shows", undone, titleOf(w.store), name)
		e.Hint = fmt.Sprintf("once that is mended: tcred remove %s, or tcred add %s --replace", name, name)
	case w.old != nil:
		e.Message += "; nothing was stored, the old key is still there"
	default:
		e.Message += "; nothing was stored"
	}
	return &e
}
