package keystead

// What stands between a request and its handler.

import (
	"context"
	"errors"
	"log"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
)

const (
	textMax   = 2_048
	methodMax = 32
)

var realmText = regexp.MustCompile(`^[ !#-\[\]-~]{1,128}$`)

// Need is what a request needs beyond a valid key; nothing when zero.
type Need struct {
	// Permissions are made by Permission, AllOf, AnyOf and On.
	Permissions *Query
	// Resource is what they are needed on, such as "networks/NET-7".
	Resource string
	// Cost is what the request takes of limits, quotas and credits; 1 when nil.
	Cost *uint64
	// Tags are labels for the usage record.
	Tags []string
}

// Guard lets only requests reach handlers whose key may do what they need.
type Guard struct {
	client  *Client
	places  []string
	trusted []netip.Prefix
	options guardOptions
}

type guardOptions struct {
	credentials, proxies             []string
	realm                            string
	metadata, preflight, unreachable bool
	log                              *log.Logger
}

// GuardOption is a setting of a Guard.
type GuardOption func(*guardOptions)

// Credentials lists headers that may carry a key; "Authorization" as a bearer token, then "X-API-Key", by default.
func Credentials(headers ...string) GuardOption {
	return func(o *guardOptions) { o.credentials = headers }
}

// TrustedProxies lists addresses and networks whose X-Forwarded-For counts, read from the right.
func TrustedProxies(networks ...string) GuardOption {
	return func(o *guardOptions) { o.proxies = networks }
}

// Realm is the realm of WWW-Authenticate, "api" by default.
func Realm(realm string) GuardOption { return func(o *guardOptions) { o.realm = realm } }

// WithMetadata asks for the key's metadata, too.
func WithMetadata() GuardOption { return func(o *guardOptions) { o.metadata = true } }

// PassPreflight lets preflights of CORS reach what Authenticate and For guard, without a key. Only for handlers that
// look at the method: another would do its work for anybody who sends OPTIONS.
func PassPreflight() GuardOption { return func(o *guardOptions) { o.preflight = true } }

// OpenWhenUnreachable lets requests with a key pass unjudged while Keystead does not answer. Whoever can make it slow
// can then pass.
func OpenWhenUnreachable() GuardOption { return func(o *guardOptions) { o.unreachable = true } }

// ErrorLog is told why requests were not judged; the standard logger by default.
func ErrorLog(to *log.Logger) GuardOption { return func(o *guardOptions) { o.log = to } }

// NewGuard makes a guard that asks with client.
func NewGuard(client *Client, options ...GuardOption) (*Guard, error) {
	set := guardOptions{credentials: []string{"Authorization", "X-API-Key"}, realm: "api", log: log.Default()}
	for _, option := range options {
		option(&set)
	}
	if client == nil || set.log == nil || !realmText.MatchString(set.realm) {
		return nil, setting("a guard has a client, a log, and a realm without quotes and backslashes")
	}
	listed, err := places(set.credentials)
	if err != nil {
		return nil, err
	}
	trusted, err := networks(set.proxies)
	if err != nil {
		return nil, err
	}
	return &Guard{client, listed, trusted, set}, nil
}

// Authenticate lets requests with a valid key reach next.
func (g *Guard) Authenticate(next http.Handler) http.Handler {
	return g.For(func(*http.Request) Need { return Need{} }, next)
}

// Require lets requests reach one handler whose key has the permissions.
func (g *Guard) Require(permissions *Query, next http.Handler) http.Handler {
	return g.handler(func(*http.Request) Need { return Need{Permissions: permissions} }, false, next)
}

// RequireFor is Require with needs that depend on the request, such as the resource that its path names.
func (g *Guard) RequireFor(needs func(*http.Request) Need, next http.Handler) http.Handler {
	return g.handler(needs, false, next)
}

// For guards a whole mux: needs says what each request needs.
func (g *Guard) For(needs func(*http.Request) Need, next http.Handler) http.Handler {
	return g.handler(needs, g.options.preflight, next)
}

type contextKey struct{}

type judged struct {
	verdict *Verdict
	// Which client has counted this request.
	by *Client
}

// FromContext answers the verdict with which a request passed. Look at its Valid where the guard may be open.
func FromContext(ctx context.Context) (*Verdict, bool) {
	found, _ := ctx.Value(contextKey{}).(judged)
	return found.verdict, found.verdict != nil
}

