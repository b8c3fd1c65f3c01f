package keystead_test

// What changes while requests come: keys that are revoked, with and without a cache, and what is counted.

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keystead/keystead/sdks/go"
)

const reading = `{"permissions": ["routes.read"]}`

// still is a clock that stands until it is told to go on.
type still struct{ steady, wall time.Duration }

func (s *still) now() (time.Duration, time.Time) {
	return s.steady, time.Unix(1_000_000, 0).Add(s.wall)
}

func status(t *testing.T, address, method, path, name string, headers ...[2]string) int {
	t.Helper()
	return send(t, address, method, path, append(headers, bearer(name))...).status
}

func TestARevokedKeyIsRefusedOnTheNextRequest(t *testing.T) {
	address := serve(t, guard(t, client(t, home.url, home.guard)).For(needs, http.HandlerFunc(tell)))
	name := home.fresh(t, reading)
	before := status(t, address, "GET", "/v1/routes", name)
	home.revoke(t, name)
	if after := status(t, address, "GET", "/v1/routes", name); before != 200 || after != 401 {
		t.Fatal(before, after)
	}
}

func TestWithACacheARevokedKeyPassesForAsLongAsWasSaidAndNoLonger(t *testing.T) {
	within := 2900 * time.Millisecond
	for i, later := range []still{{3 * time.Second, within}, {within, 3 * time.Second}, {within, -1}} {
		clock := &still{}
		asking := client(t, home.url, home.guard, keystead.Cache(3*time.Second, 10), keystead.Clock(clock.now))
		address := serve(t, guard(t, asking).For(needs, http.HandlerFunc(tell)))
		name := home.fresh(t, fmt.Sprintf(`{"permissions": ["routes.read"], "tags": ["t%d"]}`, i))
		first := status(t, address, "GET", "/v1/routes", name)
		home.revoke(t, name)
		*clock = still{within, within}
		second := status(t, address, "GET", "/v1/routes", name)
		*clock = later
		if after := status(t, address, "GET", "/v1/routes", name); first != 200 || second != 200 || after != 401 {
			t.Fatal(i, first, second, after)
		}
	}
}

func TestACachedVerdictHoldsForWhatWasAskedAlone(t *testing.T) {
	clock := &still{}
	asking := client(t, home.url, home.guard, keystead.Cache(10*time.Second, 100), keystead.Clock(clock.now))
	address := serve(t, guard(t, asking, keystead.TrustedProxies("127.0.0.1")).For(needs, http.HandlerFunc(tell)))
	from := func(ip string) [2]string { return [2]string{"X-Forwarded-For", ip} }
	of := func(origin string) [2]string { return [2]string{"Origin", origin} }
	for i, one := range []struct {
		method, path, name string
		headers            [][2]string
		status             int
	}{
		{"GET", "/v1/routes", "good", nil, 200},
		{"PUT", "/v1/routes", "good", nil, 403},
		{"GET", "/v1/all", "good", nil, 403},
		{"GET", "/v1/routes", "nothing", nil, 403},
		{"GET", "/v1/networks/NET-7/routes", "narrow", nil, 200},
		{"GET", "/v1/networks/NET-8/routes", "narrow", nil, 403},
		{"GET", "/v1/files/public/a", "endpoint", nil, 200},
		{"GET", "/v1/files/secret", "endpoint", nil, 403},
		{"GET", "/v1/routes", "inside", [][2]string{from("203.0.113.7")}, 200},
		{"GET", "/v1/routes", "inside", [][2]string{from("198.51.100.7")}, 403},
		{"GET", "/v1/routes", "web", [][2]string{of("https://app.example.com")}, 200},
		{"GET", "/v1/routes", "web", [][2]string{of("https://evil.example.com")}, 403},
	} {
		if got := status(t, address, one.method, one.path, one.name, one.headers...); got != one.status {
			t.Fatal(i, got)
		}
	}
}

