// Command tcred-helper prints a credential that the tcred daemon keeps fresh. Tools run it on every call.
package main

import (
	"os"

	"github.com/tcred/tcred/internal/helper"
)

func main() { os.Exit(helper.Main(os.Args[1:])) }
