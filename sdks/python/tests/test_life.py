"""What changes while requests come: keys that are revoked, with and without a cache, and what is counted."""

import asyncio
import json

import pytest
from apps import WAYS, served, uvicorn_server
from fastapi import Depends, FastAPI, Request, WebSocket
from wire import Answering, http, send

from keystead import AsyncKeystead, Keystead, Needs, Verdict, asgi
from keystead.fastapi import Keys

READ = "routes.read"


class Clock:
    """Stands still until it is told to go on."""

    def __init__(self):
        self.monotonic = self.wall = 1000.0

    def __call__(self):
        return self.monotonic, self.wall


def bearer(house, name):
    return [("Authorization", f"Bearer {house.keys[name]}")]


@pytest.mark.parametrize("way", WAYS)
def test_a_revoked_key_is_refused_on_the_next_request(house, way):
    house.issue("soon", {"permissions": [READ]})
    with served(way, house.url, house.guard) as address:
        assert send(address, "GET", "/v1/routes", bearer(house, "soon"))[0] == 200
        house.revoke("soon")
        assert send(address, "GET", "/v1/routes", bearer(house, "soon"))[0] == 401


@pytest.mark.parametrize("way", WAYS)
def test_with_a_cache_a_revoked_key_passes_for_as_long_as_was_said_and_no_longer(house, way):
    for later in ({"monotonic": 1003.0}, {"wall": 1003.0}, {"wall": 999.0}):
        house.issue("soon", {"permissions": [READ]})
        clock = Clock()
        with served(way, house.url, house.guard, cache_seconds=3, clock=clock) as address:
            assert send(address, "GET", "/v1/routes", bearer(house, "soon"))[0] == 200
            house.revoke("soon")
            clock.monotonic = clock.wall = 1002.9
            assert send(address, "GET", "/v1/routes", bearer(house, "soon"))[0] == 200
            vars(clock).update({"monotonic": 1002.9, "wall": 1002.9, **later})
            assert send(address, "GET", "/v1/routes", bearer(house, "soon"))[0] == 401


@pytest.mark.parametrize("way", WAYS)
def test_a_cached_verdict_holds_for_what_was_asked_alone(house, way):
    """No other method, path, permission, address, origin or key passes by it, and no refusal is kept."""
    with served(way, house.url, house.guard, {"trusted_proxies": ["127.0.0.1"]}, cache_seconds=10, clock=Clock()) as at:
        def status(method, path, name, *headers):
            return send(at, method, path, [*bearer(house, name), *headers])[0]

        assert status("GET", "/v1/routes", "good") == 200
        assert status("PUT", "/v1/routes", "good") == 403
        assert status("GET", "/v1/all", "good") == 403
        assert status("GET", "/v1/routes", "nothing") == 403
        assert status("GET", "/v1/networks/NET-7/routes", "narrow") == 200
        assert status("GET", "/v1/networks/NET-8/routes", "narrow") == 403
        assert status("GET", "/v1/files/public/a", "endpoint") == 200
        assert status("GET", "/v1/files/secret", "endpoint") == 403
        assert status("GET", "/v1/routes", "inside", ("X-Forwarded-For", "203.0.113.7")) == 200
        assert status("GET", "/v1/routes", "inside", ("X-Forwarded-For", "198.51.100.7")) == 403
        assert status("GET", "/v1/routes", "web", ("Origin", "https://app.example.com")) == 200
        assert status("GET", "/v1/routes", "web", ("Origin", "https://evil.example.com")) == 403


@pytest.mark.parametrize("way", WAYS)
def test_what_is_counted_is_never_cached(house, way):
    bodies = {
        "three": {"limits": [{"name": "main", "limit": 3, "window": "1d"}]},
        "quota3": {"quota": {"limit": 3, "per": "month", "time_zone": "UTC"}},
        "credits3": {"credits": {"remaining": 3, "refill": "none", "amount": 0}},
        "uses3": {"kind": "temporary", "uses": 3},
    }
    for name, body in bodies.items():
        house.issue(name, {"permissions": [READ], **body})
    with served(way, house.url, house.guard, cache_seconds=10, clock=Clock()) as address:
        for name in bodies:
            statuses = [send(address, "GET", "/v1/routes", bearer(house, name))[0] for _ in range(4)]
            assert statuses == [200, 200, 200, 429], name


def test_the_cache_is_bounded_and_its_age_counts_from_the_question():
    allowed = {"valid": True, "code": "valid", "key_id": "key_1", "permissions": [], "limits": [], "metadata": {"plan": {"name": "gold"}}}
    clock = Clock()

    def answer(connection, _):
        clock.monotonic += 2
        connection.sendall(http(200, {"content-type": "application/json"}, json.dumps(allowed).encode()))

    server = Answering(answer)
    with Keystead(server.url, "own", timeout=30, cache_seconds=3, cache_entries=2, clock=clock) as client:
        client.verify("a")
        clock.monotonic += 1
        client.verify("a")
        assert len(server.requests) == 2
        first = client.verify("a", metadata=True)
        first.metadata["plan"]["name"] = "changed by a handler"
        assert client.verify("a", metadata=True).metadata == {"plan": {"name": "gold"}}
        assert len(server.requests) == 3
        for key in ("b", "c", "d"):
            client.verify(key)
        assert len(client._cache._entries) == 2
        assert all(b"own" not in digest and len(digest) == 32 for digest in client._cache._entries)
    server.close()


