package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/tcred/tcred/credential"
)

// plaintext warns of permanent keys in the environment and in other tools' files. It names the place, never a content.
func (d *doctor) plaintext() {
	before := len(d.findings)
	for _, c := range environCredentials(os.Getenv) {
		if c.Token == "" && !d.wanted(c) && (!strings.HasPrefix(c.names[0], "AWS_") || tencentID(c.SecretID)) {
			d.warn("plaintext", "tcred add --from env; then take it out of the file that sets it, and start tools by tcred exec",
				"the environment has a permanent key in %s", strings.Join(c.names, " and "))
		}
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return
	}
	for _, path := range plaintextFiles(home) {
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
			continue
		}
		if text, err := readFile(path); err == nil && holdsPermanentKey(string(text)) {
			d.warn("plaintext", "tcred add, delete the file, and if others could read it replace the key at Tencent Cloud",
				"%s holds a permanent key", path)
		}
	}
	if len(d.findings) == before {
		d.ok("plaintext", "no permanent key in the environment or in other tools' files")
	}
}

// wanted reports whether c is the key of a keystore in the environment.
func (d *doctor) wanted(c environCredential) bool {
	if d.set == nil || c.names[0] != credential.Spellings()[0].ID {
		return false
	}
	store, err := d.set.Store()
	return err == nil && store.Name() == "env"
}

// tencentID tells a SecretId of Tencent Cloud's, from either site, from an AWS access key's id.
func tencentID(id string) bool { return strings.HasPrefix(id, "AKID") || strings.HasPrefix(id, "IKID") }

// plaintextFiles are where tccli, coscli, coscmd and the SDKs keep keys.
func plaintextFiles(home string) []string {
	files, _ := filepath.Glob(filepath.Join(home, ".tccli", "*.credential")) // an error is a pattern in HOME: no match then
	for _, name := range []string{".cos.yaml", ".cos.conf", filepath.Join(".tencentcloud", "credentials")} {
		files = append(files, filepath.Join(home, name))
	}
	return files
}

// Settings with a value, in JSON, YAML and INI alike: secretKey, secret_key, secretkey; token, sessiontoken, session_token.
var (
	keySetting   = regexp.MustCompile(`(?im)^[^#;\n]*?secret_?key["']?[ \t]*[:=][ \t]*["']?[^\s"',]`)
	tokenSetting = regexp.MustCompile(`(?im)^[^#;\n]*?token["']?[ \t]*[:=][ \t]*["']?[^\s"',]`)
)

// holdsPermanentKey reports whether more keys than tokens are set in a tool's file.
func holdsPermanentKey(text string) bool {
	return len(keySetting.FindAllString(text, -1)) > len(tokenSetting.FindAllString(text, -1))
}
