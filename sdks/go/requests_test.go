package keystead_test

// Every case of sdks/cases/requests.json, from a socket to a real Keystead and back.

import (
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/keystead/keystead/sdks/go"
)

const (
	read  = "routes.read"
	write = "routes.write"
)

var (
	quiet     = keystead.ErrorLog(log.New(io.Discard, "", 0))
	ofNetwork = regexp.MustCompile(`^/v1/networks/([A-Z0-9-]+)/routes$`)
	guards    = map[string][]keystead.GuardOption{
		"plain":   nil,
		"proxied": {keystead.TrustedProxies("127.0.0.0/8")},
		"places":  {keystead.Credentials("X-API-Key")},
	}
	challenges = map[string]string{
		"": "", "plain": `Bearer realm="api"`, "invalid_token": `Bearer realm="api", error="invalid_token"`,
	}
)

// needs says what a request needs; the path is what a mux routes by.
func needs(r *http.Request) keystead.Need {
	network := ofNetwork.FindStringSubmatch(r.URL.Path)
	switch {
	case r.URL.Path == "/v1/routes" && r.Method == "PUT":
		return keystead.Need{Permissions: keystead.Permission(write)}
	case r.URL.Path == "/v1/routes":
		return keystead.Need{Permissions: keystead.Permission(read)}
	case r.URL.Path == "/v1/all":
		return keystead.Need{Permissions: keystead.AllOf(keystead.Permission(read), keystead.Permission(write))}
	case r.URL.Path == "/v1/any":
		return keystead.Need{Permissions: keystead.AnyOf(keystead.Permission(read), keystead.Permission(write))}
	case network != nil:
		return keystead.Need{Permissions: keystead.Permission(read), Resource: "networks/" + network[1]}
	}
	return keystead.Need{}
}

// tell is the guarded API.
func tell(w http.ResponseWriter, r *http.Request) {
	verdict, here := keystead.FromContext(r.Context())
	if !here {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	json.NewEncoder(w).Encode(object{"key_id": verdict.KeyID, "valid": verdict.Valid})
}

func client(t *testing.T, url, key string, options ...keystead.ClientOption) *keystead.Client {
	t.Helper()
	made, err := keystead.NewClient(url, key, append([]keystead.ClientOption{keystead.In("acme", "production"), keystead.Timeout(30 * time.Second)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func guard(t *testing.T, client *keystead.Client, options ...keystead.GuardOption) *keystead.Guard {
	t.Helper()
	made, err := keystead.NewGuard(client, append([]keystead.GuardOption{quiet}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func serve(t *testing.T, handler http.Handler) (address string) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

type requestCase struct {
	Name, App, Method, Path, Code, Key, Challenge, Level string
	Headers                                              [][2]string
	Status                                               int
	RetryAfter                                           bool `json:"retry_after"`
}

func TestRequests(t *testing.T) {
	var table []requestCase
	cases("requests", &table)
	addresses := map[string]string{}
	for name, options := range guards {
		options = append([]keystead.GuardOption{keystead.PassPreflight()}, options...)
		made := guard(t, client(t, home.url, home.guard), options...)
		addresses[name] = serve(t, made.For(needs, http.HandlerFunc(tell)))
	}
	for _, one := range table {
		one := one
		t.Run(one.Name, func(t *testing.T) { check(t, addresses[one.App], one) })
	}
}

// The guards of single handlers, behind a mux that itself redirects odd paths.
func TestRequestsToEndpoints(t *testing.T) {
	var table []requestCase
	cases("requests", &table)
	addresses := map[string]string{}
	for name, options := range guards {
		made, mux := guard(t, client(t, home.url, home.guard), options...), http.NewServeMux()
		reading := made.Require(keystead.Permission(read), http.HandlerFunc(tell))
		writing := made.Require(keystead.Permission(write), http.HandlerFunc(tell))
		mux.HandleFunc("/v1/routes", func(w http.ResponseWriter, r *http.Request) {
			if r.Method == "PUT" {
				writing.ServeHTTP(w, r)
				return
			}
			reading.ServeHTTP(w, r)
		})
		mux.Handle("/v1/", made.RequireFor(needs, http.HandlerFunc(tell)))
		addresses[name] = serve(t, mux)
	}
	for _, one := range table {
		one := one
		if one.Level == "app" {
			continue
		}
		t.Run(one.Name, func(t *testing.T) {
			path := strings.SplitN(one.Path, "?", 2)[0]
			if strings.Contains(path, "//") || strings.Contains(path, "..") || strings.Contains(strings.ToLower(path), "%2e%2e") {
				if got := send(t, addresses[one.App], one.Method, one.Path, bearer("endpoint")); got.status < 301 || got.status > 403 {
					t.Fatal(got)
				}
				return
			}
			check(t, addresses[one.App], one)
		})
	}
}

func check(t *testing.T, address string, one requestCase) {
	t.Helper()
	for i, header := range one.Headers {
		one.Headers[i] = [2]string{header[0], home.filled(header[1])}
	}
	got := send(t, address, one.Method, home.filled(one.Path), one.Headers...)
	if got.status != one.Status || got.header.Get("WWW-Authenticate") != challenges[one.Challenge] {
		t.Fatalf("%+v", got)
	}
	after := got.header.Get("Retry-After")
	if seconds, _ := strconv.Atoi(after); (after != "") != one.RetryAfter || one.RetryAfter && seconds < 1 {
		t.Fatalf("Retry-After %q", after)
	}
	switch {
	case one.Status == 200:
		if said := got.document(t); said["key_id"] != home.ids[one.Key] || said["valid"] != true {
			t.Fatal(got.body)
		}
	case one.Code != "" && one.Method != "HEAD":
		said := got.document(t)
		if said["code"] != one.Code || said["status"] != float64(one.Status) || said["type"] != "urn:keystead:problem:"+one.Code {
			t.Fatal(got.body)
		}
		if got.header.Get("Content-Type") != "application/problem+json" || got.header.Get("Cache-Control") != "no-store" {
			t.Fatal(got.header)
		}
		for name := range said {
			if !strings.Contains(" type title status code detail fix request_id ", " "+name+" ") {
				t.Fatalf("%s is told", name)
			}
		}
		for _, id := range home.ids {
			if strings.Contains(got.body, id) {
				t.Fatalf("an id is told: %s", got.body)
			}
		}
	}
	for _, key := range home.keys {
		if strings.Contains(got.body, key) {
			t.Fatal("a key is told")
		}
	}
}
