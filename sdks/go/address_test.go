package keystead

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

func TestAddresses(t *testing.T) {
	raw, err := os.ReadFile("../cases/addresses.json")
	if err != nil {
		t.Fatal(err)
	}
	var table []struct {
		Peer, Is           string
		Trusted, Forwarded []string
	}
	if err := json.Unmarshal(raw, &table); err != nil {
		t.Fatal(err)
	}
	for _, one := range table {
		trusted, err := networks(one.Trusted)
		if err != nil {
			t.Fatal(err)
		}
		if is := clientAddress(one.Peer, one.Forwarded, trusted); is != one.Is {
			t.Errorf("%+v: %q", one, is)
		}
	}
}

func TestAnEndlessChainOfProxiesNamesNobody(t *testing.T) {
	trusted, _ := networks([]string{"10.0.0.0/8"})
	if is := clientAddress("10.0.0.1", []string{strings.Repeat("10.0.0.2, ", 100_000) + "10.0.0.2"}, trusted); is != "" {
		t.Fatal(is)
	}
}

func TestUserAgentsFitWhateverTheyAre(t *testing.T) {
	written, err := json.Marshal(Ask{UserAgent: cut(strings.Repeat("\xff", 60_000))})
	var back Ask
	if err != nil || json.Unmarshal(written, &back) != nil || len(back.UserAgent) > textMax {
		t.Fatal(len(back.UserAgent), err)
	}
}
