package doctor

import (
	"os"
	"strings"

	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/place"
	"github.com/tcred/tcred/internal/plaintext"
)

// plaintext warns of permanent keys in the environment and in other tools' files. It names the place, never a content.
func (x *examination) plaintext() {
	before := len(x.findings)
	for _, f := range plaintext.InEnvironment(os.Getenv) {
		if f.Token == "" && f.OfTencentCloud() && !x.isKeystores(f) {
			x.warn("plaintext",
				"tcred add --from env; then take it out of the file that sets it, and start tools by tcred exec",
				"the environment has a permanent key in %s", strings.Join(f.Variables, " and "))
		}
	}
	home, err := place.Home()
	if err != nil {
		return
	}
	for _, path := range plaintext.InFiles(home) {
		x.warn("plaintext", "tcred add, delete the file, and if others could read it replace the key at Tencent Cloud",
			"%s holds a permanent key", path)
	}
	if len(x.findings) == before {
		x.ok("plaintext", "no permanent key in the environment or in other tools' files")
	}
}

// isKeystores reports whether f is what the keystore "env" reads, and config names that keystore.
func (x *examination) isKeystores(f plaintext.Found) bool {
	return x.set != nil && x.set.StoreName() == "env" && f.Variables[0] == credential.Spellings()[0].ID
}
