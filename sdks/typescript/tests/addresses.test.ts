// Whose address a request has, and that no header makes reading it slow.

import assert from "node:assert/strict";
import { it } from "node:test";

// Not exported: a part of the guard that has a table of its own.
const { clientAddress, networks } = (await import(
  new URL("../../dist/addresses.js", import.meta.url).href
)) as typeof import("../src/addresses.js");
const { trimmed } = (await import(new URL("../../dist/credentials.js", import.meta.url).href)) as typeof import("../src/credentials.js");

import { cases } from "./house.js";

type Case = { peer: string; trusted: string[]; forwarded: string[]; is: string | null };

for (const one of cases<Case[]>("addresses")) {
  it(JSON.stringify(one), () => {
    assert.equal(clientAddress(one.peer, one.forwarded, networks(one.trusted)) ?? null, one.is);
  });
}

it("names nobody behind an endless chain of proxies", () => {
  const chain = Array.from({ length: 100_000 }, () => "10.0.0.2").join(", ");
  assert.equal(clientAddress("10.0.0.1", [chain], networks(["10.0.0.0/8"])), undefined);
});

it("trims blanks at the edges alone", () => {
  assert.equal(trimmed(" \t a \t b\t "), "a \t b");
  assert.equal(trimmed(" \t "), "");
  assert.equal(trimmed("\u00a0a\u00a0"), "\u00a0a\u00a0");
  const blanks = " ".repeat(1_000_000);
  assert.equal(trimmed(`a${blanks}b`).length, 1_000_002);
});
