/** Keystead in front of an API: asks whether a request's key may pass. */

export type { Clock } from "./cache.js";
export { Keystead, type Ask, type KeysteadOptions, type PermissionQuery } from "./client.js";
export { InvalidSetting, KeysteadError, Problem, ProtocolError, TimedOut, Unreachable } from "./errors.js";
export { Guard, type GuardOptions, type Incoming, type Needs } from "./guard.js";
export type { Refusal } from "./refusal.js";
export type { Code, Consumer, Credits, Limit, Owner, Quota, Verdict } from "./verdict.js";
