// Run: KEYSTEAD_KEY=… node build/examples/express.js

import type { AddressInfo } from "node:net";

import { Guard, Keystead } from "@keystead/guard";
import { requires } from "@keystead/guard/express";
import express from "express";

const keystead = new Keystead({
  url: process.env["KEYSTEAD_URL"] ?? "http://127.0.0.1:7700",
  key: process.env["KEYSTEAD_KEY"] ?? "",
  project: "acme",
  environment: "production",
});
const guard = new Guard(keystead);
const app = express();

app.get("/v1/routes", requires(guard, "routes.read"), (request, response) => {
  response.json({ routes: ["203.0.113.0/24"], askedBy: request.keystead?.keyId });
});

const onNetwork = requires(guard, { permissions: "routes.read", resource: "networks/:network" });
app.get("/v1/networks/:network/routes", onNetwork, (request, response) => {
  response.json({ network: request.params["network"], askedBy: request.keystead?.keyId });
});

const server = app.listen(Number(process.env["PORT"] ?? 8080), "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
