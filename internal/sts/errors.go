package sts

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	tcerr "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/errors"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/human"
)

// Subject says in whose name a call is made. Every field may be empty; errors then say less.
type Subject struct {
	Profile string // the profile's name
	Key     string // the key's name
	Account string // whose key it is, such as "sub-account 100000000002"
}

// call is what an error can tell about the call that failed. Every field may be empty.
type call struct {
	Subject
	Action   string        // "GetFederationToken" or "GetCallerIdentity"
	Host     string        // host[:port] of STS
	Plain    bool          // by http, so that it is an emulator
	Proxy    string        // host[:port] of the proxy, if one is used
	Region   string        // as sent
	SecretID string        // shown masked
	Duration time.Duration // asked for
	Skew     time.Duration // Tencent Cloud's clock minus this one; 0 is unknown
}

// explain says what err, which the SDK returned for c, means and what to do about it: the *api.Error in
// err's chain if there is one, else a new one by the table of codes.
func explain(err error, c call) error {
	var known *api.Error
	if errors.As(err, &known) {
		return known
	}
	var e *tcerr.TencentCloudSDKError
	if !errors.As(err, &e) || e.Code == "ClientError.NetworkError" {
		return unreachable(err, c)
	}
	code, id := cleanCode(e.Code), cleanID(e.RequestId)
	message := e.Message
	if strings.HasPrefix(code, "ClientError.") {
		message = "" // the SDK's own, which quotes the body
	}
	f := lookup(code)
	words := c.words(message, id)
	return &api.Error{
		Code:      f.kind,
		Message:   words.Replace(f.meaning) + " (" + code + inRequest(id) + ")",
		Hint:      words.Replace(f.cure),
		RequestID: id,
	}
}

// words fills the placeholders of the table.
func (c call) words(message, requestID string) *strings.Replacer {
	id := "this SecretId"
	if c.SecretID != "" {
		id = "SecretId " + credential.Mask(c.SecretID)
		message = strings.ReplaceAll(message, c.SecretID, credential.Mask(c.SecretID))
	}
	key := id
	if c.Key != "" {
		key = fmt.Sprintf("key %q", c.Key)
		if c.Account != "" {
			key += " (" + c.Account + ")"
		}
	}
	who, policy := "this call", "the policy"
	if c.Profile != "" {
		who = fmt.Sprintf("profile %q", c.Profile)
		policy = "the policy of " + who
	}
	if requestID == "" {
		requestID = "(it has none)"
	}
	return strings.NewReplacer(
		"{id}", id, "{key}", key, "{profile}", who, "{policy}", policy, "{action}", "sts:"+c.Action, "{host}", c.Host,
		"{region}", fmt.Sprintf("%q", c.Region), "{duration}", human.Span(c.Duration.Round(time.Second)),
		"{clock}", c.clock(), "{message}", oneLine(message), "{request}", requestID,
	)
}

func (c call) clock() string {
	switch {
	case c.Skew > time.Minute:
		return "this clock is " + human.Span(c.Skew) + " behind tencent cloud"
	case c.Skew < -time.Minute:
		return "this clock is " + human.Span(-c.Skew) + " ahead of tencent cloud"
	}
	return "this clock and tencent cloud's are too far apart" // the answer's Date does not show by how much
}

// inRequest is ", request 59a5e07e": enough of the id to recognise it by. The whole one is in api.Error.RequestID.
func inRequest(id string) string {
	if id == "" {
		return ""
	}
	short, _, _ := strings.Cut(id, "-")
	return ", request " + short[:min(len(short), 8)]
}

// oneLine is STS's message as the end of one of ours: no control characters, no final period, not endless.
func oneLine(message string) string {
	message = strings.Join(strings.FieldsFunc(message, func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r)
	}), " ")
	if r := []rune(message); len(r) > 300 {
		message = string(r[:300]) + "…"
	}
	message = strings.TrimRight(message, ".。 ")
	if message == "" {
		return "no reason given"
	}
	return message
}

// cleanCode is a code that is safe to print.
func cleanCode(code string) string {
	code = strings.Map(func(r rune) rune {
		if r > ' ' && r <= '~' {
			return r
		}
		return -1
	}, code)
	return code[:min(len(code), 100)]
}
