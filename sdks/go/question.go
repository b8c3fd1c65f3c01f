package keystead

// What is asked, as the JSON that is sent.

import "encoding/json"

// Ask says what a request is. A restriction of its key whose input is left out denies.
type Ask struct {
	// IP is the client's address.
	IP string `json:"ip,omitempty"`
	// Method is the HTTP method, in capitals.
	Method string `json:"method,omitempty"`
	// Path is the path as it was sent, without query.
	Path string `json:"path,omitempty"`
	// Origin is the Origin header.
	Origin string `json:"origin,omitempty"`
	// UserAgent is the User-Agent header.
	UserAgent string `json:"user_agent,omitempty"`
	// Permissions are what the request needs; none when zero.
	Permissions *Query `json:"permissions,omitempty"`
	// Resource is what they are needed on, such as "networks/NET-7".
	Resource string `json:"resource,omitempty"`
	// Cost is what it takes of limits, quotas and credits; 1 when nil.
	Cost *uint64 `json:"cost,omitempty"`
	// Tags are labels for the usage record; at most 8.
	Tags []string `json:"tags,omitempty"`
	// Include adds to the answer: "metadata".
	Include []string `json:"include,omitempty"`
}

// Query says which permissions are needed.
type Query struct{ json any }

// Permission is one, by name.
func Permission(name string) *Query { return &Query{name} }

// AllOf is every one of these.
func AllOf(parts ...*Query) *Query { return &Query{map[string]any{"all": parts}} }

// AnyOf is at least one of these.
func AnyOf(parts ...*Query) *Query { return &Query{map[string]any{"any": parts}} }

// On is a permission on a resource of its own instead of the request's.
func On(permission, resource string) *Query {
	return &Query{map[string]string{"permission": permission, "resource": resource}}
}

// MarshalJSON writes it as Keystead reads it.
func (q *Query) MarshalJSON() ([]byte, error) { return json.Marshal(q.json) }

// question is also what the cache is keyed by, so it holds all that was asked.
type question struct {
	Key         string `json:"key"`
	Project     string `json:"project,omitempty"`
	Environment string `json:"environment,omitempty"`
	Ask
}
