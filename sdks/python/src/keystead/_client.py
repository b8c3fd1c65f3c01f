"""Asks Keystead. Both clients make the same question and read the answer alike."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import ssl
import time
from types import TracebackType
from typing import Sequence

import httpx

from . import _answer
from ._cache import Cache, Clock, system_clock
from ._errors import InvalidSetting, KeysteadError, ProtocolError, TimedOut, Unreachable
from ._question import PermissionQuery, body
from ._verdict import Verdict

SECONDS_MAX = 60.0


class _Asking:
    """What both clients share. It shows its address, never its key."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        project: str | None = None,
        environment: str | None = None,
        timeout: float = 2.0,
        cache_seconds: float = 0.0,
        cache_entries: int = 10_000,
        allow_plain_http: bool = False,
        ssl_context: ssl.SSLContext | None = None,
        clock: Clock = system_clock,
    ) -> None:
        """Asks at `url` (without `/v1`), with a key that has `keys.verify`.

        `project` and `environment` may be left out where the key's own grant pins them. `timeout` is in
        seconds, and for one question. `cache_seconds` (0 is off, at most 10) is how long a revoked key can pass.
        """
        self._base = _checked_url(url, allow_plain_http)
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise InvalidSetting("The key is empty or holds characters that no key has.")
        if not 0 < timeout <= SECONDS_MAX:
            raise InvalidSetting(f"timeout is more than 0 and at most {SECONDS_MAX:g} seconds.")
        self._key = key
        self._project = project
        self._environment = environment
        self._timeout = timeout
        self._cache = Cache(cache_seconds, cache_entries, clock)
        self._ssl = ssl_context

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._base)!r}, key=…)"

    def __getstate__(self) -> object:
        raise TypeError(f"{type(self).__name__} holds a key and is not written anywhere")

    def _question(
        self,
        key: str,
        *,
        ip: str | None = None,
        method: str | None = None,
        path: str | None = None,
        origin: str | None = None,
        user_agent: str | None = None,
        permissions: PermissionQuery | None = None,
        resource: str | None = None,
        cost: int | None = None,
        tags: Sequence[str] = (),
        metadata: bool = False,
    ) -> bytes:
        return body(
            key,
            project=self._project,
            environment=self._environment,
            ip=ip,
            method=method,
            path=path,
            origin=origin,
            user_agent=user_agent,
            permissions=permissions,
            resource=resource,
            cost=cost,
            tags=tags,
            metadata=metadata,
        )

    def _settings(self) -> dict[str, object]:
        return {
            "verify": self._ssl or (ssl.create_default_context() if self._base.scheme == "https" else False),
            # A redirect would carry the keys to a host that nobody chose.
            "follow_redirects": False,
            "timeout": httpx.Timeout(self._timeout),
            # HTTP_PROXY in the environment would send loopback's plain traffic to another machine.
            "trust_env": not _is_loopback(self._base),
        }

    def _request(self, client: httpx.Client | httpx.AsyncClient, question: bytes) -> httpx.Request:
        path = self._base.path.rstrip("/") + "/v1/verify"
        headers = {
            "authorization": f"Bearer {self._key}",
            "content-type": "application/json",
            "accept": "application/json",
            "accept-encoding": "identity",
            "user-agent": "keystead-sdk-python/0.1.0",
        }
        return client.build_request("POST", self._base.copy_with(path=path), content=question, headers=headers)


