package config

import (
	"strings"
	"testing"
)

func TestAnotherKeystoreChangesItsLineAlone(t *testing.T) {
	for name, c := range map[string]struct{ before, backend, file, after string }{
		"a table":            {"# a\n[keystore]\nbackend = \"keychain\" # b\nx = 1\n", "file", "", "# a\n[keystore]\nbackend = \"file\" # b\nx = 1\n"},
		"single quotes":      {"[keystore]\nbackend='keychain'", "file", "", "[keystore]\nbackend=\"file\""},
		"many quotes":        {"[keystore]\nbackend = \"\"\"keychain\"\"\"\n", "env", "", "[keystore]\nbackend = \"env\"\n"},
		"said already":       {"[keystore]\nbackend = 'file'\n", "file", "", "[keystore]\nbackend = 'file'\n"},
		"lines of Windows":   {"key = \"a\"\r\n[keystore]\r\nbackend = \"keychain\"\r\n# c\r\n", "file", "/p", "key = \"a\"\r\n[keystore]\r\nbackend = \"file\"\r\npassphrase_file = \"/p\"\r\n# c\r\n"},
		"a mark":             {"\ufeff[keystore]\nbackend = \"keychain\"\n", "file", "", "\ufeff[keystore]\nbackend = \"file\"\n"},
		"blanks":             {"  [ keystore ]  # k\n\tbackend\t=\t\"keychain\"  \n", "file", "", "  [ keystore ]  # k\n\tbackend\t=\t\"file\"  \n"},
		"quoted keys":        {"[\"keystore\"]\n\"backend\" = \"keychain\"\n", "env", "", "[\"keystore\"]\n\"backend\" = \"env\"\n"},
		"an inline table":    {"keystore = {backend = \"keychain\"} # k\nkey = \"a\"\n", "file", "", "keystore = {backend = \"file\"} # k\nkey = \"a\"\n"},
		"inline, a file":     {"keystore={backend='file',passphrase_file='/p'}\n", "env", "", "keystore={ backend = \"env\" }\n"},
		"inline, file first": {"keystore={ passphrase_file='/p', backend='file' }\n", "keychain", "", "keystore={ backend = \"keychain\" }\n"},
		"inline, a new file": {"keystore = {backend = \"env\"}", "file", "/p", "keystore = { passphrase_file = \"/p\", backend = \"file\" }"},
		"an empty one":       {"keystore = {}\n", "file", "/p", "keystore = { backend = \"file\", passphrase_file = \"/p\" }\n"},
		"inline, no backend": {"keystore = { passphrase_file = \"/p\" }\n", "file", "", "keystore = { backend = \"file\", passphrase_file = \"/p\" }\n"},
		"a dot":              {"keystore.backend = \"keychain\"\nkey = \"a\"\n[profiles.x]\npolicy=\"full\"\n", "file", "/p", "keystore.backend = \"file\"\nkeystore.passphrase_file = \"/p\"\nkey = \"a\"\n[profiles.x]\npolicy=\"full\"\n"},
		"a dot and a file":   {"keystore.backend = \"file\"\nkeystore . passphrase_file = \"/p\"\n", "env", "", "keystore.backend = \"env\"\n# keystore . passphrase_file = \"/p\"\n"},
		"a dot alone":        {"keystore.dir = \"/d\"\n", "dir", "", "keystore.dir = \"/d\"\nkeystore.backend = \"dir\"\n"},
		"a table, no line":   {"[keystore]\n# none yet\n[profiles.x]\n", "file", "", "[keystore]\nbackend = \"file\"\n# none yet\n[profiles.x]\n"},
		"a table at the end": {"key = \"a\"\n[keystore]", "file", "/p", "key = \"a\"\n[keystore]\nbackend = \"file\"\npassphrase_file = \"/p\""},
		"no table":           {"key = \"a\"\n[profiles.x]\npolicy = \"full\"\n", "file", "", "key = \"a\"\n[profiles.x]\npolicy = \"full\"\n\n[keystore]\nbackend = \"file\"\n"},
		"no table, no end":   {"key = \"a\"", "file", "/p", "key = \"a\"\n\n[keystore]\nbackend = \"file\"\npassphrase_file = \"/p\""},
		"nothing":            {"", "env", "", "[keystore]\nbackend = \"env\"\n"},
		"what does not fit":  {"[keystore]\nbackend = \"file\"\n  passphrase_file = \"p\" # mine\ndir = \"d\"\n", "env", "", "[keystore]\nbackend = \"env\"\n  # passphrase_file = \"p\" # mine\n# dir = \"d\"\n"},
		"a file that stays":  {"[keystore]\nbackend = \"keychain\"\npassphrase_file = \"p\"\n", "file", "", "[keystore]\nbackend = \"file\"\npassphrase_file = \"p\"\n"},
		"another file":       {"[keystore]\npassphrase_file = 'p' # f\nbackend = \"file\"\n", "file", "/q \"x\"\\", "[keystore]\npassphrase_file = \"/q \\\"x\\\"\\\\\" # f\nbackend = \"file\"\n"},
		"a wrong backend":    {"[keystore]\nbackend = 3 # three\n", "file", "", "[keystore]\nbackend = \"file\" # three\n"},
		"in a long string":   {"[profiles.x]\npolicy = '''\n[keystore]\nbackend = \"keychain\"\n'''\n[keystore]\nbackend = \"env\"\n", "file", "", "[profiles.x]\npolicy = '''\n[keystore]\nbackend = \"keychain\"\n'''\n[keystore]\nbackend = \"file\"\n"},
		"comments that lie":  {"# [keystore]\n# backend = \"keychain\"\n", "file", "", "# [keystore]\n# backend = \"keychain\"\n\n[keystore]\nbackend = \"file\"\n"},
	} {
		after, err := rewriteKeystore([]byte(strings.TrimPrefix(c.before, "\ufeff")), c.backend, c.file, false)
		want := strings.TrimPrefix(c.after, "\ufeff")
		if err != nil || string(after) != want {
			t.Errorf("%s:\n%q became\n%q, want\n%q (%v)", name, c.before, after, want, err)
		}
	}
}