func TestWhatIsCountedIsNeverCached(t *testing.T) {
	clock := &still{}
	asking := client(t, home.url, home.guard, keystead.Cache(10*time.Second, 100), keystead.Clock(clock.now))
	address := serve(t, guard(t, asking).For(needs, http.HandlerFunc(tell)))
	for _, counted := range []string{
		`"limits": [{"name": "main", "limit": 3, "window": "1d"}]`,
		`"quota": {"limit": 3, "per": "month", "time_zone": "UTC"}`,
		`"credits": {"remaining": 3, "refill": "none", "amount": 0}`,
		`"kind": "temporary", "uses": 3`,
	} {
		name := home.fresh(t, `{`+counted+`, "permissions": ["routes.read"]}`)
		for _, wanted := range []int{200, 200, 200, 429} {
			if got := status(t, address, "GET", "/v1/routes", name); got != wanted {
				t.Fatal(counted, got, wanted)
			}
		}
	}
}

func TestTheCacheIsBoundedAndItsAgeCountsFromTheQuestion(t *testing.T) {
	clock := &still{}
	url, requests := answering(t, func(c net.Conn) {
		clock.steady += 2 * time.Second
		body := `{"valid": true, "code": "valid", "key_id": "key_1", "permissions": ["a"], "limits": [], "metadata": {"a": 1}}`
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	})
	asking := client(t, url, own, keystead.Cache(3*time.Second, 2), keystead.Clock(clock.now))
	ask := func(key string, wanted int32) *keystead.Verdict {
		t.Helper()
		verdict, err := asking.Verify(context.Background(), key, keystead.Ask{})
		if err != nil || atomic.LoadInt32(requests) != wanted {
			t.Fatal(err, atomic.LoadInt32(requests))
		}
		return verdict
	}
	first := ask("a", 1)
	first.Permissions[0], first.Metadata["a"] = "everything", 2
	if again := ask("a", 1); again.Permissions[0] != "a" || again.Metadata["a"] != 1.0 {
		t.Fatal("one request changed what another sees")
	}
	clock.steady += time.Second
	ask("a", 2)
	// All at one time, so that nothing is too old: the third makes the first give way.
	for _, one := range []struct {
		key   string
		asked int32
	}{{"a", 3}, {"b", 4}, {"a", 4}, {"c", 5}, {"b", 5}, {"a", 6}} {
		clock.steady = time.Hour
		ask(one.key, one.asked)
	}
}

func TestARequestThatIsAskedAboutTwiceIsCountedOnce(t *testing.T) {
	made := guard(t, client(t, home.url, home.guard))
	twice := made.Authenticate(made.Require(keystead.Permission(read), http.HandlerFunc(tell)))
	address := serve(t, twice)
	name := home.fresh(t, `{"permissions": ["routes.read"], "limits": [{"name": "main", "limit": 2, "window": "1d"}]}`)
	for _, wanted := range []int{200, 200, 429} {
		if got := status(t, address, "GET", "/", name); got != wanted {
			t.Fatal(got, wanted)
		}
	}
}

// A handler that does not look at the method would do its work for whoever sends what looks like a preflight.
func TestPreflightsDoNotPassUnlessTheyAreToAndNeverASingleHandlersGuard(t *testing.T) {
	preflight := [][2]string{{"Origin", "https://app.example.com"}, {"Access-Control-Request-Method", "GET"}}
	closed := guard(t, client(t, home.url, home.guard))
	opened := guard(t, client(t, home.url, home.guard), keystead.PassPreflight())
	tells := http.HandlerFunc(tell)
	for _, one := range []struct {
		handler http.Handler
		status  int
	}{
		{closed.Authenticate(tells), 401},
		{opened.Authenticate(tells), 204},
		{opened.Require(keystead.Permission(read), tells), 401},
		{opened.RequireFor(needs, tells), 401},
	} {
		if got := send(t, serve(t, one.handler), "OPTIONS", "/", preflight...); got.status != one.status {
			t.Fatal(got)
		}
	}
}

func TestMetadataComesWhereItWasAskedFor(t *testing.T) {
	name := home.fresh(t, `{"metadata": {"plan": "gold"}}`)
	asking := client(t, home.url, home.guard)
	handler := guard(t, asking, keystead.WithMetadata()).Authenticate(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		verdict, _ := keystead.FromContext(r.Context())
		fmt.Fprint(w, verdict.Metadata["plan"])
	}))
	if got := send(t, serve(t, handler), "GET", "/", bearer(name)); got.body != "gold" {
		t.Fatal(got)
	}
	if _, err := io.WriteString(io.Discard, asking.String()); err != nil {
		t.Fatal(err)
	}
}
