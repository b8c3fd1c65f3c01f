"""Keystead in front of an ASGI application: Starlette, FastAPI, Litestar, Quart, Django."""

from __future__ import annotations

import inspect
from typing import Any, Awaitable, Callable, MutableMapping, Union

from . import _paths
from ._client import AsyncKeystead
from ._errors import KeysteadError
from ._guard import KEY_ALONE, Guard, Incoming, Needs, Refusal
from ._verdict import Verdict

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
NeedsOf = Union[Needs, Callable[[Scope], Union[Needs, None, Awaitable[Union[Needs, None]]]]]

# Which client has counted this request already, in the scope.
_COUNTED = "keystead.counted_by"


class KeysteadMiddleware:
    """Lets only requests reach `app` whose key may do what they need; WebSockets too.

    The verdict stands in `scope["keystead"]` and `scope["state"]["keystead"]` (Starlette's `request.state.keystead`).
    """

    def __init__(
        self, app: App, client: AsyncKeystead, *, guard: Guard | None = None, needs: NeedsOf = KEY_ALONE
    ) -> None:
        """`needs` is what every request needs, or a function of the scope; `None` of it is a valid key alone."""
        self._app = app
        self._client = client
        self._guard = guard or Guard()
        self._needs = needs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        if scope["type"] not in ("http", "websocket"):
            raise RuntimeError(f"Keystead does not guard {scope['type']!r}")
        # What stood there before was not put there by this guard.
        inner = {**scope, "state": {**scope.get("state", {}), "keystead": None}, "keystead": None}
        if not self._guard.passes_unasked(incoming(scope)):
            needs = self._needs(scope) if callable(self._needs) else self._needs
            needs = await needs if inspect.isawaitable(needs) else needs
            judged = await ask(self._client, self._guard, inner, needs or KEY_ALONE)
            if isinstance(judged, Refusal):
                return await _refuse(judged, scope, receive, send)
            inner["keystead"] = inner["state"]["keystead"] = judged
        await self._app(inner, receive, send)


def incoming(scope: Scope) -> Incoming:
    """The request of a scope."""
    raw = scope.get("raw_path")
    if raw:
        path: str | None = _paths.without_query(raw)
    else:
        path = _paths.of_wsgi(None, scope["path"].encode("utf-8", "surrogateescape"))
    headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]]
    peer = scope.get("client")
    return Incoming(scope.get("method", "GET"), path, headers, peer[0] if peer else None)


async def ask(client: AsyncKeystead, guard: Guard, scope: Scope, needs: Needs) -> Verdict | Refusal:
    """The verdict with which a request passes, or the answer to it."""
    question = guard.question(incoming(scope), needs)
    if isinstance(question, Refusal):
        return question
    key, about = question
    if about["cost"] is None and scope.get(_COUNTED) is client:
        # Asked a second time for the same request, which is counted once.
        about["cost"] = 0
    try:
        verdict = await client.verify(key, **about)
    except KeysteadError as error:
        return guard.failed(error)
    scope[_COUNTED] = client
    return guard.judge(verdict) or verdict


async def _refuse(refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
    kind = "http.response"
    if scope["type"] == "websocket":
        await receive()
        if "websocket.http.response" not in scope.get("extensions", {}):
            return await send({"type": "websocket.close", "code": 1008})
        kind = "websocket.http.response"
    headers = [(name.encode("ascii"), value.encode("ascii")) for name, value in refusal.headers]
    await send({"type": f"{kind}.start", "status": refusal.status, "headers": headers})
    await send({"type": f"{kind}.body", "body": refusal.body})
