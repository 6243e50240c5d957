package demo

import (
	"os"
	"testing"

	"github.com/tcred/tcred/internal/testworld"
)

func TestMain(m *testing.M) { os.Exit(testworld.Run(m)) }
