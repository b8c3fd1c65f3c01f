// The guarded API of sdks/cases/requests.json, once for each way to guard it, on real servers.

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { serve } from "@hono/node-server";
import express from "express";
import { Hono } from "hono";

import { Guard, Keystead, type GuardOptions, type KeysteadOptions, type Needs, type Verdict } from "@keystead/guard";
import * as ofExpress from "@keystead/guard/express";
import { protect } from "@keystead/guard/fetch";
import * as ofHono from "@keystead/guard/hono";

const READ = "routes.read";
const WRITE = "routes.write";

export const GUARDS: Record<string, GuardOptions> = {
  plain: {},
  proxied: { trustedProxies: ["127.0.0.0/8"] },
  places: { credentials: ["X-API-Key"] },
};

/** What a request needs; the path is what a framework routes by. */
export function needs(method: string, path: string): Needs {
  const network = /^\/v1\/networks\/([A-Z0-9-]+)\/routes$/.exec(path)?.[1];
  switch (path) {
    case "/v1/routes":
      return { permissions: method === "PUT" ? WRITE : READ };
    case "/v1/all":
      return { permissions: { all: [READ, WRITE] } };
    case "/v1/any":
      return { permissions: { any: [READ, WRITE] } };
    default:
      return network === undefined ? {} : { permissions: READ, resource: `networks/${network}` };
  }
}

/** What the guarded API answers. */
export const told = (verdict: Verdict | undefined) => ({ key_id: verdict?.keyId ?? null, valid: verdict?.valid ?? null });

type App = { listen: () => Promise<Server> };
const listening = (server: Server) => new Promise<Server>((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
const onNode = (handler: Parameters<typeof createServer>[1]): App => ({ listen: () => listening(createServer(handler)) });

function wholeExpress(guard: Guard): App {
  const app = express();
  app.use(ofExpress.authenticate(guard, (request: express.Request) => needs(request.method, request.path)));
  app.use((request, response) => {
    request.method === "OPTIONS" ? response.status(204).end() : response.json(told(request.keystead));
  });
  return onNode(app);
}

function routesOfExpress(guard: Guard): App {
  const app = express();
  const handler: express.RequestHandler = (request, response) => void response.json(told(request.keystead));
  const { requires } = ofExpress;
  app.get("/v1/routes", requires(guard, READ), handler);
  app.put("/v1/routes", requires(guard, WRITE), handler);
  app.get("/v1/all", requires(guard, { all: [READ, WRITE] }), handler);
  app.get("/v1/any", requires(guard, { any: [READ, WRITE] }), handler);
  app.get("/v1/networks/:network/routes", requires(guard, { permissions: READ, resource: "networks/:network" }), handler);
  app.use(requires(guard, () => ({})), handler);
  return onNode(app);
}

function bareNode(guard: Guard): App {
  const middleware = ofExpress.authenticate(guard, (request) => needs(request.method ?? "", request.url?.split("?")[0] ?? ""));
  return onNode((request, response) => {
    const guarded: ofExpress.GuardedRequest = request;
    middleware(guarded, response, () => {
      response.statusCode = request.method === "OPTIONS" ? 204 : 200;
      response.end(request.method === "OPTIONS" ? undefined : JSON.stringify(told(guarded.keystead)));
    });
  });
}

const onHono = (app: { fetch: (request: Request, env: never) => Response | Promise<Response> }): App => ({
  listen: () =>
    new Promise((resolve) => {
      const fetch = app.fetch as (request: Request) => Response | Promise<Response>;
      const server = serve({ fetch, hostname: "127.0.0.1", port: 0 }, () => resolve(server as Server));
    }),
});

function wholeHono(guard: Guard): App {
  const app = new Hono<ofHono.Guarded>();
  app.use(ofHono.authenticate(guard, (c) => needs(c.req.method, c.req.path)));
  app.all("*", (c) => (c.req.method === "OPTIONS" ? c.body(null, 204) : c.json(told(c.get("keystead")))));
  return onHono(app);
}

function routesOfHono(guard: Guard): App {
  const app = new Hono<ofHono.Guarded>();
  const { requires } = ofHono;
  app.get("/v1/routes", requires(guard, READ), (c) => c.json(told(c.get("keystead"))));
  app.put("/v1/routes", requires(guard, WRITE), (c) => c.json(told(c.get("keystead"))));
  app.get("/v1/all", requires(guard, { all: [READ, WRITE] }), (c) => c.json(told(c.var.keystead)));
  app.get("/v1/any", requires(guard, { any: [READ, WRITE] }), (c) => c.json(told(c.var.keystead)));
  app.get("/v1/networks/:network/routes", requires(guard, { permissions: READ, resource: "networks/:network" }), (c) =>
    c.json(told(c.var.keystead)),
  );
  app.all("*", requires(guard, () => ({})), (c) => c.json(told(c.var.keystead)));
  return onHono(app);
}

/** A plain fetch handler, served by what hands it node's own request as its second argument. */
function plainFetch(guard: Guard): App {
  type Env = { incoming: { url: string; socket: { remoteAddress?: string } } };
  const handler = protect(
    guard,
    (_request, verdict, _env: Env) => Response.json(told(verdict)),
    (request, env) => ({
      address: env.incoming.socket.remoteAddress,
      path: env.incoming.url,
      needs: needs(request.method, new URL(request.url).pathname),
    }),
  );
  return onHono({ fetch: handler });
}

export const WAYS = {
  express: wholeExpress,
  "express routes": routesOfExpress,
  node: bareNode,
  hono: wholeHono,
  "hono routes": routesOfHono,
  fetch: plainFetch,
};
export type Way = keyof typeof WAYS;
export const PER_ENDPOINT = new Set<Way>(["express routes", "hono routes", "fetch"]);

const quiet = () => {};

/** Serves the guarded API while `use` runs; it gets the port. */
export async function served(
  way: Way,
  client: Pick<KeysteadOptions, "url" | "key"> & Partial<KeysteadOptions>,
  options: GuardOptions,
  use: (port: number) => Promise<void>,
): Promise<void> {
  const asking = new Keystead({ project: "acme", environment: "production", timeoutMs: 30_000, ...client });
  const server = await WAYS[way](new Guard(asking, { onError: quiet, ...options })).listen();
  try {
    await use((server.address() as AddressInfo).port);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
