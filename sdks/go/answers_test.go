package keystead_test

// What a Keystead that is broken, hostile, slow, newer or away makes of a request.

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keystead/keystead/sdks/go"
)

const (
	asked = "acme_live_canarycanarycanary"
	own   = "keystead_live_owncanaryowncanary"
)

type answerCase struct {
	Name, Body, Becomes, Code string
	Status                    int
	Headers                   map[string]string
}

func answerCases() (table []answerCase) {
	cases("answers", &table)
	return table
}

func (c answerCase) bytes(elsewhere string) []byte {
	text := strings.NewReplacer("{key}", asked, "{own}", own).Replace(c.Body)
	body := []byte(text)
	if c.Headers["x-test"] == "latin1" {
		body = body[:0]
		for _, r := range text {
			body = append(body, byte(r))
		}
	}
	if c.Headers["content-encoding"] == "gzip" {
		var packed bytes.Buffer
		writer := gzip.NewWriter(&packed)
		writer.Write(body)
		writer.Close()
		body = packed.Bytes()
	}
	head := fmt.Sprintf("HTTP/1.1 %d Said\r\nConnection: close\r\n", c.Status)
	if c.Status != 204 {
		head += fmt.Sprintf("Content-Length: %d\r\n", len(body))
	}
	for name, value := range c.Headers {
		head += name + ": " + strings.ReplaceAll(value, "{elsewhere}", elsewhere) + "\r\n"
	}
	return append([]byte(head+"\r\n"), body...)
}

// answering is a server whose every connection, after the head of a request, is handed to answer.
func answering(t *testing.T, answer func(net.Conn)) (url string, requests *int32) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	requests = new(int32)
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer connection.Close()
				request, err := http.ReadRequest(bufio.NewReader(connection))
				if err != nil {
					return
				}
				io.Copy(io.Discard, request.Body)
				atomic.AddInt32(requests, 1)
				answer(connection)
			}()
		}
	}()
	return "http://" + listener.Addr().String(), requests
}

// An address at which nobody listens, and which is given to no server.
const closedPort = "http://127.0.0.1:1"

func neverTells(t *testing.T, values ...any) {
	t.Helper()
	for _, value := range values {
		written, _ := json.Marshal(value)
		for _, form := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			text := fmt.Sprintf(form, value) + string(written)
			if strings.Contains(text, "canary") || strings.Contains(text, fmt.Sprintf("%x", "canary")) {
				t.Fatalf("%s tells %s", form, text)
			}
		}
	}
}

func TestAnswersBecome(t *testing.T) {
	for _, one := range answerCases() {
		one := one
		t.Run(one.Name, func(t *testing.T) {
			elsewhere, others := answering(t, func(net.Conn) {})
			url, requests := answering(t, func(c net.Conn) { c.Write(one.bytes(elsewhere)) })
			verdict, err := client(t, url, own).Verify(context.Background(), asked, keystead.Ask{IP: "203.0.113.7"})
			neverTells(t, verdict, err)
			if atomic.LoadInt32(requests) != 1 || atomic.LoadInt32(others) != 0 {
				t.Fatal("asked more than once, or elsewhere")
			}
			if got := became(err, verdict); got != one.Becomes {
				t.Fatalf("%s, not %s: %v", got, one.Becomes, err)
			}
			var problem *keystead.Problem
			switch {
			case err == nil && one.Code != "" && string(verdict.Code) != one.Code:
				t.Fatal(verdict.Code)
			case errors.As(err, &problem) && (problem.Code != one.Code || strings.ContainsAny(err.Error(), "\n\x1b")):
				t.Fatalf("%q", err)
			}
		})
	}
}

func became(err error, verdict *keystead.Verdict) string {
	var problem *keystead.Problem
	var protocol *keystead.ProtocolError
	switch {
	case errors.As(err, &problem) && problem.Status < 500:
		return "problem"
	case errors.As(err, &protocol) && protocol.Status < 500:
		return "protocol"
	case problem != nil || protocol != nil:
		return "server"
	case err != nil:
		return err.Error()
	case verdict.Valid:
		return "allowed"
	}
	return "refused"
}

