package keystead

// Fields of a JSON object, each of the kind that is wanted. encoding/json alone takes names in any case, null for
// anything, and what is left out for zero.

import (
	"bytes"
	"encoding/json"
	"errors"
	"time"
	"unicode/utf8"
)

type fields struct {
	object map[string]json.RawMessage
	// What was wrong first; never what was there.
	wrong error
}

func readFields(raw []byte) *fields {
	f := &fields{}
	if !utf8.Valid(raw) || json.Unmarshal(raw, &f.object) != nil || f.object == nil {
		f.wrong = errors.New("it is not the JSON object that was expected")
	}
	return f
}

func (f *fields) fail(name, why string) {
	if f.wrong == nil {
		f.wrong = errors.New("`" + name + "` " + why)
	}
}

// get answers whether the field was there.
func (f *fields) get(name string, required bool, into any) bool {
	raw, here := f.object[name]
	if !here || bytes.Equal(raw, []byte("null")) {
		if required {
			f.fail(name, "is missing")
		}
		return false
	}
	if json.Unmarshal(raw, into) != nil {
		f.fail(name, "is of another kind")
		return false
	}
	return true
}

func (f *fields) text(name string, required bool) (value string) {
	f.get(name, required, &value)
	return value
}

func (f *fields) number(name string, required bool) (value uint64) {
	f.get(name, required, &value)
	return value
}

func (f *fields) optionalNumber(name string) *uint64 {
	var value uint64
	if !f.get(name, false, &value) {
		return nil
	}
	return &value
}

func (f *fields) time(name string, required bool) *time.Time {
	var text string
	if !f.get(name, required, &text) {
		return nil
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		f.fail(name, "is no time")
		return nil
	}
	return &at
}

func (f *fields) texts(name string) []string {
	var values []*string
	f.get(name, true, &values)
	texts := make([]string, 0, len(values))
	for _, value := range values {
		if value == nil {
			f.fail(name, "is of another kind")
			break
		}
		texts = append(texts, *value)
	}
	return texts
}

// part reads an object within, where there is one.
func (f *fields) part(name string, read func(*fields)) {
	var raw json.RawMessage
	if f.get(name, false, &raw) {
		f.read(raw, read)
	}
}

func (f *fields) parts(name string, required bool, read func(*fields)) {
	var raws []json.RawMessage
	f.get(name, required, &raws)
	for _, raw := range raws {
		f.read(raw, read)
	}
}

func (f *fields) read(raw json.RawMessage, read func(*fields)) {
	within := readFields(raw)
	read(within)
	if f.wrong == nil {
		f.wrong = within.wrong
	}
}
