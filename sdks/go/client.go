package keystead

// Asks Keystead.

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

const (
	timeoutMax  = time.Minute
	idleTimeout = 5 * time.Second
)

// Client asks Keystead. It may be used by many goroutines, and shows its address, never its key.
type Client struct{ inner *client }

type client struct {
	url string
	// A function, because fmt writes the fields of fields, whatever methods they have.
	key     func() string
	options clientOptions
	http    *http.Client
	cache   *cache
}

type clientOptions struct {
	project, environment string
	timeout              time.Duration
	cacheAge             time.Duration
	cacheEntries         int
	plainHTTP            bool
	tls                  *tls.Config
	now                  func() (steady time.Duration, wall time.Time)
}

// ClientOption is a setting of a Client.
type ClientOption func(*clientOptions)

// In says where keys are looked for; it may be left out where the own key's grant pins it.
func In(project, environment string) ClientOption {
	return func(o *clientOptions) { o.project, o.environment = project, environment }
}

// Timeout says how long a question may take; 2 s by default, at most a minute.
func Timeout(timeout time.Duration) ClientOption {
	return func(o *clientOptions) { o.timeout = timeout }
}

// Cache uses a verdict that let pass again for the same question, for up to age (at most 10 s): so long a revoked key
// can pass. It keeps at most entries.
func Cache(age time.Duration, entries int) ClientOption {
	return func(o *clientOptions) { o.cacheAge, o.cacheEntries = age, entries }
}

// AllowPlainHTTP allows plain HTTP to other machines: whoever is on the way can then read the keys.
func AllowPlainHTTP() ClientOption { return func(o *clientOptions) { o.plainHTTP = true } }

// TLS replaces the platform's settings.
func TLS(config *tls.Config) ClientOption { return func(o *clientOptions) { o.tls = config } }

// Clock replaces the machine's in the cache, for tests: a clock that never steps, and the one on the wall.
func Clock(now func() (steady time.Duration, wall time.Time)) ClientOption {
	return func(o *clientOptions) { o.now = now }
}

func systemClock() func() (time.Duration, time.Time) {
	start := time.Now()
	return func() (time.Duration, time.Time) {
		now := time.Now()
		return now.Sub(start), now
	}
}

// NewClient makes a client of the Keystead at base (without /v1), with a key that has the permission keys.verify.
func NewClient(base, key string, options ...ClientOption) (*Client, error) {
	set := clientOptions{timeout: 2 * time.Second, cacheEntries: 10_000, now: systemClock()}
	for _, option := range options {
		option(&set)
	}
	checked, err := checkedURL(base, set.plainHTTP)
	if err != nil {
		return nil, err
	}
	if key == "" || strings.IndexFunc(key, func(r rune) bool { return r < '!' || r > '~' }) >= 0 {
		return nil, setting("the key is empty or holds characters that no key has")
	}
	if set.timeout <= 0 || set.timeout > timeoutMax {
		return nil, setting("the timeout is more than 0 and at most a minute")
	}
	kept, err := newCache(set.cacheAge, set.cacheEntries, set.now)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		TLSClientConfig:        set.tls,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true,
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: 64 << 10,
	}
	asking := &http.Client{
		Transport: transport,
		// A redirect would carry the keys to a host that nobody chose.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return &Client{&client{checked, func() string { return key }, set, asking, kept}}, nil
}

// String shows the address.
func (c Client) String() string { return "keystead.Client(" + c.inner.url + ")" }

// Verify says whether a request with this key may pass. A refusal is a verdict; an error is the lack of one: then
// refuse.
func (c *Client) Verify(ctx context.Context, key string, ask Ask) (*Verdict, error) {
	in := c.inner
	body, err := json.Marshal(question{key, in.options.project, in.options.environment, ask})
	if err != nil {
		return nil, setting("the question cannot be written")
	}
	if in.options.cacheAge == 0 {
		_, verdict, err := in.ask(ctx, key, body)
		return verdict, err
	}
	at := in.cache.digest(body)
	if verdict := in.cache.get(at); verdict != nil {
		return verdict, nil
	}
	asked := in.cache.instant()
	answer, verdict, err := in.ask(ctx, key, body)
	if err != nil {
		return nil, err
	}
	in.cache.keep(at, verdict, answer, asked)
	return verdict, nil
}

func (c *client) ask(ctx context.Context, key string, body []byte) ([]byte, *Verdict, error) {
	ctx, cancel := context.WithTimeout(ctx, c.options.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+"/v1/verify", bytes.NewReader(body))
	if err != nil {
		return nil, nil, setting("the question cannot be sent")
	}
	request.Header.Set("Authorization", "Bearer "+c.key())
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "keystead-sdk-go/0.1.0")
	response, err := c.http.Do(request)
	if err != nil {
		return nil, nil, failure(ctx, err)
	}
	defer response.Body.Close()
	answer, verdict, err := readAnswer(response, key, c.key())
	var protocol *ProtocolError
	var problem *Problem
	if err != nil && !errors.As(err, &protocol) && !errors.As(err, &problem) {
		return nil, nil, failure(ctx, err)
	}
	return answer, verdict, err
}

// checkedURL is the base URL; its text never appears in an error, because it may hold a password.
func checkedURL(text string, plainHTTP bool) (string, error) {
	base, err := url.Parse(strings.TrimSpace(text))
	if err != nil {
		return "", setting("the server's URL cannot be read")
	}
	switch {
	case base.Scheme != "http" && base.Scheme != "https" || base.Hostname() == "":
		return "", setting("the server's URL is neither https:// nor http://")
	case base.User != nil || base.RawQuery != "" || base.ForceQuery || base.Fragment != "":
		return "", setting("the server's URL holds a user name, a password, a query or a fragment")
	case base.Scheme == "http" && !plainHTTP && !isLoopback(base.Hostname()):
		return "", setting("plain HTTP to another machine would show the keys to everybody on the way: " +
			"use https://, or AllowPlainHTTP where the network is trusted")
	}
	return strings.TrimRight(base.String(), "/"), nil
}

// isLoopback says whether the host is this machine. Only names that cannot resolve elsewhere count (RFC 6761).
func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.Unmap().IsLoopback()
}
