package emulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// refusal is an STS error: a documented code and a sentence.
type refusal struct {
	Code    string
	Message string
}

func (r *refusal) Error() string { return r.Code + ": " + r.Message }

func refuse(code, format string, args ...any) error {
	return &refusal{code, fmt.Sprintf(format, args...)}
}

func refusalOf(err error) *refusal {
	var r *refusal
	if errors.As(err, &r) {
		return r
	}
	return &refusal{"InternalError", err.Error()}
}

// codeOf is the error code for the log; "" for a success.
func codeOf(err error) string {
	if err == nil {
		return ""
	}
	return refusalOf(err).Code
}

type errorAnswer struct {
	Error     *refusal
	RequestID string `json:"RequestId"`
}

type federationAnswer struct {
	Credentials triple
	ExpiredTime int64   // Unix seconds
	Expiration  *string // RFC 3339 in UTC; the page says that it may be null
	RequestID   string  `json:"RequestId"`
}

type triple struct {
	Token        string
	TmpSecretID  string `json:"TmpSecretId"`
	TmpSecretKey string
}

type identityAnswer struct {
	identity
	RequestID string `json:"RequestId"`
}

// encode wraps an answer as the API does, success and error alike.
func encode(answer any) []byte {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(struct{ Response any }{answer}); err != nil {
		return fmt.Appendf(nil, `{"Response":{"Error":{"Code":"InternalError","Message":%q}}}`, err)
	}
	return bytes.TrimSpace(out.Bytes())
}
