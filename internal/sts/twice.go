package sts

import (
	"bytes"
	"encoding/json"
	"strings"
)

// twice reports whether an object anywhere in text, which is JSON, has two members of one name. encoding/json takes
// small letters and capitals for the same, so they are the same here. Of such members each reader takes another one:
// the SDK could take credentials that were not seen where it was decided what may be quoted.
func twice(text []byte) bool {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return walk(d)
}

// walk reads one value. It was JSON when it was read as a whole, so an error here is one not to be believed.
func walk(d *json.Decoder) (found bool) {
	token, err := d.Token()
	if err != nil {
		return true
	}
	open, nested := token.(json.Delim)
	if !nested {
		return false
	}
	names := make(map[string]bool)
	for d.More() {
		if open == '{' {
			name, err := d.Token()
			text, _ := name.(string)
			folded := strings.ToLower(strings.ToUpper(text)) // by way of capitals: the long s has one, too
			if err != nil || names[folded] {
				return true
			}
			names[folded] = true
		}
		if walk(d) {
			return true
		}
	}
	_, err = d.Token() // the closing delimiter
	return err != nil
}