def test_a_request_that_is_asked_about_twice_is_counted_once(house):
    house.issue("twice", {"permissions": [READ], "limits": [{"name": "main", "limit": 2, "window": "1d"}]})
    client = AsyncKeystead(house.url, house.guard, project="acme", environment="production", timeout=30)
    keys, app = Keys(client), FastAPI()
    keys.install(app)

    @app.get("/twice")
    async def twice(first: Verdict = Depends(keys.require(READ)), second: Verdict = Depends(keys.require())):
        return [first.key_id, second.key_id]

    with uvicorn_server(asgi.KeysteadMiddleware(app, client)) as address:
        statuses = [send(address, "GET", "/twice", bearer(house, "twice"))[0] for _ in range(3)]
    assert statuses == [200, 200, 429]


def test_without_install_a_refusal_keeps_its_status_and_headers(house):
    keys = Keys(AsyncKeystead(house.url, house.guard, project="acme", environment="production", timeout=30))
    app = FastAPI()

    @app.get("/", dependencies=[Depends(keys.require(READ))])
    async def root():
        return "never"

    with uvicorn_server(app) as address:
        status, headers, body = send(address, "GET", "/", [])
    assert (status, headers["www-authenticate"]) == (401, 'Bearer realm="api"')
    assert json.loads(body)["detail"]["code"] == "unauthenticated"


def test_websockets_are_guarded(house):
    client = AsyncKeystead(house.url, house.guard, project="acme", environment="production", timeout=30)
    reached = []

    async def app(scope, receive, send):
        reached.append(scope["keystead"].key_id)

    guarded = asgi.KeysteadMiddleware(app, client, needs=Needs(READ))

    async def connect(headers, extensions):
        sent, scope = [], {"type": "websocket", "path": "/ws", "raw_path": b"/ws", "headers": headers}
        scope |= {"client": ("127.0.0.1", 1), "extensions": extensions}

        async def receive():
            return {"type": "websocket.connect"}

        async def send(message):
            sent.append(message)

        await guarded(scope, receive, send)
        return sent

    async def all_of_them():
        denial = {"websocket.http.response": {}}
        assert (await connect([], {}))[0]["type"] == "websocket.close"
        assert (await connect([], denial))[0]["status"] == 401
        key = [(b"authorization", f"Bearer {house.keys['nothing']}".encode())]
        assert (await connect(key, denial))[0]["status"] == 403
        assert not reached
        await connect([(b"authorization", f"Bearer {house.keys['good']}".encode())], denial)
        assert reached == [house.ids["good"]]
        await client.aclose()

    asyncio.run(all_of_them())


def test_what_is_no_request_is_not_guarded_and_not_passed():
    async def app(scope, receive, send):
        raise AssertionError("reached")

    guarded = asgi.KeysteadMiddleware(app, AsyncKeystead("http://127.0.0.1:1", "k"))
    with pytest.raises(RuntimeError):
        asyncio.run(guarded({"type": "webtransport"}, None, None))


def test_what_stood_in_the_state_before_is_not_an_identity():
    seen = {}

    async def app(scope, receive, send):
        seen.update(scope)

    guarded = asgi.KeysteadMiddleware(app, AsyncKeystead("http://127.0.0.1:1", "k"))
    shared = {"keystead": "forged"}
    headers = [(b"origin", b"https://a.example"), (b"access-control-request-method", b"GET")]
    scope = {"type": "http", "method": "OPTIONS", "path": "/", "headers": headers, "state": shared, "keystead": "forged"}
    asyncio.run(guarded(scope, None, None))
    assert seen["keystead"] is None and Request(seen).state.keystead is None and shared == {"keystead": "forged"}


def test_the_example_runs(house, monkeypatch):
    monkeypatch.setenv("KEYSTEAD_URL", house.url)
    monkeypatch.setenv("KEYSTEAD_KEY", house.guard)
    import fastapi_app

    with uvicorn_server(fastapi_app.app) as address:
        assert send(address, "GET", "/v1/routes", bearer(house, "good"))[0] == 200
        assert send(address, "GET", "/v1/networks/NET-7/routes", bearer(house, "narrow"))[0] == 200
        assert send(address, "GET", "/v1/networks/NET-8/routes", bearer(house, "narrow"))[0] == 403
        assert send(address, "GET", "/v1/networks/..%2fNET-7/routes", bearer(house, "narrow"))[0] in (403, 404)
