package cli

import (
	"os"
	"strconv"

	"golang.org/x/term"
)

// width is how many columns the answer has: $COLUMNS, else those of the terminal that it goes to, else 0, which is any.
func (a *app) width() int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	if f, ok := a.out.(*os.File); ok {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil {
			return n
		}
	}
	return 0
}