func (g *Guard) handler(needs func(*http.Request) Need, preflight bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if preflight && isPreflight(r) {
			next.ServeHTTP(w, r)
			return
		}
		verdict, refused := g.judge(r, needs(r))
		if refused != nil {
			refused.write(w, g.options.realm)
			return
		}
		ctx := context.WithValue(r.Context(), contextKey{}, judged{verdict, g.client})
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

func (g *Guard) judge(r *http.Request, need Need) (*Verdict, *refusal) {
	key, ask, refused := g.question(r, need)
	if refused != nil {
		return nil, refused
	}
	verdict, err := g.client.Verify(r.Context(), key, ask)
	if err != nil {
		return g.failed(r.Context(), err)
	}
	switch {
	case verdict.Valid && verdict.Code == Valid:
		return verdict, nil
	case verdict.Code == WrongSecret:
		return nil, &refusal{NotFound, verdict.RequestID, verdict.RetryAfter}
	default:
		return nil, &refusal{verdict.Code, verdict.RequestID, verdict.RetryAfter}
	}
}

// failed says what becomes of a request that nobody judged. What a client could bring about by what it sends, or by
// going away, never opens.
func (g *Guard) failed(ctx context.Context, err error) (*Verdict, *refusal) {
	g.options.log.Printf("no verdict: %v", err)
	refused := &refusal{code: Unavailable}
	down := errors.Is(err, ErrUnreachable) || errors.Is(err, ErrTimeout)
	var problem *Problem
	if errors.As(err, &problem) {
		down, refused.retryAfter = problem.Status >= 500, problem.RetryAfter
	}
	var protocol *ProtocolError
	if errors.As(err, &protocol) {
		down = protocol.Status >= 500
	}
	if g.options.unreachable && down && ctx.Err() == nil {
		return &Verdict{Code: Unavailable}, nil
	}
	return nil, refused
}

func (g *Guard) question(r *http.Request, need Need) (string, Ask, *refusal) {
	key, err := credential(r.Header, g.places)
	switch {
	case errors.Is(err, errNone):
		return "", Ask{}, &refusal{code: unauthenticated}
	case err != nil:
		return "", Ask{}, &refusal{code: Malformed}
	}
	// Two origins are none: joined they are not what a browser sends.
	origin, path := strings.Join(r.Header["Origin"], ", "), rawPath(r)
	switch {
	case len(origin) > textMax:
		return "", Ask{}, &refusal{code: OriginDenied}
	case len(path) > textMax || path == "" || len(r.Method) > methodMax:
		return "", Ask{}, &refusal{code: EndpointDenied}
	case len(need.Resource) > textMax:
		return "", Ask{}, &refusal{code: InsufficientPermissions}
	}
	ask := Ask{
		IP:     clientAddress(peer(r), r.Header["X-Forwarded-For"], g.trusted),
		Method: r.Method, Path: path, Origin: origin, UserAgent: cut(strings.Join(r.Header["User-Agent"], ", ")),
		Permissions: need.Permissions, Resource: need.Resource, Cost: need.Cost, Tags: need.Tags,
	}
	if g.options.metadata {
		ask.Include = []string{"metadata"}
	}
	if before, _ := r.Context().Value(contextKey{}).(judged); ask.Cost == nil && before.by == g.client {
		// Asked a second time for the same request, which is counted once.
		ask.Cost = new(uint64)
	}
	return key, ask, nil
}

// rawPath is the path as it was sent: a mux may read an escape or dots otherwise than what stands before it.
func rawPath(r *http.Request) string {
	if r.RequestURI == "" {
		return r.URL.EscapedPath()
	}
	path, _, _ := strings.Cut(r.RequestURI, "?")
	return path
}

func peer(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// cut makes a user agent, a record and no rule, what Keystead takes: bytes that are no UTF-8 grow threefold.
func cut(agent string) string {
	if len(agent) > textMax/3 {
		return agent[:textMax/3]
	}
	return agent
}

// isPreflight says whether a browser asks if it may ask (CORS): it never sends a key with that.
func isPreflight(r *http.Request) bool {
	// What turns one method into another behind the guard.
	for _, override := range []string{"X-Http-Method-Override", "X-Http-Method", "X-Method-Override"} {
		if _, here := r.Header[override]; here {
			return false
		}
	}
	return r.Method == http.MethodOptions && len(r.Header["Origin"]) == 1 &&
		len(r.Header["Access-Control-Request-Method"]) == 1
}
