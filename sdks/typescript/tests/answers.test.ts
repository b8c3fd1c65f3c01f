// What a Keystead that is broken, hostile, slow, newer or away makes of a request.

import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import { inspect } from "node:util";
import { gzipSync } from "node:zlib";

import { Guard, InvalidSetting, Keystead, KeysteadError, Problem, ProtocolError, TimedOut, Unreachable, type KeysteadOptions } from "@keystead/guard";

import { served, WAYS, type Way } from "./apps.js";
import { cases } from "./house.js";
import { CLOSED_PORT, answering, http, send } from "./wire.js";

const KEY = "acme_live_canarycanarycanary";
const OWN = "keystead_live_owncanaryowncanary";

type Case = { name: string; status: number; headers: Record<string, string>; body: string; becomes: string; code?: string };
const TABLE = cases<Case[]>("answers");

function said(one: Case, elsewhere: string): Buffer {
  const headers = Object.fromEntries(
    Object.entries(one.headers).map(([name, value]) => [name, value.replace("{elsewhere}", elsewhere)]),
  );
  const body = Buffer.from(one.body.replaceAll("{key}", KEY).replaceAll("{own}", OWN), headers["x-test"] ? "latin1" : "utf8");
  return http(one.status, headers, headers["content-encoding"] ? gzipSync(body) : body);
}

function neverTells(...values: unknown[]): void {
  for (const value of values) {
    const text = inspect(value, { showHidden: true, depth: 9 }) + JSON.stringify(value) + String(value);
    assert.ok(!text.includes("canary"), text);
  }
}

function became(error: unknown): string {
  assert.ok(error instanceof KeysteadError, inspect(error));
  assert.equal(error.cause, undefined);
  const answered = error instanceof Problem || error instanceof ProtocolError;
  return answered && error.status >= 500 ? "server" : error instanceof Problem ? "problem" : answered ? "protocol" : error.name;
}

describe("an answer becomes what it is", () => {
  for (const one of TABLE) {
    it(one.name, async () => {
      const elsewhere = await answering((socket) => socket.end());
      const server = await answering((socket) => socket.end(said(one, elsewhere.url)));
      const client = new Keystead({ url: server.url, key: OWN, timeoutMs: 30_000 });
      try {
        const verdict = await client.verify(KEY, { ip: "203.0.113.7" });
        assert.equal(verdict.valid ? "allowed" : "refused", one.becomes);
        assert.equal(verdict.code, one.code ?? "valid");
        neverTells(verdict);
      } catch (error) {
        if (error instanceof assert.AssertionError) {
          throw error;
        }
        assert.equal(became(error), one.becomes, String(error));
        neverTells(error, (error as Error).stack);
        if (error instanceof Problem) {
          assert.equal(error.code, one.code);
          assert.ok(!/[\n\x1b]/.test(error.message) && error.detail.includes("…"));
        }
      }
      assert.deepEqual([server.requests.length, elsewhere.requests.length], [1, 0]);
      server.close();
      elsewhere.close();
    });
  }
});

for (const way of Object.keys(WAYS) as Way[]) {
  describe(way, () => {
    for (const openWhenUnreachable of [false, true]) {
      it(`opens ${openWhenUnreachable ? "only for what no client can bring about" : "never"}`, async () => {
        let current: Case;
        const server = await answering((socket) => socket.end(said(current, "http://127.0.0.1:1")));
        const onError = (error: KeysteadError) => neverTells(error);
        await served(way, { url: server.url, key: OWN }, { openWhenUnreachable, onError }, async (port) => {
          for (current of TABLE) {
            const got = await send(port, "GET", "/v1/routes", [["X-API-Key", KEY]]);
            const passes = current.becomes === "allowed" || (openWhenUnreachable && current.becomes === "server");
            assert.equal(got.status, passes ? 200 : current.code === "unknown" ? 403 : 503, current.name);
            const body = JSON.parse(got.body) as Record<string, unknown>;
            if (got.status === 503) {
              assert.ok(Number(got.headers["retry-after"]) >= 1 && body["code"] === "unavailable");
            }
            if (passes) {
              assert.equal(body["valid"], current.becomes === "allowed");
            }
            neverTells(got);
          }
        });
        server.close();
      });
    }

    it("is closed when Keystead is down, unless it was to be open, and then closed without a key", async () => {
      const client = { url: CLOSED_PORT, key: OWN };
      const key = [["Authorization", `Bearer ${KEY}`]] as const;
      await served(way, client, {}, async (port) => {
        const got = await send(port, "GET", "/v1/routes", key);
        assert.deepEqual([got.status, got.headers["retry-after"]], [503, "1"]);
      });
      await served(way, client, { openWhenUnreachable: true }, async (port) => {
        const got = await send(port, "GET", "/v1/routes", key);
        assert.deepEqual([got.status, JSON.parse(got.body)], [200, { key_id: null, valid: false }]);
        for (const headers of [[], [["X-API-Key", "a,b"]], [...key, ...key]] as const) {
          assert.equal((await send(port, "GET", "/v1/routes", headers)).status, 401);
        }
      });
    });

    it("is closed when Keystead is slow", async () => {
      const server = await answering(() => {});
      await served(way, { url: server.url, key: OWN, timeoutMs: 100 }, {}, async (port) => {
        assert.equal((await send(port, "GET", "/v1/routes", [["X-API-Key", KEY]])).status, 503);
      });
      server.close();
    });
  });
}

