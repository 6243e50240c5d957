//go:build ignore

// Command make builds a release:
//
//	go run packaging/make.go [--out dist] [--version 1.2.0] [--only linux-amd64]
//
// It is ignored by go install ./..., which is for users.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"github.com/tcred/tcred/internal/release"
)

func main() {
	out := flag.String("out", "dist", "directory of the files that are made; another release in it is lost")
	version := flag.String("version", "", "such as 1.2.0; else what git describe says")
	only := flag.String("only", "", "one target such as linux-amd64, to try something; without a Homebrew formula")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := release.Run(ctx, *out, *version, *only); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}
