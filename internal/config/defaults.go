package config

import (
	"fmt"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/human"
)

// What holds where config.toml is silent.
const (
	DefaultRegion        = "ap-guangzhou"
	DefaultKey           = api.DefaultProfile
	DefaultDuration      = 2 * time.Hour // what a root account's key may have too
	DefaultSTSRate       = 20            // calls a second: a thirtieth of what STS allows an account
	DefaultIdleExit      = 0             // never
	DefaultBackend       = "keychain"
	DefaultFederatedUser = "tcred" // for a profile without a letter in its name
)

// Bounds. The longest durations are GetFederationToken's, for a sub-account's and a root account's key. The shortest
// one is ours: STS publishes none, and less than half an hour leaves no time to refresh in.
const (
	MinDuration     = 30 * time.Minute
	MaxDuration     = 36 * time.Hour
	MaxRootDuration = 2 * time.Hour
	MaxSTSRate      = 600 // what GetFederationToken's page allows an account
	MinIdleExit     = time.Minute
)

// What a setting may be.
var (
	Sites     = []string{"cn", "intl"}
	Languages = []string{"en", "zh"}
	Backends  = []string{"keychain", "file", "dir", "env"}
)

func defaults(path string) *Config {
	return &Config{
		Path:     path,
		Region:   DefaultRegion,
		Key:      DefaultKey,
		Duration: DefaultDuration,
		STSRate:  DefaultSTSRate,
		IdleExit: DefaultIdleExit,
		Keystore: Keystore{Backend: DefaultBackend},
		Profiles: map[string]Profile{},
	}
}

// Template is the config.toml that tcred init writes. site is one of Sites or ""; keystore is one of Backends or "".
func Template(site, keystore string) []byte {
	siteLine := `# site   = "cn"            # "cn" or "intl"; left out: as tcred add found it for the key`
	if site != "" {
		siteLine = fmt.Sprintf("site     = %q", site)
	}
	if keystore == "" {
		keystore = DefaultBackend
	}
	return fmt.Appendf(nil, template, siteLine, DefaultRegion, DefaultKey, human.Span(DefaultDuration), keystore)
}

const template = `# tcred's settings. config.example.toml in its source explains every one; tcred check checks them.
%s
region   = %q
key      = %q       # what tcred add named it
duration = %q            # 30m to 36h; at most 2h for a root account's key

[keystore]
backend = %q

# A profile is what a tool asks for: tcred get upload. Each key is one by itself, with all its rights;
# a profile with a policy of its own grants less. After uid/ goes the APPID, which ends the bucket's name.
#
# [profiles.upload]
# policy = '''
# {
#   "version": "2.0",
#   "statement": [{
#     "effect": "allow",
#     "action": ["name/cos:PutObject"],
#     "resource": ["qcs::cos:ap-guangzhou:uid/1250000000:bucket-1250000000/upload/*"]
#   }]
# }
# '''
`
