package cache

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/disk"
)

// An entry is a header of 13 bytes and a sealed body:
//
//	4   magic
//	1   version
//	8   expiry, Unix seconds, big-endian, so that Sweep needs no key
//	12  nonce
//	…   AES-256-GCM of the JSON of a body; the cache key and the header are its associated data
//
// Magic, version and expiry keep their place in every version to come: an older tcred sweeps by them.
const (
	magic      = "tcrd"
	version    = 1
	headerSize = len(magic) + 1 + 8
	maxEntry   = 64 << 10 // bytes, far above the longest triple
)

var errDamaged = errors.New("damaged")

type header struct {
	version byte
	expires int64 // Unix seconds
}

func (h header) bytes() []byte {
	return binary.BigEndian.AppendUint64(append([]byte(magic), h.version), uint64(h.expires))
}

// parseHeader reads the header of an entry of any version.
func parseHeader(raw []byte) (header, error) {
	if len(raw) < headerSize || string(raw[:len(magic)]) != magic || raw[len(magic)] == 0 {
		return header{}, fmt.Errorf("%w: no cache entry", errDamaged)
	}
	return header{
		version: raw[len(magic)],
		expires: int64(binary.BigEndian.Uint64(raw[len(magic)+1:])),
	}, nil
}

// body is what an entry seals, spelled out so that the format does not change with credential.Credential.
// JSON alters strings that are not UTF-8, so they are bytes here.
type body struct {
	SecretID  []byte    `json:"secret_id"`
	SecretKey []byte    `json:"secret_key"`
	Token     []byte    `json:"token"`
	Issued    time.Time `json:"issued"` // UTC, as Expires
	Expires   time.Time `json:"expires"`
	RequestID []byte    `json:"request_id"`
}

func encodeBody(c credential.Credential) ([]byte, error) {
	if c.IsZero() {
		return nil, errors.New("a credential without id, key, token or expiry is not cached")
	}
	text, err := json.Marshal(body{
		SecretID: []byte(c.SecretID), SecretKey: []byte(c.SecretKey.Reveal()), Token: []byte(c.Token.Reveal()),
		Issued: c.Issued.UTC(), Expires: c.Expires.UTC(), RequestID: []byte(c.RequestID),
	})
	if err != nil {
		return nil, fmt.Errorf("encode cache entry: %w", err)
	}
	return text, nil
}

func decodeBody(text []byte) (credential.Credential, error) {
	var b body
	if err := json.Unmarshal(text, &b); err != nil {
		return credential.Credential{}, fmt.Errorf("%w: %w", errDamaged, err)
	}
	c := credential.Credential{
		SecretID: string(b.SecretID), SecretKey: credential.Secret(b.SecretKey), Token: credential.Secret(b.Token),
		Issued: b.Issued, Expires: b.Expires, RequestID: string(b.RequestID),
	}
	if c.IsZero() || c.Issued.Location() != time.UTC || c.Expires.Location() != time.UTC {
		return credential.Credential{}, fmt.Errorf("%w: not a whole credential", errDamaged)
	}
	return c, nil
}

// readFile reads a file of at most maxEntry bytes. Anything else in its place is errDamaged.
func readFile(path string) ([]byte, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		return nil, fmt.Errorf("%w: %s is a link", errDamaged, path)
	}
	raw, err := disk.Read(path, maxEntry)
	if fault, ok := errors.AsType[*disk.Fault](err); ok {
		err = fmt.Errorf("%w: %w", errDamaged, fault)
	}
	return raw, err
}
