"""What came back, as a verdict or an error."""

from __future__ import annotations

import json
import re
from typing import Mapping

import httpx

from ._errors import KeysteadError, Problem, ProtocolError
from ._verdict import NotAVerdict, Verdict, read

BYTES_MAX = 4 << 20
"""The largest answer that is read: a verdict with 5,000 permissions is smaller."""

_TEXT_MAX = 1_000


def check_head(status: int, headers: httpx.Headers) -> None:
    """Refuses an answer that is not to be read at all."""
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise ProtocolError(status, "it is compressed, which was not asked for")
    if headers.get("content-length", "0").isdecimal() and int(headers.get("content-length", "0")) > BYTES_MAX:
        raise ProtocolError(status, "it is too large")


def verdict(status: int, headers: httpx.Headers, content: bytes, secrets: tuple[str, ...]) -> Verdict:
    """The verdict. Whatever is none raises."""
    kind = headers.get("content-type", "").split(";")[0].strip().lower()
    if status != 200:
        raise _problem(status, kind, headers, content, secrets)
    if kind != "application/json":
        raise ProtocolError(status, "it is not JSON")
    try:
        return read(_json(content))
    except NotAVerdict as why:
        raise ProtocolError(status, str(why)) from None


def _json(content: bytes) -> object:
    try:
        return json.loads(content.decode("utf-8"))
    # Deep nesting ends in a RecursionError.
    except (ValueError, RecursionError):
        raise NotAVerdict("it is not JSON") from None


def _problem(
    status: int, kind: str, headers: httpx.Headers, content: bytes, secrets: tuple[str, ...]
) -> KeysteadError:
    other = ProtocolError(status, "it is neither a verdict nor a problem document")
    if kind != "application/problem+json":
        return other
    try:
        said = _json(content)
    except NotAVerdict:
        return other
    if not isinstance(said, Mapping) or not isinstance(said.get("code"), str):
        return other
    texts = [_plain(said.get(name), secrets) for name in ("code", "detail", "fix", "request_id")]
    after = headers.get("retry-after", "")
    retry_after = int(after) if re.fullmatch("[0-9]{1,9}", after) else None
    return Problem(status, texts[0], texts[1], texts[2], texts[3] or None, retry_after)


def _plain(value: object, secrets: tuple[str, ...]) -> str:
    """A text for a log: bounded, on one line, and without the keys even if a server repeats them."""
    text = value if isinstance(value, str) else ""
    for secret in secrets:
        text = text.replace(secret, "…")
    return "".join(char if char.isprintable() else " " for char in text[:_TEXT_MAX])
