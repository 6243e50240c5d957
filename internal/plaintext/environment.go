package plaintext

import "github.com/tcred/tcred/credential"

// InEnvironment finds every SecretId that is set together with its SecretKey, one for each family of variables, in the
// order of credential.Spellings. getenv is os.Getenv.
func InEnvironment(getenv func(string) string) (all []Found) {
	for _, s := range credential.Spellings() {
		if f, ok := spelled(getenv, s); ok {
			all = append(all, f)
		}
	}
	return all
}

// spelled is what one family of variables holds.
func spelled(getenv func(string) string, s credential.Spelling) (f Found, ok bool) {
	f.Variables = []string{s.ID, s.Key}
	f.SecretID, f.SecretKey = getenv(s.ID), credential.Secret(getenv(s.Key))
	if f.SecretID == "" || f.SecretKey == "" {
		return Found{}, false
	}
	for _, token := range s.Tokens {
		if getenv(token) != "" {
			f.Token, f.Variables = credential.Secret(getenv(token)), append(f.Variables, token)
			break
		}
	}
	return f, true
}

// FromEnvironment is the key in the variables that Tencent Cloud's own tools read. The error is api.BadRequest where
// there is none.
func FromEnvironment(getenv func(string) string) (Found, error) {
	s := credential.Spellings()[0]
	f, ok := spelled(getenv, s)
	if !ok {
		return Found{}, failed("", "%s and %s are not both set", s.ID, s.Key)
	}
	return f, nil
}
