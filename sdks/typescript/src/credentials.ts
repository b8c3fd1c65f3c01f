// The one key of a request.

import { InvalidSetting } from "./errors.js";

/** Headers in the order in which they came, their names in small letters. */
export type Headers = readonly (readonly [string, string])[];

/** Checks the names of headers that may carry a key. */
export function places(names: readonly string[]): string[] {
  const listed = names.map((name) => name.toLowerCase());
  const good = listed.every((name) => /^[a-z0-9-]{1,64}$/.test(name));
  if (!good || listed.length === 0 || new Set(listed).size !== listed.length) {
    throw new InvalidSetting("`credentials` lists each header that may carry a key, such as `X-API-Key`, once.");
  }
  return listed;
}

// A comma joins what were two headers, so it is never a part of a key here.
const KEY = /^[!-+\--~]{1,512}$/;

/**
 * The key in the listed places, or why there is none. Two are refused, also two of which one is empty: whoever stands
 * in between may have looked at the other one.
 */
export function credential(
  headers: Headers,
  listed: readonly string[],
): { key: string } | "unauthenticated" | "malformed" {
  const found = headers.filter(([name]) => listed.includes(name));
  const [only, second] = found;
  if (only === undefined) {
    return "unauthenticated";
  }
  if (second !== undefined) {
    return "malformed";
  }
  let key = trimmed(only[1]);
  if (only[0] === "authorization") {
    const [scheme = "", ...rest] = key.split(" ");
    key = scheme.toLowerCase() === "bearer" ? trimmed(rest.join(" ")) : "";
  }
  return KEY.test(key) ? { key } : "malformed";
}

/** Without blanks at the edges. A pattern for that takes time that grows with the square of the blanks within. */
export function trimmed(text: string): string {
  const isBlank = (at: number) => text[at] === " " || text[at] === "\t";
  let [from, to] = [0, text.length];
  while (from < to && isBlank(from)) from += 1;
  while (to > from && isBlank(to - 1)) to -= 1;
  return text.slice(from, to);
}
