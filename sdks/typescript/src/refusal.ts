// What clients are told.

import type { Code } from "./verdict.js";

/** The answer to a request that may not pass. */
export interface Refusal {
  status: number;
  code: string;
  headers: Record<string, string>;
  body: string;
}

const KEY = "Send one valid key of this API, once.";
const ISSUER = "Ask whoever issued it.";

// `wrong_secret` is told as `not_found`: whether an id exists is not for strangers.
type Told = Exclude<Code, "wrong_secret" | "valid"> | "unauthenticated";
const TOLD: Record<Told, [number, string, string]> = {
  unauthenticated: [401, "The request carries no key.", KEY],
  malformed: [401, "The request does not carry one well-formed key.", KEY],
  not_found: [401, "This key is not known here.", KEY],
  disabled: [401, "This key is switched off.", ISSUER],
  revoked: [401, "This key was revoked.", "Use another key."],
  expired: [401, "This key has expired.", "Use another key."],
  not_yet_valid: [401, "This key is not valid yet.", "Try again when it is."],
  suspended: [401, "This key is suspended.", ISSUER],
  network_denied: [403, "This key may not be used from this address.", ISSUER],
  origin_denied: [403, "This key may not be used from this origin.", ISSUER],
  endpoint_denied: [403, "This key may not be used for this request.", ISSUER],
  insufficient_permissions: [403, "This key may not do this.", "Ask whoever issued it for the permission."],
  condition_denied: [403, "This key may not be used now or so.", ISSUER],
  unknown: [403, "This key may not be used for this request.", ISSUER],
  rate_limited: [429, "This key was used too often.", "Try again later."],
  quota_exceeded: [429, "This key's quota is used up.", "Try again later."],
  credits_exhausted: [429, "This key's credits are used up.", ISSUER],
  unavailable: [503, "Whether this request may pass cannot be known now.", "Try again in a moment."],
};

/** The problem document (RFC 9457) for a code, with the headers that belong to its status. */
export function refusal(code: Code | "unauthenticated", realm: string, retryAfter?: number, requestId?: string): Refusal {
  const told: Told = code === "valid" ? "unknown" : code === "wrong_secret" ? "not_found" : code;
  const [status, detail, fix] = TOLD[told];
  const body = JSON.stringify({
    type: `urn:keystead:problem:${told}`,
    title: detail,
    status,
    code: told,
    detail,
    fix,
    request_id: requestId,
  });
  const headers: Record<string, string> = { "content-type": "application/problem+json", "cache-control": "no-store" };
  if (status === 401) {
    const error = told === "unauthenticated" ? "" : ', error="invalid_token"';
    headers["www-authenticate"] = `Bearer realm="${realm}"${error}`;
  }
  if (status === 503 || (status === 429 && retryAfter !== undefined)) {
    headers["retry-after"] = String(Math.max(1, retryAfter ?? 0));
  }
  return { status, code: told, headers, body };
}
