package keystead

// The one key of a request.

import (
	"errors"
	"net/http"
	"net/textproto"
	"regexp"
	"strings"
)

const keyBytesMax = 512

var (
	errMalformed = errors.New("there is a credential, and it is not one key")
	errNone      = errors.New("there is no credential")
	headerName   = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)
)

func places(names []string) ([]string, error) {
	seen := make(map[string]bool)
	listed := make([]string, 0, len(names))
	for _, name := range names {
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		if !headerName.MatchString(name) || seen[canonical] {
			listed = nil
			break
		}
		seen[canonical] = true
		listed = append(listed, canonical)
	}
	if len(listed) == 0 {
		return nil, setting("credentials list each header that may carry a key, such as X-API-Key, once")
	}
	return listed, nil
}

// credential is the key in the listed places. Two are refused, also two of which one is empty: whoever stands in
// between may have looked at the other one.
func credential(header http.Header, listed []string) (string, error) {
	var found []string
	place := ""
	for _, name := range listed {
		if values := header[name]; len(values) > 0 {
			found, place = append(found, values...), name
		}
	}
	if len(found) == 0 {
		return "", errNone
	}
	if len(found) > 1 {
		return "", errMalformed
	}
	key := strings.Trim(found[0], " \t")
	if place == "Authorization" {
		scheme, token, _ := strings.Cut(key, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return "", errMalformed
		}
		key = strings.Trim(token, " \t")
	}
	// A comma joins what were two headers, so it is never a part of a key here.
	foreign := func(r rune) bool { return r < '!' || r > '~' || r == ',' }
	if key == "" || len(key) > keyBytesMax || strings.IndexFunc(key, foreign) >= 0 {
		return "", errMalformed
	}
	return key, nil
}
