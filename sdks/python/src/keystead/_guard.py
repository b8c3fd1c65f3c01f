"""What stands between a request and the application: reads the one, judges what may reach the other. No I/O."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass
from typing import Any, Iterable, Mapping, Sequence

from . import _addresses, _credentials, _paths
from ._errors import InvalidSetting, KeysteadError, Problem, ProtocolError, TimedOut, Unreachable
from ._question import PermissionQuery
from ._verdict import Code, Verdict

log = logging.getLogger("keystead")

_TEXT_MAX = 2_048
_METHOD_MAX = 32
# What turns one method into another behind the guard.
_OVERRIDES = frozenset(("x-http-method-override", "x-http-method", "x-method-override"))

_KEY_FIX = "Send one valid key of this API, once."
# What clients are told: status, title, detail. `wrong_secret` is told as `not_found`: whether an id exists is not for
# strangers.
_TOLD: Mapping[str, tuple[int, str, str]] = {
    "unauthenticated": (401, "The request carries no key.", _KEY_FIX),
    "malformed": (401, "The request does not carry one well-formed key.", _KEY_FIX),
    "not_found": (401, "This key is not known here.", _KEY_FIX),
    "disabled": (401, "This key is switched off.", "Ask whoever issued it."),
    "revoked": (401, "This key was revoked.", "Use another key."),
    "expired": (401, "This key has expired.", "Use another key."),
    "not_yet_valid": (401, "This key is not valid yet.", "Try again when it is."),
    "suspended": (401, "This key is suspended.", "Ask whoever issued it."),
    "network_denied": (403, "This key may not be used from this address.", "Ask whoever issued it."),
    "origin_denied": (403, "This key may not be used from this origin.", "Ask whoever issued it."),
    "endpoint_denied": (403, "This key may not be used for this request.", "Ask whoever issued it."),
    "insufficient_permissions": (403, "This key may not do this.", "Ask whoever issued it for the permission."),
    "condition_denied": (403, "This key may not be used now or so.", "Ask whoever issued it."),
    "unknown": (403, "This key may not be used for this request.", "Ask whoever issued it."),
    "rate_limited": (429, "This key was used too often.", "Try again later."),
    "quota_exceeded": (429, "This key's quota is used up.", "Try again later."),
    "credits_exhausted": (429, "This key's credits are used up.", "Ask whoever issued it."),
    "unavailable": (503, "Whether this request may pass cannot be known now.", "Try again in a moment."),
}


@dataclass(frozen=True)
class Needs:
    """What a request needs beyond a valid key."""

    permissions: PermissionQuery | None = None
    resource: str | None = None
    """What the permissions are needed on, such as `networks/NET-7`."""
    cost: int | None = None
    """What it takes of limits, quotas and credits; 1 when left out."""
    tags: tuple[str, ...] = ()


KEY_ALONE = Needs()


@dataclass(frozen=True)
class Refusal:
    """The answer to a request that may not pass."""

    status: int
    code: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True)
class Incoming:
    """A request. `headers` are in order, their names in small letters; `path` is raw and without query."""

    method: str
    path: str | None
    headers: Sequence[tuple[str, str]]
    peer: str | None

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for sent, value in self.headers if sent == name]

    @property
    def is_preflight(self) -> bool:
        """Whether a browser asks if it may ask (CORS): it never sends a key with that."""
        if self.method != "OPTIONS" or any(name in _OVERRIDES for name, _ in self.headers):
            return False
        return len(self.all("origin")) == 1 and len(self.all("access-control-request-method")) == 1


class Guard:
    """How requests are read and refused; the same for ASGI, WSGI and FastAPI."""

    def __init__(
        self,
        *,
        credentials: Iterable[str] = ("Authorization", "X-API-Key"),
        trusted_proxies: Iterable[str] = (),
        realm: str = "api",
        metadata: bool = False,
        pass_preflight: bool = True,
        open_when_unreachable: bool = False,
    ) -> None:
        """`credentials` lists headers that may carry a key (`Authorization` as a bearer token).

        `trusted_proxies` lists addresses and networks whose `X-Forwarded-For` counts. `open_when_unreachable` lets
        requests with a key pass unjudged while Keystead does not answer: whoever can make it slow can then pass.
        """
        if re.fullmatch(r"[ !#-\[\]-~]{1,128}", realm) is None:
            raise InvalidSetting("`realm` is 1 to 128 characters of ASCII without quotes and backslashes.")
        self._places = _credentials.places(credentials)
        self._trusted = _addresses.networks(trusted_proxies)
        self._realm = realm
        self._metadata = metadata
        self._pass_preflight = pass_preflight
        self._open = open_when_unreachable

    def passes_unasked(self, request: Incoming) -> bool:
        """Whether this is a preflight that goes to the application."""
        return self._pass_preflight and request.is_preflight

    def question(self, request: Incoming, needs: Needs) -> tuple[str, dict[str, Any]] | Refusal:
        """The key and what to ask about it, or why nothing is asked."""
        try:
            key = _credentials.key(request.headers, self._places)
        except _credentials.Malformed:
            return self.refusal("malformed")
        if key is None:
            return self.refusal("unauthenticated")
        origin, agent = ", ".join(request.all("origin")), ", ".join(request.all("user-agent"))
        # Two origins are none: joined they are not what a browser sends.
        if len(origin) > _TEXT_MAX:
            return self.refusal("origin_denied")
        path = request.path
        if path is None or len(path) > _paths.BYTES_MAX or not 0 < len(request.method) <= _METHOD_MAX:
            return self.refusal("endpoint_denied")
        if needs.resource is not None and len(needs.resource.encode("utf-8", "replace")) > _TEXT_MAX:
            return self.refusal("insufficient_permissions")
        return key, {
            "ip": _addresses.client(request.peer, request.all("x-forwarded-for"), self._trusted),
            "method": request.method,
            "path": path,
            "origin": origin or None,
            # A record, not a rule: cut to what Keystead takes (bytes of latin-1, at most two of UTF-8 each).
            "user_agent": agent[: _TEXT_MAX // 2] or None,
            "permissions": needs.permissions,
            "resource": needs.resource,
            "cost": needs.cost,
            "tags": needs.tags,
            "metadata": self._metadata,
        }

    def judge(self, verdict: Verdict) -> Refusal | None:
        """The answer to a request with this verdict; `None` lets it pass."""
        if verdict.valid and verdict.code is Code.VALID:
            return None
        code = "not_found" if verdict.code is Code.WRONG_SECRET else verdict.code.value
        return self.refusal(code, request_id=verdict.request_id, retry_after=verdict.retry_after)

    def failed(self, error: KeysteadError) -> Refusal | Verdict:
        """What becomes of a request that nobody judged: 503, or where that was asked for, an `unavailable` verdict with
        which it passes. What a client could bring about by what it sends never opens."""
        log.error("no verdict: %s", error)
        down = isinstance(error, (Unreachable, TimedOut)) or (
            isinstance(error, (Problem, ProtocolError)) and 500 <= error.status <= 599
        )
        if self._open and down:
            return Verdict(valid=False, code=Code.UNAVAILABLE)
        return self.refusal("unavailable", retry_after=error.retry_after if isinstance(error, Problem) else None)

    def refusal(self, code: str, *, request_id: str | None = None, retry_after: int | None = None) -> Refusal:
        """The problem document (RFC 9457) for a code, with the headers that belong to its status."""
        status, detail, fix = _TOLD.get(code) or _TOLD["unknown"]
        document = {
            "type": f"urn:keystead:problem:{code}",
            "title": detail,
            "status": status,
            "code": code,
            "detail": detail,
            "fix": fix,
        }
        if request_id is not None:
            document["request_id"] = request_id
        headers = [("content-type", "application/problem+json"), ("cache-control", "no-store")]
        if status == 401:
            error = "" if code == "unauthenticated" else ', error="invalid_token"'
            headers.append(("www-authenticate", f'Bearer realm="{self._realm}"{error}'))
        if status == 503 or (status == 429 and retry_after is not None):
            headers.append(("retry-after", str(max(1, retry_after or 0))))
        body = json.dumps(document).encode("ascii")
        headers.append(("content-length", str(len(body))))
        return Refusal(status, code, tuple(headers), body)
