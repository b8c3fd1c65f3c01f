// Every case of sdks/cases/requests.json, through every way to guard, from a socket to a real Keystead and back.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { GUARDS, PER_ENDPOINT, served, WAYS, type Way } from "./apps.js";
import { cases, House } from "./house.js";
import { send, type HeaderList } from "./wire.js";

type Case = {
  name: string;
  app: string;
  method: string;
  path: string;
  headers: HeaderList;
  status: number;
  code?: string;
  key?: string;
  challenge?: "plain" | "invalid_token";
  retry_after?: boolean;
  level?: "app" | "raw";
};

const CHALLENGES = { plain: 'Bearer realm="api"', invalid_token: 'Bearer realm="api", error="invalid_token"' };
const FIELDS = ["type", "title", "status", "code", "detail", "fix", "request_id"];

let house: House;
before(async () => {
  house = await House.open();
});
after(() => house.close());

async function check(port: number, one: Case): Promise<void> {
  const headers = one.headers.map(([name, value]) => [name, house.filled(value)] as const);
  const got = await send(port, one.method, house.filled(one.path), headers);
  assert.equal(got.status, one.status, got.body);
  assert.equal(got.headers["www-authenticate"], one.challenge && CHALLENGES[one.challenge]);
  assert.equal(got.headers["retry-after"] !== undefined, one.retry_after ?? false);
  if (one.retry_after) {
    assert.ok(Number(got.headers["retry-after"]) >= 1);
  }
  if (one.status === 200) {
    assert.deepEqual(JSON.parse(got.body), { key_id: house.ids[one.key ?? ""], valid: true });
  } else if (one.code !== undefined) {
    assert.equal(got.headers["content-type"], "application/problem+json");
    assert.equal(got.headers["cache-control"], "no-store");
    const document = JSON.parse(got.body) as Record<string, unknown>;
    assert.deepEqual([document["code"], document["status"]], [one.code, one.status]);
    assert.equal(document["type"], `urn:keystead:problem:${one.code}`);
    assert.ok(Object.keys(document).every((name) => FIELDS.includes(name)));
    assert.ok(Object.values(house.ids).every((id) => !got.body.includes(id)));
  }
  assert.ok(Object.values(house.keys).every((key) => !got.body.includes(key)));
}

for (const way of Object.keys(WAYS) as Way[]) {
  describe(way, () => {
    for (const one of cases<Case[]>("requests")) {
      if (one.level === "app" && PER_ENDPOINT.has(way)) {
        continue;
      }
      it(one.name, () =>
        served(way, { url: house.url, key: house.guard }, GUARDS[one.app] ?? {}, (port) => check(port, one)),
      );
    }
  });
}