func TestGuardsOpenOnlyForWhatNoClientCanBringAbout(t *testing.T) {
	for _, opened := range []bool{false, true} {
		var lines bytes.Buffer
		options := []keystead.GuardOption{keystead.ErrorLog(log.New(&lines, "", 0))}
		if opened {
			options = append(options, keystead.OpenWhenUnreachable())
		}
		var current answerCase
		url, _ := answering(t, func(c net.Conn) { c.Write(current.bytes("http://127.0.0.1:1")) })
		address := serve(t, guard(t, client(t, url, own), options...).For(needs, http.HandlerFunc(tell)))
		for _, current = range answerCases() {
			got := send(t, address, "GET", "/v1/routes", [2]string{"X-API-Key", asked})
			passes := current.Becomes == "allowed" || opened && current.Becomes == "server"
			wanted := 503
			if passes {
				wanted = 200
			} else if current.Code == "unknown" {
				wanted = 403
			}
			if got.status != wanted {
				t.Fatalf("%s: %+v", current.Name, got)
			}
			if wanted == 503 && (got.header.Get("Retry-After") == "" || got.document(t)["code"] != "unavailable") {
				t.Fatalf("%s: %+v", current.Name, got)
			}
			if passes && got.document(t)["valid"] != (current.Becomes == "allowed") {
				t.Fatalf("%s: %+v", current.Name, got)
			}
			neverTells(t, got.body, got.header)
		}
		neverTells(t, lines.String())
	}
}

func TestDownIsClosedUnlessItWasToBeOpen(t *testing.T) {
	with := func(options ...keystead.GuardOption) string {
		return serve(t, guard(t, client(t, closedPort, own), options...).For(needs, http.HandlerFunc(tell)))
	}
	key := [2]string{"Authorization", "Bearer " + asked}
	if got := send(t, with(), "GET", "/v1/routes", key); got.status != 503 || got.header.Get("Retry-After") != "1" {
		t.Fatal(got)
	}
	open := with(keystead.OpenWhenUnreachable())
	if got := send(t, open, "GET", "/v1/routes", key); got.status != 200 || got.document(t)["valid"] != false || got.document(t)["key_id"] != "" {
		t.Fatal(got)
	}
	for _, headers := range [][][2]string{nil, {{"X-API-Key", "a,b"}}, {key, key}} {
		if got := send(t, open, "GET", "/v1/routes", headers...); got.status != 401 {
			t.Fatal(got)
		}
	}
}

