package daemon

import "errors"

// Again fails: there is no daemon on Windows.
func (Endpoint) Again(*Notifier) error { return errors.ErrUnsupported }

func resume(string) (Endpoint, *Listener, error) { return Endpoint{}, nil, nil }
