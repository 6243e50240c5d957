package keyring

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"
)

// group is the 1536-bit MODP group of RFC 3526 section 2, the generator being 2: in hexadecimal,
// 2^1536 - 2^1472 - 1 + 2^64 * ([2^1406 pi] + 741804).
var group, _ = new(big.Int).SetString("FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74"+
	"020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245"+
	"E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE6"+
	"49286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD96"+
	"1C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA237327FFFFFFFFFFFFFFFF", 16)

// seal answers the keyring's half of a key exchange (libgcr's sx-aes-1: Diffie-Hellman, HKDF, AES-128-CBC) with a
// password that only the keyring can read.
func seal(exchange, password string) (string, error) {
	theirs, err := public(exchange)
	if err != nil {
		return "", err
	}
	private, err := rand.Int(rand.Reader, group)
	if err != nil {
		return "", err
	}
	shared := new(big.Int).Exp(theirs, private, group).FillBytes(make([]byte, 1536/8))
	key, err := hkdf.Key(sha256.New, shared, nil, "", aes.BlockSize)
	if err != nil {
		return "", err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return "", err
	}
	iv := []byte(rand.Text()[:aes.BlockSize])
	padding := aes.BlockSize - len(password)%aes.BlockSize
	text := []byte(password + strings.Repeat(string(rune(padding)), padding))
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(text, text)
	encode := base64.StdEncoding.EncodeToString
	ours := new(big.Int).Exp(big.NewInt(2), private, group)
	return fmt.Sprintf("[sx-aes-1]\npublic=%s\nsecret=%s\niv=%s\n", encode(ours.Bytes()), encode(text), encode(iv)), nil
}

// public is the keyring's public number.
func public(exchange string) (*big.Int, error) {
	for line := range strings.Lines(exchange) {
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), "public="); ok {
			number, err := base64.StdEncoding.DecodeString(text)
			return new(big.Int).SetBytes(number), err
		}
	}
	return nil, fmt.Errorf("no public number in %q", exchange)
}
