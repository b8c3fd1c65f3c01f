// A real Keystead with the keys of sdks/cases/house.json, for the time of a test file.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { crc32 } from "node:zlib";

const CASES = join(import.meta.dirname, "../../../cases");

export function cases<T>(name: string): T {
  return JSON.parse(readFileSync(join(CASES, `${name}.json`), "utf8")) as T;
}

type Plan = { permissions: string[]; keys: Record<string, object>; acts: [string, string, object][]; spent: string[] };

export class House {
  url = "";
  guard = "";
  #own = "";
  readonly keys: Record<string, string> = {};
  readonly ids: Record<string, string> = {};
  readonly #folder = mkdtempSync(join(tmpdir(), "keystead-ts-"));
  readonly #server;

  private constructor() {
    const binary = process.env["KEYSTEAD_TEST_BINARY"];
    if (binary === undefined) {
      throw new Error("KEYSTEAD_TEST_BINARY names the server's binary");
    }
    const data = join(this.#folder, "data");
    this.#server = spawn(binary, ["serve", "--listen", "127.0.0.1:0", "--data", data], { stdio: ["ignore", "pipe", "ignore"] });
  }

  static async open(): Promise<House> {
    const house = new House();
    for await (const line of createInterface({ input: house.#server.stdout })) {
      if (line.startsWith("KEYSTEAD_KEY=")) {
        house.#own = line.slice("KEYSTEAD_KEY=".length);
      }
      if (line.startsWith("http://")) {
        house.url = line;
        break;
      }
    }
    await house.#furnish();
    return house;
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#server.on("exit", resolve));
    this.#server.kill("SIGTERM");
    await ended;
    rmSync(this.#folder, { recursive: true });
  }

  async call(path: string, body: object): Promise<Record<string, string>> {
    const headers = { authorization: `Bearer ${this.#own}`, "content-type": "application/json" };
    const answer = await fetch(this.url + path, { method: "POST", headers, body: JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) {
      throw new Error(`${path}: ${answer.status} ${text}`);
    }
    return JSON.parse(text) as Record<string, string>;
  }

  async issue(name: string, body: object, environment = "production"): Promise<void> {
    const made = await this.call("/v1/projects/acme/keys", { name, environment, ...body });
    this.keys[name] = made["key"] ?? "";
    this.ids[name] = made["id"] ?? "";
  }

  async revoke(name: string): Promise<void> {
    await this.call(`/v1/keys/${this.ids[name]}/revoke`, { reason: "for a test" });
  }

  filled(text: string): string {
    return Object.entries(this.keys).reduce((rest, [name, key]) => rest.replaceAll(`{${name}}`, key), text);
  }

  async #furnish(): Promise<void> {
    const plan = cases<Plan>("house");
    await this.call("/v1/projects", { name: "Acme", slug: "acme" });
    for (const slug of ["production", "development"]) {
      await this.call("/v1/projects/acme/environments", { name: slug, slug });
    }
    for (const name of plan.permissions) {
      await this.call("/v1/projects/acme/permissions", { name, description: name });
    }
    const day = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"][(new Date().getUTCDay() + 3) % 7] ?? "";
    for (const [name, body] of Object.entries(plan.keys)) {
      await this.issue(name, JSON.parse(JSON.stringify(body).replace("{other_day}", day)) as object);
    }
    await this.issue("elsewhere", { permissions: ["routes.read"] }, "development");
    for (const [name, act, body] of plan.acts) {
      await this.call(`/v1/keys/${this.ids[name]}/${act}`, body);
    }
    for (const name of plan.spent) {
      await this.call("/v1/verify", { key: this.keys[name], project: "acme", environment: "production" });
    }
    this.keys["wrong_secret"] = withAnotherSecret(this.keys["good"] ?? "");
    const permissions = [{ permission: "keys.verify", resources: ["projects/acme/environments/production"] }];
    const made = await this.call("/v1/projects/keystead/keys", { name: "guard", environment: "production", permissions });
    this.guard = made["key"] ?? "";
  }
}

/** The same id, another secret, and a checksum that fits. */
function withAnotherSecret(key: string): string {
  const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  const signed = key.slice(0, -7) + (key.at(-7) === "a" ? "b" : "a");
  let rest = crc32(signed);
  let check = "";
  for (let digit = 0; digit < 6; digit += 1) {
    check = (digits[rest % 62] ?? "") + check;
    rest = Math.floor(rest / 62);
  }
  return signed + check;
}
