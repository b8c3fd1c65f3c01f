"""What a Keystead that is broken, hostile, slow, newer or away makes of a request."""

import asyncio
import gzip
import json
import logging
import pickle
import select

import pytest
from apps import WAYS, served
from house import cases
from wire import Answering, closed_port, http, send

import keystead
from keystead import AsyncKeystead, InvalidSetting, Keystead, Problem, ProtocolError, TimedOut, Unreachable

KEY, OWN = "acme_live_canarycanarycanary", "keystead_live_owncanaryowncanary"
WANTED = {"protocol": ProtocolError, "problem": Problem, "server": (Problem, ProtocolError)}


def verify(asynchronous, url, **settings):
    settings = {"timeout": 30, **settings}
    if not asynchronous:
        with Keystead(url, OWN, **settings) as client:
            return client.verify(KEY, ip="203.0.113.7")

    async def ask():
        async with AsyncKeystead(url, OWN, **settings) as client:
            return await client.verify(KEY, ip="203.0.113.7")

    return asyncio.run(ask())


def said(case, elsewhere):
    """An answer of the table as bytes."""
    headers = {name: value.replace("{elsewhere}", elsewhere) for name, value in case["headers"].items()}
    body = case["body"].replace("{key}", KEY).replace("{own}", OWN).encode("latin-1")
    return http(case["status"], headers, gzip.compress(body) if "content-encoding" in headers else body)


def never_tells(*texts):
    for text in texts:
        assert "canary" not in text, text


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("case", cases("answers"), ids=lambda case: case["name"])
def test_becomes(case, asynchronous, caplog):
    caplog.set_level(logging.DEBUG)
    elsewhere = Answering(lambda connection, _: connection.sendall(http(200, {}, b"")))
    server = Answering(lambda connection, _: connection.sendall(said(case, elsewhere.url)))
    try:
        verdict = verify(asynchronous, server.url)
        assert case["becomes"] == ("allowed" if verdict.valid else "refused")
        assert verdict.code.value == case.get("code", "valid")
        never_tells(repr(verdict))
    except keystead.KeysteadError as error:
        assert isinstance(error, WANTED[case["becomes"]]), error
        assert error.__context__ is None and error.__cause__ is None
        if isinstance(error, Problem):
            assert error.code == case["code"]
            assert "\n" not in str(error) and "\x1b" not in str(error) and "…" in error.detail
        never_tells(repr(error), str(error), str(vars(error)))
    never_tells(caplog.text)
    assert len(server.requests) == 1 and not elsewhere.requests
    server.close()
    elsewhere.close()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("opened", [False, True])
def test_guards_open_only_for_what_no_client_can_bring_about(way, opened, caplog):
    table = cases("answers")
    current = {}
    server = Answering(lambda connection, _: connection.sendall(said(current, "http://127.0.0.1:1")))
    with served(way, server.url, OWN, {"open_when_unreachable": opened}) as address:
        for current in table:
            status, headers, body = send(address, "GET", "/v1/routes", [("X-API-Key", KEY)])
            passes = current["becomes"] == "allowed" or (opened and current["becomes"] == "server")
            wanted = 200 if passes else 403 if current.get("code") == "unknown" else 503
            assert status == wanted, (current["name"], body)
            if status == 503:
                assert int(headers["retry-after"]) >= 1 and json.loads(body)["code"] == "unavailable"
            if passes:
                assert json.loads(body)["valid"] is (current["becomes"] == "allowed")
            never_tells(body.decode(), str(headers))
    never_tells(caplog.text)
    server.close()


@pytest.mark.parametrize("way", WAYS)
def test_down_is_closed_unless_it_was_to_be_open_and_then_without_key_still_closed(way, caplog):
    with served(way, closed_port(), OWN) as address:
        status, headers, body = send(address, "GET", "/v1/routes", [("Authorization", f"Bearer {KEY}")])
        assert (status, headers["retry-after"], json.loads(body)["code"]) == (503, "1", "unavailable")
    with served(way, closed_port(), OWN, {"open_when_unreachable": True}) as address:
        status, _, body = send(address, "GET", "/v1/routes", [("Authorization", f"Bearer {KEY}")])
        assert (status, json.loads(body)["valid"], json.loads(body)["key_id"]) == (200, False, None)
        assert send(address, "GET", "/v1/routes", [])[0] == 401
        assert send(address, "GET", "/v1/routes", [("X-API-Key", "a,b")])[0] == 401
    never_tells(caplog.text)


