package keystead

// What clients are told.

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

type told struct {
	status      int
	detail, fix string
}

const (
	unauthenticated Code = "unauthenticated"
	keyFix               = "Send one valid key of this API, once."
	issuerFix            = "Ask whoever issued it."
)

// WrongSecret is told as NotFound: whether an id exists is not for strangers.
var tellings = map[Code]told{
	unauthenticated:         {401, "The request carries no key.", keyFix},
	Malformed:               {401, "The request does not carry one well-formed key.", keyFix},
	NotFound:                {401, "This key is not known here.", keyFix},
	Disabled:                {401, "This key is switched off.", issuerFix},
	Revoked:                 {401, "This key was revoked.", "Use another key."},
	Expired:                 {401, "This key has expired.", "Use another key."},
	NotYetValid:             {401, "This key is not valid yet.", "Try again when it is."},
	Suspended:               {401, "This key is suspended.", issuerFix},
	NetworkDenied:           {403, "This key may not be used from this address.", issuerFix},
	OriginDenied:            {403, "This key may not be used from this origin.", issuerFix},
	EndpointDenied:          {403, "This key may not be used for this request.", issuerFix},
	InsufficientPermissions: {403, "This key may not do this.", "Ask whoever issued it for the permission."},
	ConditionDenied:         {403, "This key may not be used now or so.", issuerFix},
	Unknown:                 {403, "This key may not be used for this request.", issuerFix},
	RateLimited:             {429, "This key was used too often.", "Try again later."},
	QuotaExceeded:           {429, "This key's quota is used up.", "Try again later."},
	CreditsExhausted:        {429, "This key's credits are used up.", issuerFix},
	Unavailable:             {503, "Whether this request may pass cannot be known now.", "Try again in a moment."},
}

type refusal struct {
	code       Code
	requestID  string
	retryAfter time.Duration
}

func (r *refusal) write(w http.ResponseWriter, realm string) {
	telling, here := tellings[r.code]
	if !here {
		r.code, telling = Unknown, tellings[Unknown]
	}
	document := map[string]any{
		"type": "urn:keystead:problem:" + string(r.code), "title": telling.detail, "status": telling.status,
		"code": r.code, "detail": telling.detail, "fix": telling.fix,
	}
	if r.requestID != "" {
		document["request_id"] = r.requestID
	}
	header := w.Header()
	header.Set("Content-Type", "application/problem+json")
	header.Set("Cache-Control", "no-store")
	if telling.status == http.StatusUnauthorized {
		challenge := `Bearer realm="` + realm + `"`
		if r.code != unauthenticated {
			challenge += `, error="invalid_token"`
		}
		header.Set("WWW-Authenticate", challenge)
	}
	if telling.status == http.StatusServiceUnavailable || telling.status == http.StatusTooManyRequests && r.retryAfter > 0 {
		seconds := int64(r.retryAfter / time.Second)
		if seconds < 1 {
			seconds = 1
		}
		header.Set("Retry-After", strconv.FormatInt(seconds, 10))
	}
	w.WriteHeader(telling.status)
	_ = json.NewEncoder(w).Encode(document)
}
