package cache

import "errors"

func limitChild([]string) error { return errors.ErrUnsupported }
