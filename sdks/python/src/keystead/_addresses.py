"""Whose address a request has. What headers say of it counts only as far as proxies are trusted."""

from __future__ import annotations

import ipaddress
import re
from typing import Iterable, Sequence, Union

from ._errors import InvalidSetting

Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]

_HOPS_MAX = 64
_PORT = re.compile(r"(?:(?P<v4>[0-9.]+)|\[(?P<v6>[0-9A-Fa-f:.]+)\])(?::[0-9]{1,5})?", re.ASCII)


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Reads the networks of trusted proxies."""
    try:
        return tuple(_plain_network(ipaddress.ip_network(text)) for text in texts)
    except ValueError:
        raise InvalidSetting("A trusted proxy is no address or network such as `10.0.0.0/8`.") from None


def client(peer: str | None, forwarded: Sequence[str], trusted: Sequence[Network]) -> str | None:
    """The client's address: the peer's, or the first from the right of `X-Forwarded-For` that is no trusted proxy's.

    The leftmost is whatever the client wrote. Where a trusted proxy names what is no address, there is none: a
    restriction to networks then denies.
    """
    address = _address((peer or "").split("%")[0])
    hops = [hop for line in forwarded for hop in line.split(",")]
    for _ in range(_HOPS_MAX):
        if address is None or not hops or not _is_in(address, trusted):
            return None if address is None else str(address)
        address = _hop(hops.pop().strip(" \t"))
    return None


def _hop(text: str) -> Address | None:
    with_port = _PORT.fullmatch(text)
    return _address((with_port["v4"] or with_port["v6"]) if with_port else text)


def _address(text: str) -> Address | None:
    if "%" in text:
        return None
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _is_in(address: Address, trusted: Sequence[Network]) -> bool:
    return any(address.version == network.version and address in network for network in trusted)


def _plain_network(network: Network) -> Network:
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is None or network.prefixlen < 96:
        return network
    return ipaddress.ip_network((mapped, network.prefixlen - 96))
