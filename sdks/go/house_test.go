package keystead_test

// A real Keystead with the keys of sdks/cases/house.json, for the time of a test run; requests as bytes on a socket.

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

type house struct {
	url, own, guard string
	keys, ids       map[string]string
}

var home *house

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	folder, err := os.MkdirTemp("", "keystead-go-*")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(folder)
	server := exec.Command(os.Getenv("KEYSTEAD_TEST_BINARY"), "serve", "--listen", "127.0.0.1:0", "--data", folder+"/data")
	out, err := server.StdoutPipe()
	if err != nil {
		return 1, err
	}
	if err := server.Start(); err != nil {
		return 1, fmt.Errorf("KEYSTEAD_TEST_BINARY names the server's binary: %w", err)
	}
	defer server.Wait()
	defer server.Process.Signal(syscall.SIGTERM)
	home = &house{keys: map[string]string{}, ids: map[string]string{}}
	lines := bufio.NewScanner(out)
	for home.url == "" && lines.Scan() {
		if _, key, found := strings.Cut(lines.Text(), "KEYSTEAD_KEY="); found {
			home.own = key
		} else if strings.HasPrefix(lines.Text(), "http://") {
			home.url = lines.Text()
		}
	}
	go io.Copy(io.Discard, out)
	if err := home.furnish(); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

func cases(name string, into any) {
	raw, err := os.ReadFile("../cases/" + name + ".json")
	if err == nil {
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		panic(err)
	}
}

type object = map[string]any

func (h *house) call(path string, body any) (object, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequest("POST", h.url+path, bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+h.own)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= 300 {
		return nil, fmt.Errorf("%s: %d %s %v", path, response.StatusCode, said, err)
	}
	answer := object{}
	return answer, json.Unmarshal(said, &answer)
}

func (h *house) furnish() error {
	var plan struct {
		Permissions []string
		Keys        map[string]json.RawMessage
		Acts        [][3]any
		Spent       []string
	}
	cases("house", &plan)
	steps := []struct {
		path string
		body object
	}{
		{"/v1/projects", object{"name": "Acme", "slug": "acme"}},
		{"/v1/projects/acme/environments", object{"name": "production", "slug": "production"}},
		{"/v1/projects/acme/environments", object{"name": "development", "slug": "development"}},
	}
	for _, name := range plan.Permissions {
		steps = append(steps, struct {
			path string
			body object
		}{"/v1/projects/acme/permissions", object{"name": name, "description": name}})
	}
	for _, step := range steps {
		if _, err := h.call(step.path, step.body); err != nil {
			return err
		}
	}
	day := strings.ToLower(time.Now().UTC().AddDate(0, 0, 3).Weekday().String()[:3])
	for name, body := range plan.Keys {
		if err := h.issue(name, "production", strings.ReplaceAll(string(body), "{other_day}", day)); err != nil {
			return err
		}
	}
	if err := h.issue("elsewhere", "development", `{"permissions": ["routes.read"]}`); err != nil {
		return err
	}
	for _, act := range plan.Acts {
		if _, err := h.call(fmt.Sprintf("/v1/keys/%s/%s", h.ids[act[0].(string)], act[1]), act[2]); err != nil {
			return err
		}
	}
	for _, name := range plan.Spent {
		asked := object{"key": h.keys[name], "project": "acme", "environment": "production"}
		if _, err := h.call("/v1/verify", asked); err != nil {
			return err
		}
	}
	h.keys["wrong_secret"] = withAnotherSecret(h.keys["good"])
	resources := []string{"projects/acme/environments/production"}
	made, err := h.call("/v1/projects/keystead/keys", object{
		"name": "guard", "environment": "production",
		"permissions": []object{{"permission": "keys.verify", "resources": resources}},
	})
	if err == nil {
		h.guard = made["key"].(string)
	}
	return err
}

func (h *house) issue(name, environment, body string) error {
	asked := object{}
	if err := json.Unmarshal([]byte(body), &asked); err != nil {
		return err
	}
	asked["name"], asked["environment"] = name, environment
	made, err := h.call("/v1/projects/acme/keys", asked)
	if err == nil {
		h.keys[name], h.ids[name] = made["key"].(string), made["id"].(string)
	}
	return err
}

// fresh issues a key for one test.
func (h *house) fresh(t *testing.T, body string) (name string) {
	t.Helper()
	name = fmt.Sprintf("%.30s-%d", t.Name(), len(h.ids))
	if err := h.issue(name, "production", body); err != nil {
		t.Fatal(err)
	}
	return name
}

func (h *house) revoke(t *testing.T, name string) {
	t.Helper()
	if _, err := h.call("/v1/keys/"+h.ids[name]+"/revoke", object{"reason": "for a test"}); err != nil {
		t.Fatal(err)
	}
}

func (h *house) filled(text string) string {
	for name, key := range h.keys {
		text = strings.ReplaceAll(text, "{"+name+"}", key)
	}
	return text
}

// withAnotherSecret has the same id, another secret, and a checksum that fits.
func withAnotherSecret(key string) string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	last := byte('a')
	if key[len(key)-7] == last {
		last = 'b'
	}
	signed := key[:len(key)-7] + string(last)
	rest, check := crc32.ChecksumIEEE([]byte(signed)), ""
	for i := 0; i < 6; i++ {
		check, rest = string(digits[rest%62])+check, rest/62
	}
	return signed + check
}

type answered struct {
	status int
	header http.Header
	body   string
}

func (a answered) document(t *testing.T) (document object) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.body), &document); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	return document
}

// send writes a request as it is, so that no client mends it.
func send(t *testing.T, address, method, path string, headers ...[2]string) answered {
	t.Helper()
	lines := method + " " + path + " HTTP/1.1\r\nHost: api.example.com\r\nConnection: close\r\n"
	for _, header := range headers {
		lines += header[0] + ": " + header[1] + "\r\n"
	}
	if method == "POST" || method == "PUT" {
		lines += "Content-Length: 0\r\n"
	}
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	if _, err := io.WriteString(connection, lines+"\r\n"); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(connection), &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answered{response.StatusCode, response.Header, string(body)}
}

func bearer(name string) [2]string { return [2]string{"Authorization", "Bearer " + home.keys[name]} }
