// Keystead in front of Express, Connect, or a bare node:http server.

import type { IncomingMessage, ServerResponse } from "node:http";

import type { PermissionQuery } from "./client.js";
import { filled, type Guard, type Incoming, type Needs } from "./guard.js";
import type { Verdict } from "./verdict.js";

declare global {
  namespace Express {
    interface Request {
      /** Who asks, once a guard has let the request pass. */
      keystead?: Verdict | undefined;
    }
  }
}

/** A request as Express has it; node:http's will do. */
export interface GuardedRequest extends IncomingMessage {
  originalUrl?: string;
  params?: Record<string, unknown>;
  keystead?: Verdict | undefined;
}

/** A name, a query, or `Needs` whose `resource` may be a template of route parameters: `networks/:network`. */
export type Requirement<R> = PermissionQuery | Needs | ((request: R) => Needs);

/** A middleware. */
export type Middleware<R> = (request: R, response: ServerResponse, next: (error?: unknown) => void) => void;

/** For `app.use`: a valid key, and what `needs` says. Preflights of CORS pass without one. */
export function authenticate<R extends GuardedRequest>(guard: Guard, needs: (request: R) => Needs = () => ({})): Middleware<R> {
  return (request, response, next) => {
    request.keystead = undefined;
    if (guard.passesUnasked(incoming(request))) {
      next();
      return;
    }
    answer(guard, request, response, next, needs);
  };
}

/** For one route: a key that may do this. */
export function requires<R extends GuardedRequest>(guard: Guard, requirement: Requirement<R>): Middleware<R> {
  const needs = needsOf(requirement);
  return (request, response, next) => answer(guard, request, response, next, needs);
}

function answer<R extends GuardedRequest>(
  guard: Guard,
  request: R,
  response: ServerResponse,
  next: (error?: unknown) => void,
  needs: (request: R) => Needs,
): void {
  const judged = async () => guard.judge(incoming(request), needs(request), request);
  judged().then((outcome) => {
    if ("verdict" in outcome) {
      request.keystead = outcome.verdict;
      next();
      return;
    }
    const { status, headers, body } = outcome.refusal;
    response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) }).end(body);
  }, next);
}

/** What a route needs, as a function of the request. */
function needsOf<R extends GuardedRequest>(requirement: Requirement<R>): (request: R) => Needs {
  if (typeof requirement === "function") {
    return requirement;
  }
  if (isQuery(requirement)) {
    return () => ({ permissions: requirement });
  }
  return (request) => ({ ...requirement, resource: filled(requirement.resource, request.params ?? {}) });
}

/** Tells a query from `Needs`. */
export function isQuery(requirement: PermissionQuery | Needs): requirement is PermissionQuery {
  return (
    typeof requirement === "string" || "all" in requirement || "any" in requirement || "permission" in requirement
  );
}

/** `headers` would leave out a second `Authorization`; `rawHeaders` has what came. */
function incoming(request: GuardedRequest): Incoming {
  const headers: [string, string][] = [];
  for (let at = 0; at + 1 < request.rawHeaders.length; at += 2) {
    headers.push([request.rawHeaders[at]?.toLowerCase() ?? "", request.rawHeaders[at + 1] ?? ""]);
  }
  return {
    method: request.method ?? "",
    path: (request.originalUrl ?? request.url ?? "").split("?")[0] ?? "",
    headers,
    peer: request.socket.remoteAddress,
  };
}
