package config

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkBroken loads configs in which every line is wrong. The time for a byte is the same whatever the size.
func BenchmarkBroken(b *testing.B) {
	for _, lines := range []int{1000, 4000, 16000} {
		var text strings.Builder
		for i := range lines {
			fmt.Fprintf(&text, "x%d = 1\n", i)
		}
		path := write(b, "config.toml", text.String())
		b.Run(fmt.Sprintf("%dKiB", text.Len()>>10), func(b *testing.B) {
			b.SetBytes(int64(text.Len()))
			for b.Loop() {
				Load(path)
			}
		})
	}
}
