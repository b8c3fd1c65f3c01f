"""Verdicts that are used again for some seconds, where that was asked for."""

from __future__ import annotations

import copy
import hmac
import secrets
import threading
import time
from dataclasses import replace
from typing import Callable

from ._errors import InvalidSetting
from ._verdict import Verdict

SECONDS_MAX = 10.0
ENTRIES_MAX = 1_000_000

Clock = Callable[[], "tuple[float, float]"]
"""Seconds of a clock that never steps, and of the clock on the wall."""


def system_clock() -> tuple[float, float]:
    """The machine's."""
    return time.monotonic(), time.time()


class Cache:
    """Holds verdicts that let pass and that count nothing; a digest leads to each, never the key."""

    def __init__(self, seconds: float, entries_max: int, clock: Clock) -> None:
        if not 0 <= seconds <= SECONDS_MAX:
            raise InvalidSetting(f"cache_seconds is 0 to {SECONDS_MAX:g}: so long a revoked key can pass.")
        if not 1 <= entries_max <= ENTRIES_MAX:
            raise InvalidSetting(f"cache_entries is 1 to {ENTRIES_MAX}.")
        self._seconds = seconds
        self._entries_max = entries_max
        self._clock = clock
        self._digest_key = secrets.token_bytes(32)
        # In the order in which they were asked, the oldest first.
        self._entries: dict[bytes, tuple[tuple[float, float], Verdict]] = {}
        self._lock = threading.Lock()

    def now(self) -> tuple[float, float]:
        """The time. What is kept counts from before it was asked, or its age would be more than the bound."""
        return self._clock() if self._seconds else (0.0, 0.0)

    def digest(self, question: bytes) -> bytes:
        """Where the verdict on a question stands."""
        return hmac.digest(self._digest_key, question, "sha256") if self._seconds else b""

    def get(self, digest: bytes) -> Verdict | None:
        """The verdict, if it is young enough."""
        if not self._seconds:
            return None
        now = self._clock()
        with self._lock:
            found = self._entries.get(digest)
            if found is None:
                return None
            asked, verdict = found
            # Stale if either clock says so: the one stands still in a machine that is paused, the other is set.
            if all(0 <= late - early < self._seconds for early, late in zip(asked, now)):
                return _own(verdict)
            del self._entries[digest]
            return None

    def keep(self, digest: bytes, verdict: Verdict, asked: tuple[float, float]) -> None:
        """Keeps a verdict that lets pass, unless each request has to be counted."""
        if not self._seconds or not verdict.valid or verdict.is_counted:
            return
        with self._lock:
            self._entries.pop(digest, None)
            while len(self._entries) >= self._entries_max:
                del self._entries[next(iter(self._entries))]
            self._entries[digest] = (asked, _own(verdict))


def _own(verdict: Verdict) -> Verdict:
    """A verdict whose metadata, the one part that can be changed, is shared with no other request."""
    return replace(verdict, metadata=copy.deepcopy(verdict.metadata))
