package keystead

// Whose address a request has. What headers say of it counts only as far as proxies are trusted.

import (
	"net/netip"
	"strings"
)

const hopsMax = 64

func networks(texts []string) ([]netip.Prefix, error) {
	prefixes := make([]netip.Prefix, 0, len(texts))
	for _, text := range texts {
		prefix, err := netip.ParsePrefix(text)
		if address, alone := netip.ParseAddr(text); alone == nil {
			prefix, err = address.Unmap().Prefix(address.Unmap().BitLen())
		}
		if err != nil {
			return nil, setting("a trusted proxy is no address or network such as 10.0.0.0/8")
		}
		if address := prefix.Addr(); address.Is4In6() && prefix.Bits() >= 96 {
			prefix = netip.PrefixFrom(address.Unmap(), prefix.Bits()-96)
		}
		prefixes = append(prefixes, prefix.Masked())
	}
	return prefixes, nil
}

// clientAddress is the peer's, or the first from the right of X-Forwarded-For that is no trusted proxy's. The leftmost
// is whatever the client wrote. Where a trusted proxy names what is no address, there is none: a restriction to
// networks then denies.
func clientAddress(peer string, forwarded []string, trusted []netip.Prefix) string {
	address, ok := parseAddress(strings.SplitN(peer, "%", 2)[0])
	rest := strings.Join(forwarded, ",")
	more := len(forwarded) > 0
	for hop := 0; hop < hopsMax; hop++ {
		if !ok {
			return ""
		}
		if !more || !isIn(address, trusted) {
			return address.String()
		}
		at := strings.LastIndexByte(rest, ',')
		address, ok = parseHop(strings.Trim(rest[at+1:], " \t"))
		if more = at >= 0; more {
			rest = rest[:at]
		}
	}
	return ""
}

// parseHop also reads an address with a port.
func parseHop(text string) (netip.Addr, bool) {
	if address, ok := parseAddress(text); ok {
		return address, true
	}
	if pair, err := netip.ParseAddrPort(text); err == nil && pair.Addr().Zone() == "" {
		return pair.Addr().Unmap(), true
	}
	if strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]") {
		return parseAddress(text[1 : len(text)-1])
	}
	return netip.Addr{}, false
}

func parseAddress(text string) (netip.Addr, bool) {
	address, err := netip.ParseAddr(text)
	return address.Unmap(), err == nil && address.Zone() == ""
}

func isIn(address netip.Addr, trusted []netip.Prefix) bool {
	for _, prefix := range trusted {
		if prefix.Contains(address) {
			return true
		}
	}
	return false
}
