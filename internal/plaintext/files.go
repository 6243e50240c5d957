package plaintext

import (
	"path/filepath"
	"regexp"

	"github.com/tcred/tcred/internal/disk"
)

// maxFile bounds what is read of another tool's file, in bytes.
const maxFile = 1 << 20

// InFiles finds the files below home in which another tool keeps a permanent key.
func InFiles(home string) (paths []string) {
	for _, path := range toolFiles(home) {
		if text, err := disk.Read(path, maxFile); err == nil && holdsPermanentKey(string(text)) {
			paths = append(paths, path)
		}
	}
	return paths
}

// toolFiles are where tccli, coscli, coscmd and the SDKs keep keys, whether or not there is such a file.
func toolFiles(home string) []string {
	files, _ := filepath.Glob(filepath.Join(home, ".tccli", "*.credential")) // fails where HOME is a bad pattern: none
	for _, name := range []string{".cos.yaml", ".cos.conf", filepath.Join(".tencentcloud", "credentials")} {
		files = append(files, filepath.Join(home, name))
	}
	return files
}

// Settings with a value, in JSON, YAML and INI alike: secretKey, secret_key, secretkey; token, sessiontoken,
// session_token.
var (
	keySetting   = regexp.MustCompile(`(?im)^[^#;\n]*?secret_?key["']?[ \t]*[:=][ \t]*["']?[^\s"',]`)
	tokenSetting = regexp.MustCompile(`(?im)^[^#;\n]*?token["']?[ \t]*[:=][ \t]*["']?[^\s"',]`)
)

// holdsPermanentKey reports whether more keys than tokens are set in a tool's file.
func holdsPermanentKey(text string) bool {
	return len(keySetting.FindAllString(text, -1)) > len(tokenSetting.FindAllString(text, -1))
}