func TestAKeystoreThatCannotBeChangedSafelyIsLeftAlone(t *testing.T) {
	for name, text := range map[string]string{
		"twice in one":    "keystore = { \"backend\\u0000\" = \"x\" }\n",
		"a list":          "keystore = [1]\n",
		"a string":        "keystore = \"file\"\n",
		"a list of them":  "[[keystore]]\nbackend = \"x\"\n",
		"an escaped name": "\"key\\u0073tore\".backend = \"env\"\n",
		"an odd line":     "a = [\n\"x\",\n]\n\"keystore\".\"b\\u0061ckend\" = \"env\"\n",
	} {
		if after, err := rewriteKeystore([]byte(text), "file", "", false); err == nil {
			t.Errorf("%s became %q", name, after)
		}
	}
}

func TestAPassphraseFileCanGoWithoutAnotherKeystore(t *testing.T) {
	after, err := rewriteKeystore([]byte("[keystore]\nbackend = \"file\"\npassphrase_file = \"/p\"\n"), "file", "", true)
	if want := "[keystore]\nbackend = \"file\"\n# passphrase_file = \"/p\"\n"; err != nil || string(after) != want {
		t.Errorf("%q, %v", after, err)
	}
}

func TestTheLinesThatChangedAreShown(t *testing.T) {
	for name, c := range map[string]struct {
		before, after string
		want          []Change
	}{
		"none":      {"a\nb\n", "a\nb\n", nil},
		"one":       {"a\r\nb\r\n", "a\r\nc\r\n", []Change{{"b", "c"}}},
		"and more":  {"a\nb\nc\n", "a\nx\ny\nc\n", []Change{{"b", "x"}, {"", "y"}}},
		"one added": {"a\nc\n", "a\nb\nc\n", []Change{{"", "b"}}},
		"at an end": {"a", "a\n\n[k]\nb", []Change{{"", "[k]"}, {"", "b"}}},
	} {
		got := changesOf(c.before, c.after)
		if len(got) != len(c.want) {
			t.Errorf("%s: %q", name, got)
			continue
		}
		for i, w := range c.want {
			if got[i] != w {
				t.Errorf("%s: %q, want %q", name, got[i], w)
			}
		}
	}
}
