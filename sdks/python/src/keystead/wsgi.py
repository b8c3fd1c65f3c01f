"""Keystead in front of a WSGI application: Flask, Django, Bottle, Pyramid."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Callable, Iterable, Union

from . import _paths
from ._client import Keystead
from ._errors import KeysteadError
from ._guard import KEY_ALONE, Guard, Incoming, Needs, Refusal
from ._verdict import Verdict

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    NeedsOf = Union[Needs, Callable[[WSGIEnvironment], Union[Needs, None]]]

_COUNTED = "keystead.counted_by"


class KeysteadMiddleware:
    """Lets only requests reach `app` whose key may do what they need. The verdict stands in `environ["keystead"]`."""

    def __init__(
        self, app: WSGIApplication, client: Keystead, *, guard: Guard | None = None, needs: NeedsOf = KEY_ALONE
    ) -> None:
        """`needs` is what every request needs, or a function of the environ; `None` of it is a valid key alone."""
        self._app = app
        self._client = client
        self._guard = guard or Guard()
        self._needs = needs

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """WSGI."""
        environ["keystead"] = None
        environ.pop(_COUNTED, None)
        if not self._guard.passes_unasked(incoming(environ)):
            needs = self._needs(environ) if callable(self._needs) else self._needs
            judged = ask(self._client, self._guard, environ, needs or KEY_ALONE)
            if isinstance(judged, Refusal):
                status = f"{judged.status} {HTTPStatus(judged.status).phrase}"
                start_response(status, list(judged.headers))
                return [] if environ["REQUEST_METHOD"] == "HEAD" else [judged.body]
            environ["keystead"] = judged
        return self._app(environ, start_response)


def incoming(environ: WSGIEnvironment) -> Incoming:
    """The request of an environ. A server that maps `X_API_Key` to the same name as `X-API-Key` joins them with a
    comma, and they are refused."""
    headers = [
        (name[5:].replace("_", "-").lower(), value)
        for name, value in environ.items()
        if name.startswith("HTTP_") and isinstance(value, str)
    ]
    target = environ.get("REQUEST_URI") or environ.get("RAW_URI")
    decoded = (environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")).encode("latin-1", "replace")
    path = _paths.of_wsgi(target if isinstance(target, str) else None, decoded)
    return Incoming(environ["REQUEST_METHOD"], path, headers, environ.get("REMOTE_ADDR"))


def ask(client: Keystead, guard: Guard, environ: WSGIEnvironment, needs: Needs) -> Verdict | Refusal:
    """The verdict with which a request passes, or the answer to it."""
    question = guard.question(incoming(environ), needs)
    if isinstance(question, Refusal):
        return question
    key, about = question
    if about["cost"] is None and environ.get(_COUNTED) is client:
        # Asked a second time for the same request, which is counted once.
        about["cost"] = 0
    try:
        verdict = client.verify(key, **about)
    except KeysteadError as error:
        return guard.failed(error)
    environ[_COUNTED] = client
    return guard.judge(verdict) or verdict
