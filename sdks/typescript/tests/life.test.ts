// What changes while requests come: keys that are revoked, with and without a cache, and what is counted.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, describe, it } from "node:test";

import { Guard, Keystead } from "@keystead/guard";
import { authenticate, requires } from "@keystead/guard/express";
import { check } from "@keystead/guard/fetch";
import express from "express";
import type { AddressInfo } from "node:net";

import { served, WAYS, type Way } from "./apps.js";
import { House } from "./house.js";
import { answering, http, send, type HeaderList } from "./wire.js";

const READ = { permissions: ["routes.read"] };

let house: House;
before(async () => {
  house = await House.open();
});
after(() => house.close());

/** Stands still until it is told to go on. */
class StoppedClock {
  monotonic = 1_000_000;
  wall = 1_000_000;
  now = () => ({ monotonic: this.monotonic, wall: this.wall });
}

const bearer = (name: string) => ["Authorization", `Bearer ${house.keys[name]}`] as const;
const asking = () => ({ url: house.url, key: house.guard });

async function status(port: number, name: string, method = "GET", path = "/v1/routes", ...more: HeaderList): Promise<number> {
  return (await send(port, method, path, [bearer(name), ...more])).status;
}

for (const way of Object.keys(WAYS) as Way[]) {
  describe(way, () => {
    it("refuses a revoked key on the next request", async () => {
      await house.issue("soon", READ);
      await served(way, asking(), {}, async (port) => {
        assert.equal(await status(port, "soon"), 200);
        await house.revoke("soon");
        assert.equal(await status(port, "soon"), 401);
      });
    });

    it("lets a revoked key pass for as long as was said, and no longer", async () => {
      for (const later of [{ monotonic: 1_003_000 }, { wall: 1_003_000 }, { wall: 999_999 }]) {
        await house.issue("soon", READ);
        const clock = new StoppedClock();
        await served(way, { ...asking(), cacheSeconds: 3, clock: clock.now }, {}, async (port) => {
          assert.equal(await status(port, "soon"), 200);
          await house.revoke("soon");
          clock.monotonic = clock.wall = 1_002_999;
          assert.equal(await status(port, "soon"), 200);
          Object.assign(clock, later);
          assert.equal(await status(port, "soon"), 401);
        });
      }
    });

    it("keeps a verdict for what was asked alone, and no refusal", async () => {
      const client = { ...asking(), cacheSeconds: 10, clock: new StoppedClock().now };
      await served(way, client, { trustedProxies: ["127.0.0.1"] }, async (port) => {
        const from = (ip: string) => ["X-Forwarded-For", ip] as const;
        const of = (origin: string) => ["Origin", origin] as const;
        const networks = "/v1/networks/NET-7/routes";
        assert.equal(await status(port, "good"), 200);
        assert.equal(await status(port, "good", "PUT"), 403);
        assert.equal(await status(port, "good", "GET", "/v1/all"), 403);
        assert.equal(await status(port, "nothing"), 403);
        assert.equal(await status(port, "narrow", "GET", networks), 200);
        assert.equal(await status(port, "narrow", "GET", networks.replace("7", "8")), 403);
        assert.equal(await status(port, "endpoint", "GET", "/v1/files/public/a"), 200);
        assert.equal(await status(port, "endpoint", "GET", "/v1/files/secret"), 403);
        assert.equal(await status(port, "inside", "GET", "/v1/routes", from("203.0.113.7")), 200);
        assert.equal(await status(port, "inside", "GET", "/v1/routes", from("198.51.100.7")), 403);
        assert.equal(await status(port, "web", "GET", "/v1/routes", of("https://app.example.com")), 200);
        assert.equal(await status(port, "web", "GET", "/v1/routes", of("https://evil.example.com")), 403);
      });
    });
  });
}

it("never keeps what is counted", async () => {
  const bodies = {
    three: { limits: [{ name: "main", limit: 3, window: "1d" }] },
    quota3: { quota: { limit: 3, per: "month", time_zone: "UTC" } },
    credits3: { credits: { remaining: 3, refill: "none", amount: 0 } },
    uses3: { kind: "temporary", uses: 3 },
  };
  await served("express", { ...asking(), cacheSeconds: 10, clock: new StoppedClock().now }, {}, async (port) => {
    for (const [name, body] of Object.entries(bodies)) {
      await house.issue(name, { ...READ, ...body });
      for (const wanted of [200, 200, 200, 429]) {
        assert.equal(await status(port, name), wanted, name);
      }
    }
  });
});

