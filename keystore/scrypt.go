package keystore

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
)

// How hard scrypt makes it to guess a passphrase: 2^n blocks of 1 KiB. Age's own default is 18, which takes 256 MiB and
// seconds at each start of a daemon; 16 takes 64 MiB, which a small machine has. A random passphrase cannot be guessed,
// so nothing has to make that harder.
const (
	typedFactor  = 16
	randomFactor = 10
)

// maxScrypt is the highest work factor that is used, as that of an age file that opens at all.
const maxScrypt = 22

// factorFor is the work factor that goes with a passphrase.
func factorFor(passphrase credential.Secret) int {
	if isRandom(passphrase) {
		return randomFactor
	}
	return typedFactor
}

// scryptStanza is the line of an age file that states its work factor.
var scryptStanza = regexp.MustCompile(`(?m)^-> scrypt \S+ ([1-9][0-9]?)$`)

// factorOf is the work factor of an identity file, 0 if it states none.
func factorOf(sealed []byte) int {
	m := scryptStanza.FindSubmatch(sealed)
	if m == nil {
		return 0
	}
	n, err := strconv.Atoi(string(m[1]))
	if err != nil || n > maxScrypt {
		return 0 // age says what is wrong with it
	}
	return n
}

// scryptMemory is what scrypt allocates, in bytes.
func scryptMemory(factor int) int64 { return 1024 << factor }

// enoughMemory is the error where scrypt would take more memory than this process may have. Without it the system would
// end the process, at each try anew, and nobody could say why.
func enoughMemory(factor int) error {
	need := scryptMemory(factor)
	free, limit := memoryLeft(need)
	if limit == "" {
		return nil
	}
	return fail(api.KeystoreFailed,
		"raise that limit; or where there is more memory run tcred passphrase, which makes it 64 MiB, "+
			"or with --passphrase-file FILE for a random passphrase next to nothing",
		"to open the file keystore takes %s of memory, and %s leaves %s", mib(need), limit, mib(free))
}

func mib(bytes int64) string { return fmt.Sprintf("%d MiB", max(bytes, 0)>>20) }
