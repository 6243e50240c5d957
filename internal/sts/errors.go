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
	Owner   string // whose key it is, such as "sub-account 100000000002"
	Account string // the uin of the account that the key belongs to
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
	Token    bool          // a token was sent along: the SecretId is a temporary credential's
	Policy   [2]int        // bytes of the policy as written, and as sent
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
	f, words := lookup(code), c.words(id)
	return &api.Error{
		Code:      f.kind,
		Message:   words.Replace(f.meaning) + c.said(code, e.Message) + " (" + code + inRequest(id) + ")",
		Hint:      words.Replace(f.cure),
		RequestID: id,
	}
}

// said is STS's own message, as it follows a meaning. The SDK's own messages quote bodies, so they are left out.
func (c call) said(code, message string) string {
	if strings.HasPrefix(code, "ClientError") {
		return ""
	}
	if c.SecretID != "" {
		message = strings.ReplaceAll(message, c.SecretID, credential.Mask(c.SecretID))
	}
	if message = oneLine(message); message == "" {
		return ""
	}
	return ": " + message
}

// words fills the placeholders of the table.
func (c call) words(requestID string) *strings.Replacer {
	id := "this SecretId"
	if c.SecretID != "" {
		id = "SecretId " + credential.Mask(c.SecretID)
	}
	key, owner := id, "the key belongs to its own account"
	if c.Key != "" {
		key = fmt.Sprintf("key %q", c.Key)
		if c.Subject.Account != "" {
			owner = key + " belongs to account " + c.Subject.Account
		}
		if c.Owner != "" {
			key += " (" + c.Owner + ")"
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
		"{id}", id, "{key}", key, "{owner}", owner, "{profile}", who, "{policy}", policy, "{bytes}", c.bytes(),
		"{action}", "sts:"+c.Action, "{grant}", c.grant(), "{token}", c.tokenCure(), "{host}", c.Host,
		"{region}", fmt.Sprintf("%q", c.Region), "{duration}", human.Span(c.Duration.Round(time.Second)),
		"{clock}", c.clock(), "{request}", requestID,
	)
}

// bytes is how long the policy is: what STS counts is not published.
func (c call) bytes() string { return fmt.Sprintf("%d bytes, %d as sent", c.Policy[0], c.Policy[1]) }

// grant is what CAM's console has for the action. The preset policy is for the whole of STS.
func (c call) grant() string {
	if c.Action == "" {
		return "the preset policy QcloudSTSFullAccess"
	}
	return "the preset policy QcloudSTSFullAccess, or a custom one that allows sts:" + c.Action
}

// tokenCure is what to do about a token that is refused: where none was sent, the key itself is of the wrong kind.
func (c call) tokenCure() string {
	if !c.Token {
		return permanent
	}
	if c.Profile != "" {
		return "expired, or another credential's? get a new one: tcred refresh " + c.Profile
	}
	return "expired, or another credential's? get a new one"
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