it("bounds the cache, counts age from the question, and shares nothing that can be changed", async () => {
  const clock = new StoppedClock();
  const body = { valid: true, code: "valid", key_id: "key_1", permissions: ["a"], limits: [], metadata: { a: 1 } };
  const server = await answering((socket) => {
    clock.monotonic += 2_000;
    socket.end(http(200, { "content-type": "application/json" }, Buffer.from(JSON.stringify(body))));
  });
  const client = new Keystead({ url: server.url, key: "own", timeoutMs: 30_000, cacheSeconds: 3, cacheEntries: 2, clock: clock.now });
  const first = await client.verify("a");
  first.permissions[0] = "everything";
  first.metadata = { a: 2 };
  const again = await client.verify("a");
  assert.deepEqual([again.permissions, again.metadata, server.requests.length], [["a"], { a: 1 }, 1]);
  clock.monotonic += 1_000;
  await client.verify("a");
  assert.equal(server.requests.length, 2);
  for (const key of ["b", "c", "a"]) {
    clock.monotonic = 2_000_000;
    await client.verify(key);
  }
  assert.equal(server.requests.length, 5);
  server.close();
});

async function express200(app: express.Express, use: (port: number) => Promise<void>): Promise<void> {
  const server = app.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  try {
    await use((server.address() as AddressInfo).port);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

it("counts once a request that is asked about twice", async () => {
  await house.issue("twice", { ...READ, limits: [{ name: "main", limit: 2, window: "1d" }] });
  const guard = new Guard(new Keystead({ ...asking(), project: "acme", environment: "production", timeoutMs: 30_000 }));
  const app = express().use(authenticate(guard));
  app.get("/", requires(guard, "routes.read"), (_, response) => void response.end());
  await express200(app, async (port) => {
    for (const wanted of [200, 200, 429]) {
      assert.equal(await status(port, "twice", "GET", "/"), wanted);
    }
  });
});

it("never passes a preflight to a route's own guard, nor where it is not to", async () => {
  const client = new Keystead({ ...asking(), project: "acme", environment: "production", timeoutMs: 30_000 });
  const [open, closed] = [new Guard(client), new Guard(client, { passPreflight: false })];
  const preflight = [["Origin", "https://app.example.com"], ["Access-Control-Request-Method", "GET"]] as const;
  for (const [middleware, wanted] of [[authenticate(open), 200], [authenticate(closed), 401], [requires(open, "routes.read"), 401]] as const) {
    await express200(express().use(middleware, (_, response) => void response.end()), async (port) => {
      assert.equal((await send(port, "OPTIONS", "/", preflight)).status, wanted);
    });
  }
});

it("refuses in fetch handlers what it knows no address of", async () => {
  const guard = new Guard(new Keystead({ ...asking(), project: "acme", environment: "production", timeoutMs: 30_000 }));
  const request = (name: string) => new Request("https://api.example.com/v1/routes", { headers: [[...bearer(name)]] });
  const needs = { permissions: "routes.read" };
  assert.equal((await check(guard, request("good"), { needs })).allowed, true);
  const checked = await check(guard, request("inside"), { needs });
  assert.ok(!checked.allowed && checked.response.status === 403);
  assert.ok((await check(guard, request("inside"), { needs, address: "203.0.113.7" })).allowed);
});

it("hands over an error in what a route needs, and does not pass", async () => {
  const guard = new Guard(new Keystead({ ...asking(), project: "acme", environment: "production", timeoutMs: 30_000 }));
  const broken = requires(guard, () => {
    throw new Error("broken");
  });
  const app = express().use(broken, (_, response) => void response.end("reached"));
  app.use(((_error, _request, response, _next) => void response.status(500).end()) as express.ErrorRequestHandler);
  await express200(app, async (port) => assert.equal(await status(port, "good", "GET", "/"), 500));
});

describe("the examples run", () => {
  for (const name of ["express", "hono"]) {
    it(name, async () => {
      const env = { ...process.env, KEYSTEAD_URL: house.url, KEYSTEAD_KEY: house.guard, PORT: "0" };
      const child = spawn(process.execPath, [`${import.meta.dirname}/../examples/${name}.js`], { env, stdio: ["ignore", "pipe", "inherit"] });
      try {
        const [line] = (await once(child.stdout, "data")) as [Buffer];
        const port = Number(/(\d+)\s*$/.exec(line.toString())?.[1]);
        assert.equal(await status(port, "good"), 200);
        assert.equal(await status(port, "narrow", "GET", "/v1/networks/NET-7/routes"), 200);
        assert.equal(await status(port, "narrow", "GET", "/v1/networks/NET-8/routes"), 403);
        assert.equal(await status(port, "narrow", "GET", "/v1/networks/NET-7%2F..%2FNET-8/routes"), 403);
      } finally {
        child.kill();
      }
    });
  }
});
