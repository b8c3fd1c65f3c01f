"""Every case of `sdks/cases/requests.json`, through every way to guard, from a socket to a real Keystead and back."""

import json
from contextlib import ExitStack

import pytest
from apps import DECODED, GUARDS, PER_ENDPOINT, WAYS, served
from house import cases
from wire import send

CHALLENGES = {"plain": 'Bearer realm="api"', "invalid_token": 'Bearer realm="api", error="invalid_token"'}


@pytest.fixture(scope="module", params=WAYS)
def api(request, house):
    with ExitStack() as stack:
        guarded = {
            name: stack.enter_context(served(request.param, house.url, house.guard, guard))
            for name, guard in GUARDS.items()
        }
        yield request.param, guarded


@pytest.mark.parametrize("case", cases("requests"), ids=lambda case: case["name"])
def test_answers(api, house, case):
    way, guarded = api
    if case.get("level") == "app" and way in PER_ENDPOINT:
        return
    if case.get("level") == "raw" and way in DECODED:
        # Only the decoded path is there, for the application as well: both see two segments.
        case = {**case, "status": 200}
    headers = [(name, house.filled(value)) for name, value in case["headers"]]
    status, answered, body = send(guarded[case["app"]], case["method"], house.filled(case["path"]), headers)
    assert status == case["status"], (answered, body)
    assert answered.get("www-authenticate") == CHALLENGES.get(case.get("challenge"))
    assert ("retry-after" in answered) is case.get("retry_after", False)
    if case.get("retry_after"):
        assert int(answered["retry-after"]) >= 1
    if status == 200:
        assert json.loads(body)["key_id"] == house.ids[case["key"]] and json.loads(body)["valid"] is True
    elif "code" in case:
        assert answered["content-type"] == "application/problem+json"
        assert answered["cache-control"] == "no-store"
        document = json.loads(body)
        assert (document["code"], document["status"]) == (case["code"], status)
        assert document["type"] == f"urn:keystead:problem:{case['code']}" and document["detail"] and document["fix"]
        assert set(document) <= {"type", "title", "status", "code", "detail", "fix", "request_id"}
    for name, key in house.keys.items():
        assert key.encode() not in body and key not in str(answered), name
    for key_id in house.ids.values():
        assert status == 200 or key_id.encode() not in body