// Somebody who hangs up must not have an open guard do what nobody judged.
func TestWhoGoesAwayDoesNotOpen(t *testing.T) {
	url, _ := answering(t, func(c net.Conn) { io.Copy(io.Discard, c) })
	reached := false
	opened := guard(t, client(t, url, own), keystead.OpenWhenUnreachable())
	handler := opened.Authenticate(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	late, cancel := context.WithDeadline(context.Background(), time.Unix(0, 0))
	defer cancel()
	for _, ctx := range []context.Context{gone, late} {
		request, _ := http.NewRequestWithContext(ctx, "GET", "http://api.example.com/", nil)
		request.Header.Set("X-API-Key", asked)
		handler.ServeHTTP(nothing{}, request)
		if reached {
			t.Fatal("the handler ran")
		}
	}
}

type nothing struct{}

func (nothing) Header() http.Header         { return http.Header{} }
func (nothing) Write(b []byte) (int, error) { return len(b), nil }
func (nothing) WriteHeader(int)             {}

func TestTooSlowIsNoVerdict(t *testing.T) {
	drip := func(c net.Conn) {
		_, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
		for ; err == nil; time.Sleep(20 * time.Millisecond) {
			_, err = io.WriteString(c, " ")
		}
	}
	for _, answer := range []func(net.Conn){drip, func(c net.Conn) { io.Copy(io.Discard, c) }} {
		url, _ := answering(t, answer)
		asking := client(t, url, own, keystead.Timeout(200*time.Millisecond))
		if _, err := asking.Verify(context.Background(), asked, keystead.Ask{}); !errors.Is(err, keystead.ErrTimeout) {
			t.Fatal(err)
		}
		address := serve(t, guard(t, asking).For(needs, http.HandlerFunc(tell)))
		if got := send(t, address, "GET", "/v1/routes", [2]string{"X-API-Key", asked}); got.status != 503 {
			t.Fatal(got)
		}
	}
}

func TestAHundredMegabytesAreNotRead(t *testing.T) {
	var sent int64
	url, _ := answering(t, func(c net.Conn) {
		_, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 104857600\r\n\r\n")
		for chunk := bytes.Repeat([]byte(" "), 65536); err == nil && atomic.AddInt64(&sent, 65536) < 100<<20; {
			_, err = c.Write(chunk)
		}
	})
	var protocol *keystead.ProtocolError
	_, err := client(t, url, own, keystead.Timeout(time.Minute)).Verify(context.Background(), asked, keystead.Ask{})
	if !errors.As(err, &protocol) || atomic.LoadInt64(&sent) > 50<<20 {
		t.Fatal(err)
	}
}

func TestAConnectionThatBreaksIsNoVerdict(t *testing.T) {
	for _, answer := range []string{"", "canary garbage\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"} {
		url, _ := answering(t, func(c net.Conn) { io.WriteString(c, answer) })
		_, err := client(t, url, own).Verify(context.Background(), asked, keystead.Ask{})
		if !errors.Is(err, keystead.ErrUnreachable) {
			t.Fatal(err)
		}
		neverTells(t, err)
	}
}

func TestNothingShowsAKey(t *testing.T) {
	made := client(t, "http://127.0.0.1:1", own)
	neverTells(t, made, *made, guard(t, made), *guard(t, made), struct{ C *keystead.Client }{made})
}

func TestSettingsThatCannotBeUsedAreRefusedAndNotRepeated(t *testing.T) {
	urls := []string{
		"http://keystead.example.com", "http://localhost.example.com", "http://127.0.0.1.example.com", "ftp://example.com",
		"example.com", "", "https://me:canary@example.com", "https://example.com?canary=1", "https://example.com/?",
	}
	for _, url := range urls {
		_, err := keystead.NewClient(url, own)
		if !errors.Is(err, keystead.ErrSetting) {
			t.Fatal(url, err)
		}
		neverTells(t, err)
	}
	for _, key := range []string{"", "canary\nX-Evil: 1", "canary with space", "canäry"} {
		_, err := keystead.NewClient("https://example.com", key)
		if !errors.Is(err, keystead.ErrSetting) {
			t.Fatal(key, err)
		}
		neverTells(t, err)
	}
	for _, option := range []keystead.ClientOption{
		keystead.Timeout(0), keystead.Timeout(time.Hour), keystead.Cache(11*time.Second, 10), keystead.Cache(-1, 10),
		keystead.Cache(time.Second, 0), keystead.Cache(time.Second, 1e9),
	} {
		if _, err := keystead.NewClient("https://example.com", own, option); !errors.Is(err, keystead.ErrSetting) {
			t.Fatal(err)
		}
	}
	if _, err := keystead.NewClient("http://keystead.example.com", own, keystead.AllowPlainHTTP()); err != nil {
		t.Fatal(err)
	}
	for _, option := range []keystead.GuardOption{
		keystead.Realm(`a"b`), keystead.Realm("a\r\nb"), keystead.Credentials(), keystead.Credentials("X-API-Key", "x-api-key"),
		keystead.Credentials("X API Key"), keystead.TrustedProxies("example.com"), keystead.ErrorLog(nil),
	} {
		if _, err := keystead.NewGuard(client(t, "https://example.com", own), option); !errors.Is(err, keystead.ErrSetting) {
			t.Fatal(err)
		}
	}
}
