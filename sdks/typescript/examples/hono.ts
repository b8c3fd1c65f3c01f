// Run: KEYSTEAD_KEY=… node build/examples/hono.js

import { serve } from "@hono/node-server";
import { Guard, Keystead } from "@keystead/guard";
import { requires, type Guarded } from "@keystead/guard/hono";
import { Hono } from "hono";

const keystead = new Keystead({
  url: process.env["KEYSTEAD_URL"] ?? "http://127.0.0.1:7700",
  key: process.env["KEYSTEAD_KEY"] ?? "",
  project: "acme",
  environment: "production",
});
const guard = new Guard(keystead);
const app = new Hono<Guarded>();

app.get("/v1/routes", requires(guard, "routes.read"), (c) =>
  c.json({ routes: ["203.0.113.0/24"], askedBy: c.get("keystead").keyId }),
);

const onNetwork = requires(guard, { permissions: "routes.read", resource: "networks/:network" });
app.get("/v1/networks/:network/routes", onNetwork, (c) =>
  c.json({ network: c.req.param("network"), askedBy: c.get("keystead").keyId }),
);

serve({ fetch: app.fetch, hostname: "127.0.0.1", port: Number(process.env["PORT"] ?? 8080) }, ({ port }) => {
  console.log(`http://127.0.0.1:${port}`);
});
