package daemon

import (
	"errors"
	"os"
)

func checkListening(*os.File) error { return errors.ErrUnsupported }
