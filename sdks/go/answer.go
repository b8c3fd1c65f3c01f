package keystead

// What came back, as a verdict or an error.

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
)

const (
	// The largest answer that is read: a verdict with 5,000 permissions is smaller.
	answerBytesMax = 4 << 20
	problemTextMax = 1_000
)

// readAnswer answers the body beside the verdict that it is.
func readAnswer(response *http.Response, secrets ...string) ([]byte, *Verdict, error) {
	status := response.StatusCode
	if coding := response.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return nil, nil, &ProtocolError{status, "it is compressed, which was not asked for"}
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, answerBytesMax+1))
	if len(body) > answerBytesMax {
		return nil, nil, &ProtocolError{status, "it is too large"}
	}
	if err != nil {
		return nil, nil, err
	}
	kind := strings.ToLower(strings.TrimSpace(strings.SplitN(response.Header.Get("Content-Type"), ";", 2)[0]))
	switch {
	case status != http.StatusOK:
		return nil, nil, readProblem(response, kind, body, secrets)
	case kind != "application/json":
		return nil, nil, &ProtocolError{status, "it is not JSON"}
	}
	verdict, err := readVerdict(body)
	if err != nil {
		return nil, nil, &ProtocolError{status, err.Error()}
	}
	return body, verdict, nil
}

func readProblem(response *http.Response, kind string, body []byte, secrets []string) error {
	f := readFields(body)
	code := f.text("code", true)
	if kind != "application/problem+json" || f.wrong != nil {
		return &ProtocolError{response.StatusCode, "it is neither a verdict nor a problem document"}
	}
	problem := &Problem{
		Status: response.StatusCode, Code: plain(code, secrets),
		Detail: plain(f.text("detail", false), secrets), Fix: plain(f.text("fix", false), secrets),
		RequestID: plain(f.text("request_id", false), secrets),
	}
	if seconds, err := strconv.ParseUint(response.Header.Get("Retry-After"), 10, 30); err == nil {
		problem.RetryAfter = duration(seconds, time.Second)
	}
	return problem
}

// plain is a text for a log: bounded, on one line, and without the keys even if a server repeats them.
func plain(text string, secrets []string) string {
	for _, secret := range secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "…")
		}
	}
	runes := []rune(text)
	if len(runes) > problemTextMax {
		runes = runes[:problemTextMax]
	}
	for i, r := range runes {
		if !unicode.IsPrint(r) {
			runes[i] = ' '
		}
	}
	return string(runes)
}
