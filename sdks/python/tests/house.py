"""A real Keystead with the keys of `sdks/cases/house.json`, for the time of a test run."""

import json
import os
import subprocess
import tempfile
import zlib
from datetime import datetime, timedelta, timezone
from pathlib import Path

import httpx

CASES = Path(__file__).parents[2] / "cases"
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def cases(name):
    return json.loads((CASES / f"{name}.json").read_text(encoding="utf-8"))


class House:
    """The server, its keys by name, and their ids."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory()
        command = [os.environ["KEYSTEAD_TEST_BINARY"], "serve", "--listen", "127.0.0.1:0", "--data"]
        self._server = subprocess.Popen(
            [*command, self._folder.name + "/data"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        own = self._line("KEYSTEAD_KEY=").partition("=")[2]
        self.url = self._line("http://")
        self.http = httpx.Client(base_url=self.url, headers={"authorization": f"Bearer {own}"}, trust_env=False)
        self.keys = {}
        self.ids = {}
        self._furnish()

    def _line(self, start):
        for line in self._server.stdout:
            if line.startswith(start):
                return line.strip()
        raise AssertionError(f"the server ended without {start}")

    def call(self, path, body):
        answer = self.http.post(path, json=body)
        assert answer.is_success, (path, body, answer.text)
        return answer.json()

    def _furnish(self):
        plan = cases("house")
        self.call("/v1/projects", {"name": "Acme", "slug": "acme"})
        for slug in ("production", "development"):
            self.call("/v1/projects/acme/environments", {"name": slug, "slug": slug})
        for name in plan["permissions"]:
            self.call("/v1/projects/acme/permissions", {"name": name, "description": name})
        other_day = (datetime.now(timezone.utc) + timedelta(days=3)).strftime("%a").lower()
        for name, body in plan["keys"].items():
            self.issue(name, json.loads(json.dumps(body).replace("{other_day}", other_day)))
        self.issue("elsewhere", {"permissions": ["routes.read"]}, environment="development")
        for name, act, body in plan["acts"]:
            self.call(f"/v1/keys/{self.ids[name]}/{act}", body)
        for name in plan["spent"]:
            asked = {"key": self.keys[name], "project": "acme", "environment": "production"}
            assert self.call("/v1/verify", asked)["valid"]
        self.keys["wrong_secret"] = _with_another_secret(self.keys["good"])
        guard = self.call(
            "/v1/projects/keystead/keys",
            {
                "name": "guard",
                "environment": "production",
                "permissions": [{"permission": "keys.verify", "resources": ["projects/acme/environments/production"]}],
            },
        )
        self.guard = guard["key"]

    def issue(self, name, body, environment="production"):
        made = self.call("/v1/projects/acme/keys", {"name": name, "environment": environment, **body})
        self.keys[name], self.ids[name] = made["key"], made["id"]

    def revoke(self, name):
        self.call(f"/v1/keys/{self.ids[name]}/revoke", {"reason": "for a test"})

    def filled(self, text):
        for name, key in self.keys.items():
            text = text.replace(f"{{{name}}}", key)
        return text

    def close(self):
        self.http.close()
        self._server.terminate()
        self._server.wait(60)
        self._folder.cleanup()


def _with_another_secret(key):
    """The same id, another secret, and a checksum that fits."""
    signed = key[:-7] + ("a" if key[-7] != "a" else "b")
    rest, check = zlib.crc32(signed.encode()), ""
    for _ in range(6):
        rest, digit = divmod(rest, 62)
        check = _DIGITS[digit] + check
    return signed + check
