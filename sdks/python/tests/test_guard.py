"""What the guard reads of a request: addresses, paths, and what must not be confused."""

import pytest
from house import cases

from keystead import Guard, Needs, Refusal
from keystead._addresses import client, networks
from keystead._guard import Incoming
from keystead._paths import is_ambiguous, of_wsgi


@pytest.mark.parametrize("case", cases("addresses"), ids=str)
def test_addresses(case):
    assert client(case["peer"], case["forwarded"], networks(case["trusted"])) == case["is"]


def test_an_endless_chain_of_proxies_names_nobody():
    assert client("10.0.0.1", [", ".join(["10.0.0.2"] * 100_000)], networks(["10.0.0.0/8"])) is None


@pytest.mark.parametrize(
    "path",
    ["", "a", "//", "/a//b", "/.", "/..", "/a/./b", "/a/../b", "/a/..", "/a\\b", "/a;b", "/a?b", "/a#b", "/a b", "/é"]
    + ["/%", "/%2", "/%zz", "/%2f", "/%2F", "/%5c", "/%2e", "/%2E%2e", "/%3b", "/%00", "/%1f", "/%7f", "/%252f"]
    + ["/%25%32", "/%c0%af", "/%e0%80%af", "/%f0%80%80%af", "/%f5", "/%ff", "/a\n", "/\u0661", "/" + "a" * 2048],
)
def test_ambiguous_paths(path):
    assert is_ambiguous(path)


@pytest.mark.parametrize("path", ["/", "/a", "/a/", "/a.b/..c", "/...", "/caf%C3%A9", "/%25", "/a%20b", "/%E2%82%AC", "/a:b@c"])
def test_plain_paths(path):
    assert not is_ambiguous(path)


def test_a_raw_path_of_wsgi_counts_only_if_the_application_routes_by_it():
    assert of_wsgi("/a%2fb?x", b"/a/b") == "/a%2fb"
    assert of_wsgi("/public", b"/secret") == "/secret"
    assert of_wsgi("http://example.com/public", b"/secret") == "/secret"
    assert of_wsgi(None, "/café".encode()) == "/caf%C3%A9"
    assert of_wsgi(None, b"/a/../b") is None
    assert of_wsgi("/x/../b", b"/b") == "/b"


def test_only_what_a_browser_sends_is_a_preflight():
    asked = [("origin", "https://a.example"), ("access-control-request-method", "GET")]
    assert Guard().passes_unasked(Incoming("OPTIONS", "/", asked, None))
    assert not Guard(pass_preflight=False).passes_unasked(Incoming("OPTIONS", "/", asked, None))
    assert not Guard().passes_unasked(Incoming("options", "/", asked, None))
    assert not Guard().passes_unasked(Incoming("GET", "/", asked, None))
    for other in (asked[:1], asked[1:], asked + asked, [*asked, ("x-http-method-override", "DELETE")]):
        assert not Guard().passes_unasked(Incoming("OPTIONS", "/", other, None))


def test_what_cannot_be_asked_is_refused_here():
    key = [("x-api-key", "acme_live_x")]
    for request, needs, code in (
        (Incoming("GET", None, key, None), Needs(), "endpoint_denied"),
        (Incoming("GET", "/" + "a" * 2048, key, None), Needs(), "endpoint_denied"),
        (Incoming("A" * 33, "/", key, None), Needs(), "endpoint_denied"),
        (Incoming("", "/", key, None), Needs(), "endpoint_denied"),
        (Incoming("GET", "/", key, None), Needs("p", resource="a" * 3000), "insufficient_permissions"),
        (Incoming("GET", "/", [*key, ("origin", "a" * 3000)], None), Needs(), "origin_denied"),
    ):
        refusal = Guard().question(request, needs)
        assert isinstance(refusal, Refusal) and refusal.code == code
    asked = Guard().question(Incoming("GET", "/", [*key, ("user-agent", "\xff" * 60_000)], None), Needs())
    assert len(asked[1]["user_agent"].encode()) <= 2048


def test_every_verdict_has_an_answer_of_its_status():
    from keystead import Code, Verdict

    for code in Code:
        refusal = Guard().judge(Verdict(valid=False, code=code))
        if code is Code.VALID:
            assert refusal.status == 403
        else:
            assert refusal.status in (401, 403, 429, 503)
    assert Guard().judge(Verdict(valid=False, code=Code.WRONG_SECRET)).body == Guard().judge(
        Verdict(valid=False, code=Code.NOT_FOUND)
    ).body
