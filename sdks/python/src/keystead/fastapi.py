"""Permissions for each endpoint of a FastAPI or Starlette application, as dependencies."""

from __future__ import annotations

import json
from typing import Awaitable, Callable, Union

from fastapi import FastAPI, HTTPException
from fastapi.requests import HTTPConnection
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket

from ._client import AsyncKeystead
from ._guard import Guard, Needs, Refusal
from ._question import PermissionQuery
from ._verdict import Verdict
from .asgi import ask

ResourceOf = Union[str, Callable[[HTTPConnection], str]]


class Refused(HTTPException):
    """A request that may not pass. Without `Keys.install`, FastAPI wraps the document in its own."""

    def __init__(self, refusal: Refusal) -> None:
        headers = {name: value for name, value in refusal.headers if name not in ("content-length", "content-type")}
        super().__init__(refusal.status, detail=json.loads(refusal.body), headers=headers)
        self.refusal = refusal


class Keys:
    """Makes dependencies that let a request pass whose key may do what the endpoint needs."""

    def __init__(self, client: AsyncKeystead, *, guard: Guard | None = None) -> None:
        """Asks with `client`."""
        self._client = client
        self._guard = guard or Guard()

    def install(self, app: FastAPI) -> None:
        """Has refusals answered as problem documents."""
        app.add_exception_handler(Refused, _answer)

    def require(
        self,
        permissions: PermissionQuery | None = None,
        *,
        resource: ResourceOf | None = None,
        cost: int | None = None,
        tags: tuple[str, ...] = (),
    ) -> Callable[[HTTPConnection], Awaitable[Verdict]]:
        """A dependency for `Depends` that answers the verdict. `resource` may be a template of path parameters, such as
        `networks/{network}`."""

        async def dependency(connection: HTTPConnection) -> Verdict:
            on = resource(connection) if callable(resource) else _filled(resource, connection)
            judged = await ask(self._client, self._guard, connection.scope, Needs(permissions, on, cost, tags))
            if isinstance(judged, Refusal):
                raise Refused(judged)
            connection.state.keystead = judged
            return judged

        return dependency


def _filled(template: str | None, connection: HTTPConnection) -> str | None:
    """The resource that a template names. A parameter stays one segment: with `{name}` alone, `a/b` would be two."""
    if template is None:
        return None
    for name, value in connection.path_params.items():
        text = str(value)
        plain = text not in ("", ".", "..") and all(char.isalnum() or char in "-._~:@" for char in text)
        template = template.replace(f"{{{name}}}", text if plain and text.isascii() else "?")
    return template


async def _answer(connection: Request | WebSocket, error: Exception) -> Response:
    assert isinstance(error, Refused)
    headers = dict(error.refusal.headers)
    response = Response(error.refusal.body, error.refusal.status, headers)
    if isinstance(connection, WebSocket):
        await connection.send_denial_response(response)
    return response