def hold(connection, _):
    """Takes the request and never answers."""
    connection.recv(65536)
    while connection.recv(65536):
        pass


def drip(connection, _):
    """Answers a byte at a time, each in time, until the client has gone."""
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n")
    while not has_gone(connection, 0.02):
        connection.sendall(b" ")


def has_gone(connection, seconds):
    """Whether the client has ended the connection, or does within that time."""
    readable, _, _ = select.select([connection], [], [], seconds)
    return bool(readable) and not connection.recv(65536)


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("slow", [hold, drip])
def test_too_slow_is_no_verdict(slow, asynchronous):
    server = Answering(slow)
    with pytest.raises(TimedOut):
        verify(asynchronous, server.url, timeout=0.2)
    server.close()


@pytest.mark.parametrize("way", WAYS)
def test_a_slow_verifier_is_503(way):
    server = Answering(hold)
    with served(way, server.url, OWN, timeout=0.2) as address:
        assert send(address, "GET", "/v1/routes", [("X-API-Key", KEY)])[0] == 503
    server.close()


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("announced", [False, True])
def test_a_hundred_megabytes_are_not_read(announced, asynchronous):
    sent = 0

    def flood(connection, _):
        nonlocal sent
        length = b"content-length: 104857600\r\n" if announced else b""
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n" + length + b"\r\n")
        while sent < 100 << 20:
            sent += connection.send(b" " * 65536)

    server = Answering(flood)
    with pytest.raises(ProtocolError):
        verify(asynchronous, server.url, timeout=30)
    assert sent < 50 << 20
    server.close()


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_connection_that_breaks_is_no_verdict(asynchronous):
    for answer in (b"", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{"):
        server = Answering(lambda connection, _: connection.sendall(answer))
        with pytest.raises(Unreachable):
            verify(asynchronous, server.url)
        server.close()
    with pytest.raises(Unreachable, match="ECONNREFUSED"):
        verify(asynchronous, closed_port())


@pytest.mark.parametrize("kind", [Keystead, AsyncKeystead])
def test_a_client_shows_no_key(kind):
    client = kind("http://127.0.0.1:1", OWN)
    never_tells(repr(client), str(client), f"{client}")
    for write in (pickle.dumps, lambda value: json.dumps(value, default=repr)):
        try:
            never_tells(str(write(client)))
        except TypeError as error:
            never_tells(str(error))


def test_settings_that_cannot_be_used_are_refused_and_not_repeated():
    good = {"url": "https://keystead.example.com", "key": OWN}
    for wrong in (
        {"url": "http://keystead.example.com"},
        {"url": "http://localhost.example.com"},
        {"url": "http://127.0.0.1.example.com"},
        {"url": "ftp://example.com"},
        {"url": "example.com"},
        {"url": ""},
        {"url": "https://me:canary@example.com"},
        {"url": "https://example.com?canary=1"},
        {"key": ""},
        {"key": "canary\nX-Evil: 1"},
        {"key": "canary with space"},
        {"key": "canäry"},
        {"timeout": 0},
        {"timeout": 61},
        {"timeout": float("nan")},
        {"cache_seconds": 10.1},
        {"cache_seconds": -1},
        {"cache_seconds": float("nan")},
        {"cache_entries": 0},
        {"cache_entries": 10**9},
    ):
        with pytest.raises(InvalidSetting) as raised:
            Keystead(**{**good, **wrong})
        never_tells(str(raised.value))
    Keystead("http://keystead.example.com", OWN, allow_plain_http=True)
    for wrong in ({"realm": 'a"b'}, {"realm": "a\r\nb"}, {"credentials": []}, {"credentials": ["X-API-Key", "x-api-key"]}):
        with pytest.raises(InvalidSetting):
            keystead.Guard(**wrong)
    with pytest.raises(InvalidSetting):
        keystead.Guard(trusted_proxies=["example.com"])
