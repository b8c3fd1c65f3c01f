"""Why there is no verdict. No text here holds a key, nor anything of an answer that was not Keystead's."""

from __future__ import annotations


class KeysteadError(Exception):
    """There is no verdict: the request must not pass."""


class InvalidSetting(KeysteadError, ValueError):
    """A setting cannot be used; nothing was sent."""


class Unreachable(KeysteadError):
    """No connection, or it broke."""


class TimedOut(KeysteadError):
    """No whole answer in time."""


class ProtocolError(KeysteadError):
    """Something answered, but not as Keystead does: a proxy, another service, another version."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(f"the answer (HTTP {status}) is not Keystead's: {why}")
        self.status = status
        self.why = why


class Problem(KeysteadError):
    """Keystead refused the question itself and said why (RFC 9457), such as `forbidden`."""

    def __init__(
        self, status: int, code: str, detail: str, fix: str, request_id: str | None, retry_after: int | None
    ) -> None:
        super().__init__(f"{detail} {fix} ({code}, request {request_id})")
        self.status = status
        self.code = code
        self.detail = detail
        self.fix = fix
        self.request_id = request_id
        self.retry_after = retry_after