const OK = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";

it("takes what is too slow for no verdict", async () => {
  const drip = (socket: Socket) => {
    socket.write(`${OK}\r\n`);
    const timer = setInterval(() => socket.write(" "), 20);
    socket.on("close", () => clearInterval(timer));
  };
  for (const answer of [drip, () => {}]) {
    const server = await answering(answer);
    await assert.rejects(new Keystead({ url: server.url, key: OWN, timeoutMs: 100 }).verify(KEY), TimedOut);
    server.close();
  }
});

it("does not read a hundred megabytes", async () => {
  for (const length of ["", "content-length: 104857600\r\n"]) {
    let sent = 0;
    const server = await answering((socket) => {
      socket.write(`${OK}${length}\r\n`);
      const more = (): void => {
        while (sent < 100 << 20 && !socket.destroyed) {
          sent += 65_536;
          if (!socket.write(Buffer.alloc(65_536, " "))) {
            socket.once("drain", more);
            return;
          }
        }
      };
      more();
    });
    await assert.rejects(new Keystead({ url: server.url, key: OWN, timeoutMs: 60_000 }).verify(KEY), ProtocolError);
    assert.ok(sent < 50 << 20, String(sent));
    server.close();
  }
});

it("takes a connection that breaks for no verdict", async () => {
  for (const answer of ["", "canary garbage\r\n\r\n", `${OK}content-length: 50\r\n\r\n{`]) {
    const server = await answering((socket) => socket.end(answer));
    await assert.rejects(new Keystead({ url: server.url, key: OWN, timeoutMs: 60_000 }).verify(KEY), (error) => {
      neverTells(error);
      return error instanceof Unreachable;
    });
    server.close();
  }
});

it("shows no key", () => {
  const client = new Keystead({ url: "http://127.0.0.1:1", key: OWN });
  neverTells(client, { client }, new Guard(client));
});

it("refuses settings that cannot be used, and does not repeat them", () => {
  const good: KeysteadOptions = { url: "https://keystead.example.com", key: OWN };
  const wrong: Partial<KeysteadOptions>[] = [
    ...["http://keystead.example.com", "http://localhost.example.com", "http://127.0.0.1.example.com", "ftp://example.com"],
    ...["example.com", "", "https://me:canary@example.com", "https://example.com?canary=1", "https://example.com/?"],
  ].map((url) => ({ url }));
  wrong.push(...["", "canary\nX-Evil: 1", "canary with space", "canäry"].map((key) => ({ key })));
  wrong.push(...[0, -1, 60_001, Number.NaN].map((timeoutMs) => ({ timeoutMs })));
  wrong.push(...[10.1, -1, Number.NaN].map((cacheSeconds) => ({ cacheSeconds })));
  wrong.push(...[0, 1.5, 1e9].map((cacheEntries) => ({ cacheEntries })));
  for (const one of wrong) {
    assert.throws(
      () => new Keystead({ ...good, ...one }),
      (error) => {
        neverTells(error);
        return error instanceof InvalidSetting;
      },
      JSON.stringify(one),
    );
  }
  const client = new Keystead({ ...good, url: "http://keystead.example.com", allowPlainHttp: true });
  for (const one of [
    { realm: 'a"b' },
    { realm: "a\r\nb" },
    { credentials: [] },
    { credentials: ["X-API-Key", "x-api-key"] },
    { credentials: ["X API Key"] },
    ...["example.com", "10.0.0.0/33", "10.0.0.0/8/8", "10.0.0.0/", "::/129", "::ffff:10.0.0.0/8"].map((network) => ({ trustedProxies: [network] })),
  ]) {
    assert.throws(() => new Guard(client, one), InvalidSetting, JSON.stringify(one));
  }
});
