package keystead

// Verdicts, read strictly: what is not one is refused, whatever it says of itself.

import (
	"errors"
	"math"
	"time"
)

// Code is one of the closed set of verdicts.
type Code string

// The verdicts. Unknown stands for a newer server's code; it always refuses.
const (
	Valid                   Code = "valid"
	Malformed               Code = "malformed"
	NotFound                Code = "not_found"
	WrongSecret             Code = "wrong_secret"
	Disabled                Code = "disabled"
	Revoked                 Code = "revoked"
	Expired                 Code = "expired"
	NotYetValid             Code = "not_yet_valid"
	Suspended               Code = "suspended"
	NetworkDenied           Code = "network_denied"
	OriginDenied            Code = "origin_denied"
	EndpointDenied          Code = "endpoint_denied"
	InsufficientPermissions Code = "insufficient_permissions"
	ConditionDenied         Code = "condition_denied"
	RateLimited             Code = "rate_limited"
	QuotaExceeded           Code = "quota_exceeded"
	CreditsExhausted        Code = "credits_exhausted"
	Unavailable             Code = "unavailable"
	Unknown                 Code = "unknown"
)

// Verdict is what Keystead says of a request. Only Valid lets it pass.
type Verdict struct {
	Valid bool
	Code  Code
	// Detail says what the code alone does not, such as "rotated" with Expired.
	Detail    string
	RequestID string
	// KeyID is empty where nothing is told of the key.
	KeyID, Kind, Project, Environment string
	Owner                             *Owner
	Consumer                          *Consumer
	// Permissions are what the key may do on every resource, NarrowedPermissions on some.
	Permissions         []string
	NarrowedPermissions []NarrowedPermission
	ExpiresAt           *time.Time
	Limits              []Limit
	Quotas              []Quota
	Credits             *Credits
	UsesRemaining       *uint64
	// RetryAfter is when to try again; 0 where it is not known.
	RetryAfter time.Duration
	// Metadata is there where it was asked for.
	Metadata map[string]any
}

// Owner is whose the key is: a "service_account", "consumer", "member" or "team_member".
type Owner struct {
	Kind, ID, Name string
	// Team is in whose name a member's key was made.
	Team *Team
}

// Team is a team.
type Team struct{ ID, Name string }

// Consumer is to whom the key is issued.
type Consumer struct{ ID, Name, ExternalID string }

// NarrowedPermission holds on some resources only.
type NarrowedPermission struct {
	Permission string
	Resources  []string
}

// Limit is what remains of a rate limit of the "key" or its "consumer".
type Limit struct {
	Name, Of           string
	Limit, Remaining   uint64
	Window, RetryAfter time.Duration
}

// Quota is what remains of a quota.
type Quota struct {
	Of, Per          string
	Limit, Remaining uint64
	ResetsAt         time.Time
}

// Credits are what remains of credits.
type Credits struct {
	Remaining, Amount uint64
	Refill            string
	RefillsAt         *time.Time
}

// isCounted says whether each request takes something of a limit, quota, credits or uses.
func (v *Verdict) isCounted() bool {
	return len(v.Limits) > 0 || len(v.Quotas) > 0 || v.Credits != nil || v.UsesRemaining != nil
}

func known(code Code) bool {
	switch code {
	case Valid, Malformed, NotFound, WrongSecret, Disabled, Revoked, Expired, NotYetValid, Suspended, NetworkDenied,
		OriginDenied, EndpointDenied, InsufficientPermissions, ConditionDenied, RateLimited, QuotaExceeded,
		CreditsExhausted, Unavailable:
		return true
	}
	return false
}

func readVerdict(raw []byte) (*Verdict, error) {
	f := readFields(raw)
	v := &Verdict{Code: Code(f.text("code", true))}
	f.get("valid", true, &v.Valid)
	if !known(v.Code) {
		v.Code, v.Valid = Unknown, false
	}
	v.KeyID = f.text("key_id", v.Valid)
	v.readPlace(f)
	v.Permissions = f.texts("permissions")
	f.parts("narrowed_permissions", false, func(f *fields) {
		narrowed := NarrowedPermission{f.text("permission", true), f.texts("resources")}
		v.NarrowedPermissions = append(v.NarrowedPermissions, narrowed)
	})
	v.ExpiresAt = f.time("expires_at", false)
	v.readCounted(f)
	v.RetryAfter = duration(f.number("retry_after_seconds", false), time.Second)
	f.get("metadata", false, &v.Metadata)
	switch {
	case f.wrong != nil:
		return nil, f.wrong
	case v.Valid != (v.Code == Valid):
		return nil, errors.New("`valid` and `code` contradict each other")
	case v.Valid && v.KeyID == "":
		return nil, errors.New("a valid key has no id")
	}
	return v, nil
}

func (v *Verdict) readPlace(f *fields) {
	v.Detail, v.RequestID, v.Kind = f.text("detail", false), f.text("request_id", false), f.text("kind", false)
	v.Project, v.Environment = f.text("project", false), f.text("environment", false)
	f.part("owner", func(f *fields) {
		v.Owner = &Owner{Kind: f.text("kind", true), ID: f.text("id", true), Name: f.text("name", true)}
		f.part("team", func(f *fields) { v.Owner.Team = &Team{f.text("id", true), f.text("name", true)} })
	})
	f.part("consumer", func(f *fields) {
		v.Consumer = &Consumer{f.text("id", true), f.text("name", true), f.text("external_id", false)}
	})
}

func (v *Verdict) readCounted(f *fields) {
	f.parts("limits", true, func(f *fields) {
		v.Limits = append(v.Limits, Limit{
			Name: f.text("name", true), Of: f.text("of", true),
			Limit: f.number("limit", true), Remaining: f.number("remaining", true),
			Window:     duration(f.number("window_seconds", true), time.Second),
			RetryAfter: duration(f.number("retry_after_ms", true), time.Millisecond),
		})
	})
	f.parts("quotas", false, func(f *fields) {
		quota := Quota{
			Of: f.text("of", true), Per: f.text("per", true),
			Limit: f.number("limit", true), Remaining: f.number("remaining", true),
		}
		if at := f.time("resets_at", true); at != nil {
			quota.ResetsAt = *at
		}
		v.Quotas = append(v.Quotas, quota)
	})
	f.part("credits", func(f *fields) {
		v.Credits = &Credits{
			Remaining: f.number("remaining", true), Amount: f.number("amount", true),
			Refill: f.text("refill", true), RefillsAt: f.time("refills_at", false),
		}
	})
	v.UsesRemaining = f.optionalNumber("uses_remaining")
}

func duration(count uint64, unit time.Duration) time.Duration {
	if count > uint64(math.MaxInt64/unit) {
		return math.MaxInt64
	}
	return time.Duration(count) * unit
}
