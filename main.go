// Command tcred keeps permanent Tencent Cloud keys in the keychain and hands out short-lived ones.
package main

import (
	"os"

	"github.com/tcred/tcred/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args)) }
