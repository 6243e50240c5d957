package sts

import (
	"strings"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/policy"
)

// The kinds of failure, each as the code that crosses the socket: what can be done about it, and by whom.
const (
	transient     = api.STSTransient  // passes by itself
	throttled     = api.STSThrottled  // passes when asked less often
	badKey        = api.STSCredential // another key is needed, or its repair
	permission    = api.STSPermission // an administrator is needed
	badPolicy     = api.PolicyInvalid // the policy must change
	configuration = api.STSRequest    // another setting must change
	clock         = api.STSClock      // the machine's time must change
	internal      = api.Internal      // tcred must change
	noAnswer      = api.STSAnswer     // not an answer of STS; only the SDK's own codes
)

// failure is a row of the table. Meaning and cure have placeholders, filled by call.words. STS's own message follows
// the meaning in every error: it names the very action and resource.
type failure struct {
	kind    api.Code
	meaning string
	cure    string
}

// lookup finds code's row. A code that is not in the table has the kind and cure of its longest prefix that is.
func lookup(code string) failure {
	if f, ok := table[code]; ok {
		return f
	}
	f := failure{configuration, "tencent cloud refuses {action}", support}
	for prefix := code; strings.Contains(prefix, "."); {
		prefix = prefix[:strings.LastIndex(prefix, ".")]
		if family, ok := table[prefix]; ok {
			f.kind, f.cure = family.kind, family.cure
			break
		}
	}
	return f
}

// Cures that several rows share.
const (
	support = "tencent cloud's support can look up request {request}"
	again   = "it passes; should it last, tencent cloud's support can look up request {request}"
	slower  = "it passes in a moment; what else calls STS with this account?"
	console = "deleted, disabled or mistyped? see the API keys page of the CAM console"
	grant   = "ask an administrator to grant, in CAM, {grant}"
	host    = "check endpoint and site in config.toml: an STS host knows API version 2018-08-13"
	report  = "a defect in tcred, or no STS at {host}: please report it with request {request}"
	pasted  = "was the SecretKey pasted whole, and for this SecretId? tcred add asks again; a lost one cannot be " +
		"shown again: make a new key"
	permanent = "GetFederationToken takes permanent keys only: make one on the API keys page of the CAM console, " +
		"then tcred add"
	syntax = "tcred check knows the form alone: compare each action and resource with CAM's policy syntax, or " +
		"take statements out one by one"
	smaller   = "fewer statements, or wildcards in place of long lists"
	balance   = "see the console: is the account in arrears, frozen or closed?"
	settings  = "check name, duration, region and policy in config.toml: tcred check"
	addresses = "see the network rules of the key in the CAM console"
	foreign   = "another account's resources need a role there; or is the APPID wrong? " + policy.AppIDHint
	lifetimes = "set a shorter duration: at most 2h with a root account's key, 36h with a sub-account's"
	segments  = "a whole one is qcs::cos:ap-guangzhou:uid/1250000000:bucket-1250000000/prefix/*: do its service, " +
		"region and account exist?"
	roles = "see the roles page of the CAM console"
	idp   = "expired, for another audience, or signed by a key that CAM's identity provider does not have? see " +
		"CAM's identity providers"
	secondCode = "this call cannot give a code that Tencent Cloud takes: use a key that the MFA rule leaves out"
)

