package policy

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkBroken checks policies in which everything is wrong. The time for a byte is the same whatever the size.
func BenchmarkBroken(b *testing.B) {
	for _, size := range []int{4 << 10, 16 << 10, 62 << 10} {
		src := []byte(`{"version":"2.0","statement":[0` + strings.Repeat(",0", size/2) + `]}`)
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			b.SetBytes(int64(len(src)))
			for b.Loop() {
				Check(src)
			}
		})
	}
}
