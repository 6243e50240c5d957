package policy

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkBroken checks policies in which everything is wrong. The time for a byte is the same whatever the size.
func BenchmarkBroken(b *testing.B) {
	const resource = `"qcs::cos:guangzhou:uid/<APPID>:photos/",` + "// mine\n"
	for _, size := range []int{4 << 10, 16 << 10, 62 << 10} {
		for what, src := range map[string]string{
			"statements": `{"version":"2.0","statement":[0` + strings.Repeat(",0", size/2) + `]}`,
			"resources": with(`"effect":"allow","action":"cos:Get*","resource":[` +
				strings.Repeat(resource, size/len(resource)) + `"*"]`),
		} {
			b.Run(fmt.Sprintf("%s/%dKiB", what, size>>10), func(b *testing.B) {
				b.SetBytes(int64(len(src)))
				for b.Loop() {
					Check([]byte(src))
				}
			})
		}
	}
}