// table holds every code of the pages of GetFederationToken and GetCallerIdentity, spelled as there (Avaliable,
// Resouce), and the codes that are common to Tencent Cloud API 3.0.
var table = map[string]failure{
	// GetFederationToken
	"InternalError.DbError":           {transient, "tencent cloud's database failed", again},
	"InternalError.EncryptError":      {transient, "tencent cloud could not encrypt the token", again},
	"InternalError.GetAppIdError":     {transient, "tencent cloud could not find the account's APPID", again},
	"InternalError.GetSeedTokenError": {transient, "tencent cloud could not make a token", again},
	"InternalError.SystemError": {
		transient, "tencent cloud had a fault of its own, such as in its network",
		again,
	},
	"InvalidParameter.AccountNotAvaliable": {
		badKey, "the account of {key} does not exist or is not available",
		balance,
	},
	"InvalidParameter.ExtendStrategyOverSize": {badPolicy, "{policy}, {bytes}, grows too large once extended", smaller},
	"InvalidParameter.GrantOtherResource": {
		badPolicy, "{policy} names another account's resource: {owner}, and a credential grants that account's resources only",
		foreign,
	},
	"InvalidParameter.OverTimeError": {
		configuration, "tencent cloud refuses a life of {duration} for {profile} with {key}",
		lifetimes,
	},
	"InvalidParameter.ParamError": {
		configuration, "tencent cloud refuses a parameter of {action}",
		settings + "; a name of letters alone is safest",
	},
	"InvalidParameter.PolicyTooLong": {badPolicy, "{policy}, {bytes}, is too long", smaller},
	"InvalidParameter.ResouceError": {
		badPolicy, "{policy} has a resource that tencent cloud cannot read",
		segments,
	},
	"InvalidParameter.StrategyFormatError":  {badPolicy, "tencent cloud cannot read {policy}", syntax},
	"InvalidParameter.StrategyInvalid":      {badPolicy, "tencent cloud does not take {policy}", syntax},
	"InvalidParameter.TempCodeNotAvaliable": {configuration, "tencent cloud calls a temporary code invalid", support},
	"ResourceNotFound.RoleNotFound":         {configuration, "the account of {key} does not have the role", roles},
	"UnauthorizedOperation":                 {permission, "{key} may not call {action}", grant},
	"UnsupportedOperation": {
		configuration, "tencent cloud does not support this use of {action}",
		"is it a permanent key? {action} takes no other; if it is, " + support,
	},

	// GetCallerIdentity, which shares InternalError.GetSeedTokenError
	"AuthFailure.AccessKeyIllegal": {badKey, "tencent cloud calls {id} illegal", console},
	"InvalidParameter.AccessKeyNotSupport": {
		badKey, "tencent cloud does not take keys of the kind of {id} for {action}",
		"use a key of the API keys page of the CAM console",
	},

	// STS's other calls, as the official Go SDK lists their codes (sts 1.1.11)
	"FailedOperation.CheckMFAError": {
		permission, "tencent cloud does not accept the second factor for {key}",
		secondCode,
	},
	"FailedOperation.MFATypeNotSupported": {
		permission, "tencent cloud does not take this kind of second factor for {key}",
		secondCode,
	},
	"FailedOperation.TempKeyNotAllowed": {
		badKey, "{key} is a temporary key, which may not call {action}",
		permanent,
	},
	"InternalError.GetRoleError":     {transient, "tencent cloud could not look up the role", again},
	"InternalError.IllegalRole":      {configuration, "tencent cloud calls the role illegal", roles},
	"InternalError.PbSerializeError": {transient, "tencent cloud could not write its own answer", again},
	"InternalError.UnknownError":     {transient, "tencent cloud had a fault that it does not name", again},
	"InvalidParameter.OverLimit":     {throttled, "tencent cloud is asked too often", slower},
	"InvalidParameter.WebIdentityTokenError": {
		configuration, "tencent cloud does not take the identity provider's token",
		idp,
	},

	// common: who calls
	"AuthFailure":                      {badKey, "tencent cloud does not accept {id}", console},
	"AuthFailure.InvalidAuthorization": {internal, "tencent cloud cannot read the request's signature", report},
	"AuthFailure.InvalidSecretId":      {badKey, "{id} is not a key of tencent cloud's API", console},
	"AuthFailure.MFAFailure": {
		permission, "tencent cloud wants a second factor for {key}",
		"this call cannot give one: use a key that the MFA rule leaves out",
	},
	"AuthFailure.SecretIdNotFound": {badKey, "tencent cloud does not know {id}", console},
	"AuthFailure.SignatureExpire": {
		clock, "{clock}; 5m is the limit",
		"set the clock, e.g. sudo timedatectl set-ntp true",
	},
	"AuthFailure.SignatureFailure":      {badKey, "the SecretKey does not fit {id}", pasted},
	"AuthFailure.TokenFailure":          {badKey, "tencent cloud does not take the token of {id}", "{token}"},
	"AuthFailure.UnauthorizedOperation": {permission, "{key} may not call {action}", grant},
	"IpInBlacklist": {
		permission, "this machine's address is on the blacklist of the account of {key}",
		addresses,
	},
	"IpNotInWhitelist": {
		permission, "this machine's address is not on the whitelist of the account of {key}",
		addresses,
	},
	"OperationDenied": {permission, "tencent cloud denies {action} to {key}", grant},

	// common: how often
	"LimitExceeded":        {throttled, "a quota of the account of {key} is used up", slower},
	"RequestLimitExceeded": {throttled, "tencent cloud is asked too often", slower},
	"RequestLimitExceeded.GlobalRegionUinLimitExceeded": {
		throttled, "the account of {key} asks tencent cloud too often",
		slower,
	},
	"RequestLimitExceeded.IPLimitExceeded": {
		throttled, "this machine's address asks tencent cloud too often",
		slower,
	},
	"RequestLimitExceeded.UinLimitExceeded": {
		throttled, "the account of {key} asks tencent cloud too often",
		slower,
	},

	// common: faults on the other side
	"FailedOperation":           {configuration, "{action} failed", support},
	"InternalError":             {transient, "tencent cloud had a fault of its own", again},
	"ResourceInUse":             {transient, "a resource of tencent cloud is in use", again},
	"ResourceInsufficient":      {transient, "tencent cloud is short of resources", again},
	"ResourceUnavailable":       {transient, "a resource of tencent cloud is not available", again},
	"ServiceUnavailable":        {transient, "STS is not available now", again},
	"ResponseSizeLimitExceeded": {transient, "tencent cloud's own answer was too large for it", again},

	// common: what is asked, and where
	"ActionOffline": {configuration, "{host} no longer offers {action}", host},
	"InvalidAction": {configuration, "{host} does not know {action}", host},
	"NoSuchProduct": {configuration, "{host} does not know STS", host},
	"NoSuchVersion": {configuration, "{host} does not know this version of STS", host},
	"UnsupportedRegion": {
		configuration, "{host} does not serve region {region}",
		"set region in config.toml, such as ap-guangzhou",
	},
	"InvalidParameter":         {configuration, "tencent cloud refuses a parameter of {action}", settings},
	"InvalidParameterValue":    {configuration, "tencent cloud refuses a parameter's value", settings},
	"MissingParameter":         {configuration, "a parameter of {action} is missing", settings},
	"ResourceNotFound":         {configuration, "tencent cloud does not find a resource", settings},
	"RequestSizeLimitExceeded": {badPolicy, "the request is too large, so {policy} is", smaller},
	"DryRunOperation":          {internal, "tencent cloud took {action} for a dry run", report},
	"InvalidRequest":           {internal, "tencent cloud cannot read the request", report},
	"UnknownParameter":         {internal, "tencent cloud does not know a parameter of {action}", report},
	"UnsupportedProtocol":      {internal, "tencent cloud takes neither this method nor this protocol", report},

	// the SDK's own, whose messages are never shown; ClientError.NetworkError is explained by its cause
	"ClientError":                     {internal, "the SDK could not make the call", report},
	"ClientError.HttpStatusCodeError": {transient, "{host} answered with a status other than 200", again},
	"ClientError.IOError":             {noAnswer, "the answer of {host} could not be read", host},
	"ClientError.ParseJsonError":      {noAnswer, "the answer of {host} is damaged", host},
}
