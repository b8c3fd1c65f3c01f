"""Verdicts, read strictly: what is not one is refused, whatever it says of itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import Any, Mapping


class Code(str, Enum):
    """The closed set of verdicts."""

    VALID = "valid"
    MALFORMED = "malformed"
    NOT_FOUND = "not_found"
    WRONG_SECRET = "wrong_secret"
    DISABLED = "disabled"
    REVOKED = "revoked"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    SUSPENDED = "suspended"
    NETWORK_DENIED = "network_denied"
    ORIGIN_DENIED = "origin_denied"
    ENDPOINT_DENIED = "endpoint_denied"
    INSUFFICIENT_PERMISSIONS = "insufficient_permissions"
    CONDITION_DENIED = "condition_denied"
    RATE_LIMITED = "rate_limited"
    QUOTA_EXCEEDED = "quota_exceeded"
    CREDITS_EXHAUSTED = "credits_exhausted"
    UNAVAILABLE = "unavailable"
    UNKNOWN = "unknown"
    """A newer server's code. It always refuses."""

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Team:
    """In whose name a member's key was made."""

    id: str
    name: str


@dataclass(frozen=True)
class Owner:
    """Whose the key is: `service_account`, `consumer`, `member` or `team_member`."""

    kind: str
    id: str
    name: str
    team: Team | None = None


@dataclass(frozen=True)
class Consumer:
    """To whom the key is issued."""

    id: str
    name: str
    external_id: str | None = None


@dataclass(frozen=True)
class NarrowedPermission:
    """A permission that holds on some resources only."""

    permission: str
    resources: tuple[str, ...]


@dataclass(frozen=True)
class Limit:
    """What remains of a rate limit of the `key` or its `consumer`."""

    name: str
    of: str
    limit: int
    window_seconds: int
    remaining: int
    retry_after_ms: int


@dataclass(frozen=True)
class Quota:
    """What remains of a quota."""

    of: str
    limit: int
    per: str
    remaining: int
    resets_at: datetime


@dataclass(frozen=True)
class Credits:
    """What remains of credits."""

    remaining: int
    refill: str
    amount: int
    refills_at: datetime | None = None


@dataclass(frozen=True)
class Verdict:
    """What Keystead says of a request. Only `valid` lets it pass."""

    valid: bool
    code: Code
    request_id: str | None = None
    key_id: str | None = None
    kind: str | None = None
    project: str | None = None
    environment: str | None = None
    owner: Owner | None = None
    consumer: Consumer | None = None
    permissions: tuple[str, ...] = ()
    """What the key may do on every resource."""
    narrowed_permissions: tuple[NarrowedPermission, ...] = ()
    expires_at: datetime | None = None
    limits: tuple[Limit, ...] = ()
    quotas: tuple[Quota, ...] = ()
    credits: Credits | None = None
    uses_remaining: int | None = None
    retry_after: int | None = None
    """When to try again, in seconds, where it is known."""
    metadata: Mapping[str, Any] | None = None
    detail: str | None = None

    @property
    def is_counted(self) -> bool:
        """Whether each request takes something of a limit, quota, credits or uses."""
        counted = self.limits or self.quotas
        return bool(counted) or self.credits is not None or self.uses_remaining is not None


class NotAVerdict(Exception):
    """Its text says what was wrong, never what was there."""


def read(answer: object) -> Verdict:
    """The verdict that this JSON value is."""
    said = _Fields(answer)
    name = said.text("code")
    code = Code(name) if name in Code._value2member_map_ else Code.UNKNOWN
    valid = said.value("valid", bool)
    if code is Code.UNKNOWN:
        valid = False
    if valid != (code is Code.VALID):
        raise NotAVerdict("`valid` and `code` contradict each other")
    if valid and not said.text("key_id"):
        raise NotAVerdict("a valid key has no id")
    owner, consumer, credit = said.maybe_fields("owner"), said.maybe_fields("consumer"), said.maybe_fields("credits")
    return Verdict(
        valid=valid,
        code=code,
        request_id=said.maybe_text("request_id"),
        key_id=said.maybe_text("key_id"),
        kind=said.maybe_text("kind"),
        project=said.maybe_text("project"),
        environment=said.maybe_text("environment"),
        owner=_owner(owner) if owner else None,
        consumer=_consumer(consumer) if consumer else None,
        permissions=said.texts("permissions"),
        narrowed_permissions=tuple(
            NarrowedPermission(one.text("permission"), one.texts("resources"))
            for one in said.items("narrowed_permissions", required=False)
        ),
        expires_at=said.maybe_time("expires_at"),
        limits=tuple(map(_limit, said.items("limits", required=True))),
        quotas=tuple(map(_quota, said.items("quotas", required=False))),
        credits=_credits(credit) if credit else None,
        uses_remaining=said.maybe_number("uses_remaining"),
        retry_after=said.maybe_number("retry_after_seconds"),
        metadata=said.maybe("metadata", dict),
        detail=said.maybe_text("detail"),
    )


