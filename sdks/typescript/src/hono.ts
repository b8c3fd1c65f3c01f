// Keystead in front of Hono.

import type { Context, MiddlewareHandler } from "hono";

import type { PermissionQuery } from "./client.js";
import { isQuery } from "./express.js";
import { incoming } from "./fetch.js";
import { filled, type Guard, type Incoming, type Needs } from "./guard.js";
import type { Verdict } from "./verdict.js";

/** `c.get("keystead")` in a handler behind a guard: who asks. */
export type Guarded = { Variables: { keystead: Verdict } };

/** A name, a query, or `Needs` whose `resource` may be a template of route parameters: `networks/:network`. */
export type Requirement = PermissionQuery | Needs | ((context: Context) => Needs);

/** Where a platform other than @hono/node-server says whose connection it is. */
export interface HonoOptions {
  address?: (context: Context) => string | undefined;
}

/** For `app.use`: a valid key, and what `needs` says. Preflights of CORS pass without one. */
export function authenticate(
  guard: Guard,
  needs: (context: Context) => Needs = () => ({}),
  options: HonoOptions = {},
): MiddlewareHandler<Guarded> {
  return async (context, next) => {
    (context as Context).set("keystead", undefined);
    if (guard.passesUnasked(read(context, options))) {
      await next();
      return;
    }
    return answer(guard, context, next, needs, options);
  };
}

/** For one route: a key that may do this. */
export function requires(guard: Guard, requirement: Requirement, options: HonoOptions = {}): MiddlewareHandler<Guarded> {
  return (context, next) => answer(guard, context, next, needsOf(requirement), options);
}

async function answer(
  guard: Guard,
  context: Context<Guarded>,
  next: () => Promise<void>,
  needs: (context: Context) => Needs,
  options: HonoOptions,
): Promise<Response | void> {
  const outcome = await guard.judge(read(context, options), needs(context), context);
  if ("refusal" in outcome) {
    const { status, headers, body } = outcome.refusal;
    return new Response(context.req.method === "HEAD" ? null : body, { status, headers });
  }
  context.set("keystead", outcome.verdict);
  await next();
}

function needsOf(requirement: Requirement): (context: Context) => Needs {
  if (typeof requirement === "function") {
    return requirement;
  }
  if (isQuery(requirement)) {
    return () => ({ permissions: requirement });
  }
  return (context) => ({ ...requirement, resource: filled(requirement.resource, context.req.param()) });
}

/** The path and the address come from @hono/node-server where it serves: a Request has no address, and no `..`. */
function read(context: Context, options: HonoOptions): Incoming {
  type Node = { incoming?: { url?: string; socket?: { remoteAddress?: string } } };
  const node = (context.env as Node | undefined)?.incoming;
  const address = options.address ? options.address(context) : node?.socket?.remoteAddress;
  return incoming(context.req.raw, { address, path: node?.url });
}
