// Keystead in front of handlers from Request to Response.

import type { Guard, Incoming, Needs } from "./guard.js";
import type { Verdict } from "./verdict.js";

/** What a Request itself does not say. */
export interface About {
  /** The address of the connection, from whatever serves; left out, keys with networks are refused. */
  address?: string | undefined;
  /** The path as it was sent, where it is known: a Request has it with `..` resolved. */
  path?: string | undefined;
  needs?: Needs;
}

/** Whether a request may pass, with its verdict, or the response to it. */
export type Checked = { allowed: true; verdict: Verdict } | { allowed: false; response: Response };

/** Asks about one request. Preflights of CORS are refused, too: answer them before. */
export async function check(guard: Guard, request: Request, about: About = {}): Promise<Checked> {
  const outcome = await guard.judge(incoming(request, about), about.needs ?? {}, request);
  if ("verdict" in outcome) {
    return { allowed: true, verdict: outcome.verdict };
  }
  const { status, headers, body } = outcome.refusal;
  return { allowed: false, response: new Response(request.method === "HEAD" ? null : body, { status, headers }) };
}

/** A handler that only requests reach whose key may do what `about` says they need. */
export function protect<Rest extends unknown[]>(
  guard: Guard,
  handler: (request: Request, verdict: Verdict, ...rest: Rest) => Response | Promise<Response>,
  about: (request: Request, ...rest: Rest) => About = () => ({}),
): (request: Request, ...rest: Rest) => Promise<Response> {
  return async (request, ...rest) => {
    const checked = await check(guard, request, about(request, ...rest));
    return checked.allowed ? handler(request, checked.verdict, ...rest) : checked.response;
  };
}

/** `Headers` joins what was sent twice with a comma, which no key has. */
export function incoming(request: Request, about: About): Incoming {
  return {
    method: request.method,
    path: (about.path ?? new URL(request.url).pathname).split("?")[0] ?? "",
    headers: [...request.headers],
    peer: about.address,
  };
}
