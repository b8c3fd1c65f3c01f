"""The guarded API of `sdks/cases/requests.json`, once for each way to guard it, on real servers."""

import asyncio
import json
import re
import socket
import threading
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import uvicorn
from fastapi import Depends, FastAPI, Request
from flask import Flask, request
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from werkzeug.serving import WSGIRequestHandler as WerkzeugHandler
from werkzeug.serving import make_server as make_werkzeug

from keystead import AsyncKeystead, Guard, Keystead, Needs, all_of, any_of, asgi, wsgi
from keystead.fastapi import Keys

READ, WRITE = "routes.read", "routes.write"
GUARDS = {
    "plain": {},
    "proxied": {"trusted_proxies": ["127.0.0.0/8"]},
    "places": {"credentials": ["X-API-Key"]},
}


def needs(method, path):
    """What a request needs; the path is what the framework routes by."""
    if path == "/v1/routes":
        return Needs(WRITE if method == "PUT" else READ)
    if path == "/v1/all":
        return Needs(all_of(READ, WRITE))
    if path == "/v1/any":
        return Needs(any_of(READ, WRITE))
    network = re.fullmatch("/v1/networks/([A-Z0-9-]+)/routes", path)
    return Needs(READ, resource=f"networks/{network[1]}") if network else None


def told(verdict):
    """What the guarded API answers."""
    return {"key_id": verdict.key_id, "valid": verdict.valid, "owner": verdict.owner and verdict.owner.name}


def of_asgi(client, guard):
    async def handler(request):
        if request.method == "OPTIONS":
            return Response(status_code=204)
        return JSONResponse(told(request.state.keystead))

    app = Starlette(routes=[Route("/{path:path}", handler, methods=["GET", "PUT", "POST", "OPTIONS"])])
    return asgi.KeysteadMiddleware(
        app, client, guard=guard, needs=lambda scope: needs(scope.get("method"), scope["path"])
    )


def of_fastapi(client, guard):
    keys, app = Keys(client, guard=guard), FastAPI()
    keys.install(app)

    def endpoint(path, *args, methods=("GET",), **kwargs):
        async def handler(request: Request, verdict=Depends(keys.require(*args, **kwargs))):
            assert request.state.keystead is verdict
            return told(verdict)

        app.add_api_route(path, handler, methods=list(methods))

    endpoint("/v1/routes", READ)
    endpoint("/v1/routes", WRITE, methods=["PUT"])
    endpoint("/v1/all", all_of(READ, WRITE))
    endpoint("/v1/any", any_of(READ, WRITE))
    endpoint("/v1/networks/{network}/routes", READ, resource="networks/{network}")
    endpoint("/v1/free")
    endpoint("/v1/files/{path:path}", methods=["GET", "POST"])
    endpoint("/v1/files{path:path}")
    return app


def of_flask(client, guard):
    app = Flask("api")

    @app.route("/<path:path>", methods=["GET", "PUT", "POST", "OPTIONS"])
    def handler(path):
        return told(request.environ["keystead"]) if request.method != "OPTIONS" else ("", 204)

    app.wsgi_app = wsgi.KeysteadMiddleware(app.wsgi_app, client, guard=guard, needs=needs_of_environ)
    return app


def of_wsgi(client, guard):
    def app(environ, start_response):
        if environ["REQUEST_METHOD"] == "OPTIONS":
            start_response("204 No Content", [])
            return []
        start_response("200 OK", [("content-type", "application/json")])
        return [json.dumps(told(environ["keystead"])).encode()]

    return wsgi.KeysteadMiddleware(app, client, guard=guard, needs=needs_of_environ)


def needs_of_environ(environ):
    return needs(environ["REQUEST_METHOD"], environ["PATH_INFO"])


WAYS = {"asgi": of_asgi, "fastapi": of_fastapi, "flask": of_flask, "wsgi": of_wsgi}
PER_ENDPOINT = {"fastapi"}
DECODED = {"wsgi"}


@contextmanager
def served(way, url, key, guard=None, **client):
    """The address of the guarded API."""
    kind = AsyncKeystead if way in ("asgi", "fastapi") else Keystead
    asking = kind(url, key, **{"project": "acme", "environment": "production", "timeout": 30, **client})
    app = WAYS[way](asking, Guard(**(guard or {})))
    with {"wsgi": wsgiref_server, "flask": werkzeug_server}.get(way, uvicorn_server)(app) as address:
        yield address


@contextmanager
def uvicorn_server(app):
    # Without proxy_headers=False uvicorn itself believes X-Forwarded-For of whoever connects from loopback.
    config = uvicorn.Config(app, log_level="error", proxy_headers=False, lifespan="off", timeout_graceful_shutdown=1)
    server, listener = uvicorn.Server(config), socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])), daemon=True)
    thread.start()
    try:
        yield listener.getsockname()
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def running(server):
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server.server_address[:2]
    finally:
        server.shutdown()
        server.server_close()


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass


class QuietWerkzeug(WerkzeugHandler):
    def log(self, *args):
        pass


class Threading(ThreadingMixIn, WSGIServer):
    daemon_threads = True


def wsgiref_server(app):
    return running(make_server("127.0.0.1", 0, app, server_class=Threading, handler_class=Quiet))


def werkzeug_server(app):
    return running(make_werkzeug("127.0.0.1", 0, app, threaded=True, request_handler=QuietWerkzeug))