class Keystead(_Asking):
    """Asks Keystead, for programs without an event loop. May be shared by threads; make it after a fork."""

    _http: httpx.Client | None = None

    def verify(
        self,
        key: str,
        *,
        ip: str | None = None,
        method: str | None = None,
        path: str | None = None,
        origin: str | None = None,
        user_agent: str | None = None,
        permissions: PermissionQuery | None = None,
        resource: str | None = None,
        cost: int | None = None,
        tags: Sequence[str] = (),
        metadata: bool = False,
    ) -> Verdict:
        """Whether a request with this key may pass. A refusal is a verdict; no verdict raises `KeysteadError`.

        A restriction of the key whose input is left out denies.
        """
        asked = dict(ip=ip, method=method, path=path, origin=origin, user_agent=user_agent, resource=resource)
        question = self._question(key, permissions=permissions, cost=cost, tags=tags, metadata=metadata, **asked)
        digest = self._cache.digest(question)
        kept = self._cache.get(digest)
        if kept is not None:
            return kept
        since = self._cache.now()
        verdict = self._ask(question, key)
        self._cache.keep(digest, verdict, since)
        return verdict

    def _ask(self, question: bytes, key: str) -> Verdict:
        failure: KeysteadError
        try:
            if self._http is None:
                self._http = httpx.Client(**self._settings())  # type: ignore[arg-type]
            until = time.monotonic() + self._timeout
            response = self._http.send(self._request(self._http, question), stream=True)
            try:
                _answer.check_head(response.status_code, response.headers)
                content = bytearray()
                for chunk in response.iter_raw():
                    content += chunk
                    _bound(response.status_code, content)
                    if time.monotonic() > until:
                        raise TimedOut("Keystead gave no whole answer in time")
            finally:
                response.close()
            return _answer.verdict(response.status_code, response.headers, bytes(content), (key, self._key))
        except KeysteadError as error:
            failure = error
        except Exception as error:
            failure = _failure(error)
        raise _alone(failure)

    def close(self) -> None:
        """Closes its connections."""
        if self._http is not None:
            self._http.close()

    def __enter__(self) -> Keystead:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncKeystead(_Asking):
    """Asks Keystead from asyncio. Belongs to one event loop."""

    _http: httpx.AsyncClient | None = None

    async def verify(
        self,
        key: str,
        *,
        ip: str | None = None,
        method: str | None = None,
        path: str | None = None,
        origin: str | None = None,
        user_agent: str | None = None,
        permissions: PermissionQuery | None = None,
        resource: str | None = None,
        cost: int | None = None,
        tags: Sequence[str] = (),
        metadata: bool = False,
    ) -> Verdict:
        """Whether a request with this key may pass. A refusal is a verdict; no verdict raises `KeysteadError`.

        A restriction of the key whose input is left out denies.
        """
        asked = dict(ip=ip, method=method, path=path, origin=origin, user_agent=user_agent, resource=resource)
        question = self._question(key, permissions=permissions, cost=cost, tags=tags, metadata=metadata, **asked)
        digest = self._cache.digest(question)
        kept = self._cache.get(digest)
        if kept is not None:
            return kept
        since = self._cache.now()
        verdict = await self._ask(question, key)
        self._cache.keep(digest, verdict, since)
        return verdict

    async def _ask(self, question: bytes, key: str) -> Verdict:
        failure: KeysteadError
        try:
            return await asyncio.wait_for(self._exchange(question, key), self._timeout)
        except KeysteadError as error:
            failure = error
        except Exception as error:
            failure = _failure(error)
        raise _alone(failure)

    async def _exchange(self, question: bytes, key: str) -> Verdict:
        if self._http is None:
            self._http = httpx.AsyncClient(**self._settings())  # type: ignore[arg-type]
        response = await self._http.send(self._request(self._http, question), stream=True)
        try:
            _answer.check_head(response.status_code, response.headers)
            content = bytearray()
            async for chunk in response.aiter_raw():
                content += chunk
                _bound(response.status_code, content)
        finally:
            await response.aclose()
        return _answer.verdict(response.status_code, response.headers, bytes(content), (key, self._key))

    async def aclose(self) -> None:
        """Closes its connections."""
        if self._http is not None:
            await self._http.aclose()

    async def __aenter__(self) -> AsyncKeystead:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def _bound(status: int, content: bytearray) -> None:
    if len(content) > _answer.BYTES_MAX:
        raise ProtocolError(status, "it is too large")


def _alone(error: KeysteadError) -> KeysteadError:
    """The error without what it came of: that holds the request or the answer, and perhaps with it the keys."""
    error.__context__ = None
    return error


def _failure(error: Exception) -> KeysteadError:
    """What a call died of, by names and numbers alone: some texts repeat what was sent."""
    if isinstance(error, (httpx.TimeoutException, asyncio.TimeoutError, TimeoutError)):
        return TimedOut("Keystead gave no answer in time")
    why, within = type(error).__name__, error.__cause__ or error.__context__
    while within is not None:
        if isinstance(within, ssl.SSLCertVerificationError):
            why = f"its certificate: {within.verify_message}"
        elif isinstance(within, OSError):
            why = errno.errorcode.get(within.errno or 0, why)
        within = within.__cause__ or within.__context__
    return Unreachable(f"Keystead could not be reached ({why})")


def _checked_url(text: str, plain_http_allowed: bool) -> httpx.URL:
    """The base URL; its text never appears in an error, because it may hold a password."""
    try:
        url = httpx.URL(text.strip())
    except Exception:
        raise InvalidSetting("The server's URL cannot be read.") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise InvalidSetting("The server's URL is neither https:// nor http://.")
    if url.userinfo or url.query or url.fragment:
        raise InvalidSetting("The server's URL holds a user name, a password, a query or a fragment.")
    if url.scheme == "http" and not plain_http_allowed and not _is_loopback(url):
        raise InvalidSetting(
            "Plain HTTP to another machine would show the keys to everybody on the way: use https://, or "
            "allow_plain_http=True where the network is trusted."
        )
    return url


def _is_loopback(url: httpx.URL) -> bool:
    """Whether the URL names this machine. Only names that cannot resolve elsewhere count (RFC 6761)."""
    try:
        return url.host == "localhost" or ipaddress.ip_address(url.host).is_loopback
    except ValueError:
        return False
