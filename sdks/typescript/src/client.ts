// Asks Keystead.

import { isIP } from "node:net";

import { readAnswer } from "./answer.js";
import { Cache, systemClock, type Clock } from "./cache.js";
import { InvalidSetting, KeysteadError, TimedOut, Unreachable } from "./errors.js";
import type { Verdict } from "./verdict.js";

/** Which permissions a request needs: a name, all or any of several, or one on a resource of its own. */
export type PermissionQuery =
  | string
  | { all: readonly PermissionQuery[] }
  | { any: readonly PermissionQuery[] }
  | { permission: string; resource: string };

/** What a request is. A restriction of its key whose input is left out denies. */
export interface Ask {
  /** The client's address. */
  ip?: string | undefined;
  /** In capitals. */
  method?: string | undefined;
  /** As it was sent, without query. */
  path?: string | undefined;
  origin?: string | undefined;
  userAgent?: string | undefined;
  permissions?: PermissionQuery | undefined;
  /** What the permissions are needed on, such as `networks/NET-7`. */
  resource?: string | undefined;
  /** What the request takes of limits, quotas and credits; 1 when left out. */
  cost?: number | undefined;
  /** Labels for the usage record; at most 8. */
  tags?: readonly string[] | undefined;
  /** Whether the key's metadata is wanted, too. */
  metadata?: boolean | undefined;
}

/** How Keystead is asked. */
export interface KeysteadOptions {
  /** Without `/v1`. Plain HTTP only to this machine, unless `allowPlainHttp`. */
  url: string;
  /** The API's own key, with the permission `keys.verify`. */
  key: string;
  /** Where keys are looked for; may be left out where the own key's grant pins them. */
  project?: string;
  environment?: string;
  /** Milliseconds for one question; 2,000, at most 60,000. */
  timeoutMs?: number;
  /** 0, off; at most 10: how long a revoked key can pass. */
  cacheSeconds?: number;
  cacheEntries?: number;
  allowPlainHttp?: boolean;
  /** Replaces the platform's `fetch`, for example to go through a proxy. It must not follow redirects when told so. */
  fetch?: typeof globalThis.fetch;
  clock?: Clock;
}

/** Asks Keystead. Neither it nor what it throws shows a key. */
export class Keystead {
  readonly #url: string;
  readonly #key: string;
  readonly #place: { project: string | undefined; environment: string | undefined };
  readonly #timeoutMs: number;
  readonly #cache: Cache;
  readonly #fetch: typeof globalThis.fetch;

  constructor(options: KeysteadOptions) {
    const { url, key, project, environment, timeoutMs = 2_000, cacheSeconds = 0, cacheEntries = 10_000 } = options;
    this.#url = checkedUrl(url, options.allowPlainHttp ?? false);
    if (!/^[!-~]+$/.test(key ?? "")) {
      throw new InvalidSetting("The key is empty or holds characters that no key has.");
    }
    if (!(timeoutMs > 0 && timeoutMs <= 60_000)) {
      throw new InvalidSetting("timeoutMs is more than 0 and at most 60,000.");
    }
    this.#key = key;
    this.#place = { project, environment };
    this.#timeoutMs = timeoutMs;
    this.#cache = new Cache(cacheSeconds, cacheEntries, options.clock ?? systemClock);
    this.#fetch = options.fetch ?? globalThis.fetch;
  }

  /**
   * Whether a request with this key may pass. A refusal is a verdict; where there is none it throws a `KeysteadError`.
   */
  async verify(key: string, ask: Ask = {}): Promise<Verdict> {
    const { userAgent, metadata, tags, ...rest } = ask;
    const question = JSON.stringify({
      key,
      ...this.#place,
      ...rest,
      user_agent: userAgent,
      tags: tags?.length ? tags : undefined,
      include: metadata ? ["metadata"] : undefined,
    });
    if (this.#cache.seconds === 0) {
      return (await this.#ask(question, key)).verdict;
    }
    // Of the question as it is sent, so that it holds all that was asked.
    const digest = this.#cache.digest(question);
    const kept = this.#cache.get(digest);
    if (kept !== undefined) {
      return kept;
    }
    const asked = this.#cache.now();
    const { verdict, text } = await this.#ask(question, key);
    this.#cache.keep(digest, verdict, text, asked);
    return verdict;
  }

  async #ask(question: string, key: string): Promise<{ verdict: Verdict; text: string }> {
    const signal = AbortSignal.timeout(this.#timeoutMs);
    try {
      const response = await this.#fetch(`${this.#url}/v1/verify`, {
        method: "POST",
        body: question,
        headers: {
          authorization: `Bearer ${this.#key}`,
          "content-type": "application/json",
          accept: "application/json",
          "accept-encoding": "identity",
          "user-agent": "keystead-sdk-typescript/0.1.0",
        },
        // A redirect would carry the keys to a host that nobody chose.
        redirect: "manual",
        signal,
      });
      return await readAnswer(response, [key, this.#key]);
    } catch (error) {
      throw failure(error, signal.aborted);
    }
  }
}

/** What a call died of, by its code alone: other texts repeat what was sent or received. */
function failure(error: unknown, late: boolean): KeysteadError {
  if (error instanceof KeysteadError) {
    return error;
  }
  if (late) {
    return new TimedOut("Keystead gave no whole answer in time");
  }
  const code: unknown = (error as { cause?: { code?: unknown } } | undefined)?.cause?.code;
  const named = typeof code === "string" && /^[A-Z0-9_]{1,64}$/.test(code) ? ` (${code})` : "";
  return new Unreachable(`Keystead could not be reached${named}`);
}

/** The base URL; its text never appears in an error, because it may hold a password. */
function checkedUrl(text: string, plainHttp: boolean): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new InvalidSetting("The server's URL cannot be read.");
  }
  if (!["http:", "https:"].includes(url.protocol)) {
    throw new InvalidSetting("The server's URL is neither https:// nor http://.");
  }
  if (url.username || url.password || url.search || url.hash || /[?#]/.test(text)) {
    throw new InvalidSetting("The server's URL holds a user name, a password, a query or a fragment.");
  }
  if (url.protocol === "http:" && !plainHttp && !isLoopback(url.hostname)) {
    throw new InvalidSetting(
      "Plain HTTP to another machine would show the keys to everybody on the way: use https://, or allowPlainHttp " +
        "where the network is trusted.",
    );
  }
  return url.href.replace(/\/+$/, "");
}

/** Whether the host is this machine. Only names that cannot resolve elsewhere count (RFC 6761). */
function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || (isIP(host) === 4 && host.startsWith("127."));
}
