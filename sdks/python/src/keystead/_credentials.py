"""The one key of a request."""

from __future__ import annotations

import re
from typing import Iterable, Sequence

from ._errors import InvalidSetting

AUTHORIZATION = "authorization"
KEY_BYTES_MAX = 512

# A comma joins what were two headers, so it is never a part of a key here.
_KEY = re.compile(r"[!-+\--~]{1,%d}" % KEY_BYTES_MAX)
_NAME = re.compile(r"[A-Za-z0-9-]{1,64}")


def places(names: Iterable[str]) -> tuple[str, ...]:
    """Checks the names of headers that may carry a key."""
    listed = tuple(name.lower() for name in names)
    if not listed or len(set(listed)) != len(listed) or not all(map(_NAME.fullmatch, listed)):
        raise InvalidSetting("`credentials` lists each header that may carry a key, such as `X-API-Key`, once.")
    return listed


class Malformed(Exception):
    """There is a credential, and it is not one key."""


def key(headers: Sequence[tuple[str, str]], listed: Sequence[str]) -> str | None:
    """The key in the listed places; `None` where there is none. Names of headers are in small letters.

    Two are refused, also two of which one is empty: whoever stands in between may have looked at the other one.
    """
    found = [(name, value) for name, value in headers if name in listed]
    if not found:
        return None
    if len(found) > 1:
        raise Malformed
    name, value = found[0][0], found[0][1].strip(" \t")
    if name == AUTHORIZATION:
        scheme, _, value = value.partition(" ")
        if scheme.lower() != "bearer":
            raise Malformed
        value = value.strip(" \t")
    if _KEY.fullmatch(value) is None:
        raise Malformed
    return value
