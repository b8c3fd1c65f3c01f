"""Request paths, as they were sent; where a server has only the decoded one, by Keystead's rule for ambiguous ones."""

from __future__ import annotations

import re
from urllib.parse import quote_from_bytes, unquote_to_bytes

BYTES_MAX = 2048
"""The longest path that Keystead compares."""

# What proxies and upstreams may read differently: the rule of Keystead's `endpoints`.
_AMBIGUOUS = re.compile(
    r"//|/\.{1,2}(?:/|\Z)|[\\;?#]|[^!-~]"
    r"|%(?![0-9a-f]{2})|%(?:2f|5c|2e|3b|[01][0-9a-f]|7f|c[01]|f[5-9a-f])"
    r"|%25(?:%|[0-9a-f])|%e0%[89]|%f0%8",
    re.IGNORECASE | re.ASCII,
)


def is_ambiguous(path: str) -> bool:
    """Whether a check of this path proves nothing."""
    return not path.startswith("/") or len(path) > BYTES_MAX or _AMBIGUOUS.search(path) is not None


def without_query(raw: bytes) -> str:
    """The raw path of a request target."""
    return raw.split(b"?", 1)[0].decode("latin-1")


def of_wsgi(target: str | None, decoded: bytes) -> str | None:
    """The raw path, if the server hands it over and it is what the application routes by; otherwise the decoded one,
    encoded again; none if that could have been something else."""
    if target is not None:
        path = target.split("?", 1)[0]
        if path.startswith("/") and unquote_to_bytes(path.encode("latin-1", "replace")) == decoded:
            return path
    path = quote_from_bytes(decoded, safe="/!$&'()*+,:=@-._~;")
    return None if is_ambiguous(path) else path
