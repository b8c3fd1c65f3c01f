// What stands between a request and its handler: reads the one, judges what may reach the other.

import type { BlockList } from "node:net";

import { clientAddress, networks } from "./addresses.js";
import type { Ask, Keystead, PermissionQuery } from "./client.js";
import { credential, places, type Headers } from "./credentials.js";
import { InvalidSetting, KeysteadError, Problem, ProtocolError, TimedOut, Unreachable } from "./errors.js";
import { refusal, type Refusal } from "./refusal.js";
import type { Verdict } from "./verdict.js";

const TEXT_MAX = 2_048;
const METHOD_MAX = 32;
// What turns one method into another behind the guard.
const OVERRIDES = ["x-http-method-override", "x-http-method", "x-method-override"];

/** What a request needs beyond a valid key. */
export interface Needs {
  permissions?: PermissionQuery | undefined;
  /** What the permissions are needed on, such as `networks/NET-7`. */
  resource?: string | undefined;
  /** What the request takes of limits, quotas and credits; 1 when left out. */
  cost?: number | undefined;
  tags?: readonly string[] | undefined;
}

/** A request. `path` is raw and without query. */
export interface Incoming {
  method: string;
  path: string;
  headers: Headers;
  peer: string | undefined;
}

/** How requests are read and refused. */
export interface GuardOptions {
  /** Headers that may carry a key: `["Authorization", "X-API-Key"]`, the first as a bearer token. */
  credentials?: readonly string[];
  /** Addresses and networks whose `X-Forwarded-For` counts, read from the right. */
  trustedProxies?: readonly string[];
  /** Of `WWW-Authenticate`: `api`. */
  realm?: string;
  /** Asks for the key's metadata, too. */
  metadata?: boolean;
  /** Whether `authenticate` lets preflights of CORS pass to the framework without a key: `true`. */
  passPreflight?: boolean;
  /** Lets requests with a key pass unjudged while Keystead does not answer. Whoever can make it slow can then pass. */
  openWhenUnreachable?: boolean;
  /** Is told why requests were not judged; `console.error` by default. */
  onError?: (error: KeysteadError) => void;
}

/** Lets only requests pass whose key may do what they need. */
export class Guard {
  readonly #client: Keystead;
  readonly #places: string[];
  readonly #trusted: BlockList;
  readonly #options: GuardOptions;
  readonly #realm: string;
  // Which requests its client has counted, by whichever guard.
  static readonly #counted = new WeakMap<object, Keystead>();

  constructor(client: Keystead, options: GuardOptions = {}) {
    this.#realm = options.realm ?? "api";
    if (!/^[ !#-[\]-~]{1,128}$/.test(this.#realm)) {
      throw new InvalidSetting("`realm` is 1 to 128 characters of ASCII without quotes and backslashes.");
    }
    this.#client = client;
    this.#places = places(options.credentials ?? ["Authorization", "X-API-Key"]);
    this.#trusted = networks(options.trustedProxies ?? []);
    this.#options = options;
  }

  /** Whether this is a preflight that goes to the framework. */
  passesUnasked(request: Incoming): boolean {
    return (this.#options.passPreflight ?? true) && isPreflight(request);
  }

  /**
   * The verdict with which a request passes, or the answer to it. `same` is an object that stands for the request: asked
   * about twice, it is counted once.
   */
  async judge(request: Incoming, needs: Needs, same: object): Promise<{ verdict: Verdict } | { refusal: Refusal }> {
    const question = this.#question(request, needs);
    if ("refusal" in question) {
      return question;
    }
    const { key, ask } = question;
    if (ask.cost === undefined && Guard.#counted.get(same) === this.#client) {
      ask.cost = 0;
    }
    let verdict: Verdict;
    try {
      verdict = await this.#client.verify(key, ask);
    } catch (error) {
      return this.#failed(error);
    }
    Guard.#counted.set(same, this.#client);
    if (verdict.valid && verdict.code === "valid") {
      return { verdict };
    }
    const code = verdict.code === "wrong_secret" ? "not_found" : verdict.code;
    return { refusal: refusal(code, this.#realm, verdict.retryAfter, verdict.requestId) };
  }

  /** What becomes of a request that nobody judged. What a client could bring about by what it sends never opens. */
  #failed(error: unknown): { verdict: Verdict } | { refusal: Refusal } {
    if (!(error instanceof KeysteadError)) {
      throw error;
    }
    const log = this.#options.onError ?? ((why) => console.error(`keystead: no verdict: ${why.message}`));
    log(error);
    const answered = error instanceof Problem || error instanceof ProtocolError;
    const down = answered ? error.status >= 500 : error instanceof Unreachable || error instanceof TimedOut;
    if (this.#options.openWhenUnreachable === true && down) {
      const nothing = { permissions: [], narrowedPermissions: [], limits: [], quotas: [] };
      return { verdict: { valid: false, code: "unavailable", ...nothing } };
    }
    return { refusal: refusal("unavailable", this.#realm, error instanceof Problem ? error.retryAfter : undefined) };
  }

  #question(request: Incoming, needs: Needs): { key: string; ask: Ask } | { refusal: Refusal } {
    const found = credential(request.headers, this.#places);
    if (typeof found === "string") {
      return { refusal: refusal(found, this.#realm) };
    }
    // Two origins are none: joined they are not what a browser sends.
    const origin = all(request, "origin").join(", ");
    if (origin.length > TEXT_MAX) {
      return { refusal: refusal("origin_denied", this.#realm) };
    }
    const { method, path } = request;
    if (path === "" || Buffer.byteLength(path) > TEXT_MAX || method.length > METHOD_MAX) {
      return { refusal: refusal("endpoint_denied", this.#realm) };
    }
    if (Buffer.byteLength(needs.resource ?? "") > TEXT_MAX) {
      return { refusal: refusal("insufficient_permissions", this.#realm) };
    }
    const ask: Ask = {
      ...needs,
      ip: clientAddress(request.peer, all(request, "x-forwarded-for"), this.#trusted),
      method,
      path,
      origin: origin || undefined,
      // A record, not a rule: cut to what Keystead takes, whatever its letters grow to in UTF-8.
      userAgent: all(request, "user-agent").join(", ").slice(0, TEXT_MAX / 3) || undefined,
      metadata: this.#options.metadata,
    };
    return { key: found.key, ask };
  }
}

function all(request: Incoming, name: string): string[] {
  return request.headers.filter(([sent]) => sent === name).map(([, value]) => value);
}

/** Whether a browser asks if it may ask (CORS): it never sends a key with that. */
function isPreflight(request: Incoming): boolean {
  return (
    request.method === "OPTIONS" &&
    all(request, "origin").length === 1 &&
    all(request, "access-control-request-method").length === 1 &&
    !request.headers.some(([name]) => OVERRIDES.includes(name))
  );
}

/**
 * The resource that a template such as `networks/:network` names. A parameter stays one segment: what could be more, or
 * read otherwise, fits no resource.
 */
export function filled(template: string | undefined, parameters: Readonly<Record<string, unknown>>): string | undefined {
  return template?.replace(/(^|\/):([A-Za-z_]\w*)/g, (_, slash: string, name: string) => {
    const value = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
    const plain = typeof value === "string" && /^[A-Za-z0-9._~:@-]+$/.test(value) && !/^\.\.?$/.test(value);
    return slash + (plain ? value : "?");
  });
}