def _owner(said: _Fields) -> Owner:
    team = said.maybe_fields("team")
    of = Team(team.text("id"), team.text("name")) if team else None
    return Owner(said.text("kind"), said.text("id"), said.text("name"), of)


def _consumer(said: _Fields) -> Consumer:
    return Consumer(said.text("id"), said.text("name"), said.maybe_text("external_id"))


def _limit(said: _Fields) -> Limit:
    number = said.number
    return Limit(
        name=said.text("name"),
        of=said.text("of"),
        limit=number("limit"),
        window_seconds=number("window_seconds"),
        remaining=number("remaining"),
        retry_after_ms=number("retry_after_ms"),
    )


def _quota(said: _Fields) -> Quota:
    return Quota(
        said.text("of"), said.number("limit"), said.text("per"), said.number("remaining"), said.time("resets_at")
    )


def _credits(said: _Fields) -> Credits:
    return Credits(
        said.number("remaining"), said.text("refill"), said.number("amount"), said.maybe_time("refills_at")
    )


_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z", re.ASCII)


class _Fields:
    """The fields of a JSON object, each of the kind that is wanted."""

    def __init__(self, value: object) -> None:
        if not isinstance(value, dict):
            raise NotAVerdict("an object is missing")
        self._fields: dict[str, object] = value

    def maybe(self, name: str, kind: type[Any]) -> Any:
        value = self._fields.get(name)
        # `type`, not `isinstance`: `True` is no number.
        if value is not None and type(value) is not kind:
            raise NotAVerdict(f"`{name}` is of another kind")
        return value

    def value(self, name: str, kind: type[Any]) -> Any:
        value = self.maybe(name, kind)
        if value is None:
            raise NotAVerdict(f"`{name}` is missing")
        return value

    def text(self, name: str) -> str:
        return str(self.value(name, str))

    def maybe_text(self, name: str) -> str | None:
        value: str | None = self.maybe(name, str)
        return value

    def number(self, name: str) -> int:
        number = self.maybe_number(name)
        if number is None:
            raise NotAVerdict(f"`{name}` is missing")
        return number

    def maybe_number(self, name: str) -> int | None:
        number: int | None = self.maybe(name, int)
        if number is not None and not 0 <= number < 2**64:
            raise NotAVerdict(f"`{name}` is out of range")
        return number

    def time(self, name: str) -> datetime:
        time = self.maybe_time(name)
        if time is None:
            raise NotAVerdict(f"`{name}` is missing")
        return time

    def maybe_time(self, name: str) -> datetime | None:
        text = self.maybe_text(name)
        if text is None:
            return None
        parts = _TIME.fullmatch(text)
        if parts is None:
            raise NotAVerdict(f"`{name}` is no time")
        try:
            whole = datetime.strptime(parts[1], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
        except ValueError:
            raise NotAVerdict(f"`{name}` is no time") from None
        return whole + timedelta(microseconds=int((parts[2] or "0").ljust(6, "0")[:6]))

    def texts(self, name: str) -> tuple[str, ...]:
        values = self.value(name, list)
        if not all(type(value) is str for value in values):
            raise NotAVerdict(f"`{name}` is of another kind")
        return tuple(values)

    def maybe_fields(self, name: str) -> _Fields | None:
        value = self.maybe(name, dict)
        return None if value is None else _Fields(value)

    def items(self, name: str, *, required: bool) -> list[_Fields]:
        values = self.value(name, list) if required else self.maybe(name, list)
        return [_Fields(value) for value in values or ()]
