// Whose address a request has. What headers say of it counts only as far as proxies are trusted.

import { BlockList, isIPv4, isIPv6 } from "node:net";

import { trimmed } from "./credentials.js";
import { InvalidSetting } from "./errors.js";

const HOPS_MAX = 64;

/** Reads the networks of trusted proxies. */
export function networks(texts: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of texts) {
    const [whole = "", bits, more] = text.split("/");
    const address = canonical(whole);
    const mapped = isIPv6(whole) && address !== undefined && isIPv4(address);
    const most = address !== undefined && isIPv4(address) ? 32 : 128;
    const prefix = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) - (mapped ? 96 : 0) : -1;
    if (address === undefined || more !== undefined || prefix < 0 || prefix > most) {
      throw new InvalidSetting("A trusted proxy is no address or network such as `10.0.0.0/8`.");
    }
    list.addSubnet(address, prefix, family(address));
  }
  return list;
}

/**
 * The client's address: the peer's, or the first from the right of `X-Forwarded-For` that is no trusted proxy's. The
 * leftmost is whatever the client wrote. Where a trusted proxy names what is no address, there is none: a restriction
 * to networks then denies.
 */
export function clientAddress(
  peer: string | undefined,
  forwarded: readonly string[],
  trusted: BlockList,
): string | undefined {
  let address = canonical(peer?.split("%")[0] ?? "");
  const hops = forwarded.flatMap((line) => line.split(","));
  for (let hop = 0; hop < HOPS_MAX; hop += 1) {
    if (address === undefined || hops.length === 0 || !trusted.check(address, family(address))) {
      return address;
    }
    address = readHop(trimmed(hops.pop() ?? ""));
  }
  return undefined;
}

/** Also reads an address with a port. */
function readHop(text: string): string | undefined {
  const parts = /^(?:([0-9.]+)|\[([0-9A-Fa-f:.]+)\])(?::[0-9]{1,5})?$/.exec(text);
  return canonical(parts?.[1] ?? parts?.[2] ?? text);
}

/** One spelling for each address; IPv4 in IPv6 form is IPv4. */
function canonical(text: string): string | undefined {
  if (isIPv4(text)) {
    return text;
  }
  if (!isIPv6(text) || text.includes("%")) {
    return undefined;
  }
  const address = new URL(`http://[${text}]/`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(address);
  if (mapped === null) {
    return address;
  }
  const bytes = mapped.slice(1).flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 0xff]);
  return bytes.join(".");
}

function family(address: string): "ipv4" | "ipv6" {
  return isIPv4(address) ? "ipv4" : "ipv6";
}
