// Verdicts, read strictly: what is not one is refused, whatever it says of itself.

/** The closed set of verdicts. */
export const CODES = [
  "valid",
  "malformed",
  "not_found",
  "wrong_secret",
  "disabled",
  "revoked",
  "expired",
  "not_yet_valid",
  "suspended",
  "network_denied",
  "origin_denied",
  "endpoint_denied",
  "insufficient_permissions",
  "condition_denied",
  "rate_limited",
  "quota_exceeded",
  "credits_exhausted",
  "unavailable",
] as const;

/** A verdict. `unknown` stands for a newer server's; it always refuses. */
export type Code = (typeof CODES)[number] | "unknown";

/** Whose the key is. */
export interface Owner {
  /** `service_account`, `consumer`, `member` or `team_member`. */
  kind: string;
  id: string;
  name: string;
  /** In whose name a member's key was made. */
  team?: { id: string; name: string };
}

/** To whom the key is issued. */
export interface Consumer {
  id: string;
  name: string;
  externalId?: string;
}

/** What remains of a rate limit of the `key` or its `consumer`. */
export interface Limit {
  name: string;
  of: string;
  limit: number;
  windowSeconds: number;
  remaining: number;
  retryAfterMs: number;
}

/** What remains of a quota. */
export interface Quota {
  of: string;
  limit: number;
  per: string;
  remaining: number;
  resetsAt: Date;
}

/** What remains of credits. */
export interface Credits {
  remaining: number;
  refill: string;
  amount: number;
  refillsAt?: Date;
}

/** What Keystead says of a request. Only `valid` lets it pass. */
export interface Verdict {
  valid: boolean;
  code: Code;
  /** What the code alone does not say, such as `rotated` with `expired`. */
  detail?: string;
  requestId?: string;
  keyId?: string;
  kind?: string;
  project?: string;
  environment?: string;
  owner?: Owner;
  consumer?: Consumer;
  /** What the key may do on every resource. */
  permissions: string[];
  /** What it may do on some. */
  narrowedPermissions: { permission: string; resources: string[] }[];
  expiresAt?: Date;
  limits: Limit[];
  quotas: Quota[];
  credits?: Credits;
  usesRemaining?: number;
  /** When to try again, in seconds, where it is known. */
  retryAfter?: number;
  metadata?: Record<string, unknown>;
}

/** Its message says what was wrong, never what was there. */
export class NotAVerdict extends Error {}

/** Whether each request takes something of a limit, quota, credits or uses. */
export function isCounted(verdict: Verdict): boolean {
  const some = verdict.limits.length > 0 || verdict.quotas.length > 0;
  return some || verdict.credits !== undefined || verdict.usesRemaining !== undefined;
}

/** The verdict that this JSON value is. */
export function readVerdict(answer: unknown): Verdict {
  const said = new Fields(answer);
  const name = said.text("code");
  const code: Code = CODES.find((known) => known === name) ?? "unknown";
  const valid = said.need("valid", said.boolean("valid")) && code !== "unknown";
  if (valid !== (code === "valid")) {
    throw new NotAVerdict("`valid` and `code` contradict each other");
  }
  const keyId = said.maybeText("key_id");
  if (valid && !keyId) {
    throw new NotAVerdict("a valid key has no id");
  }
  return without({
    valid,
    code,
    detail: said.maybeText("detail"),
    requestId: said.maybeText("request_id"),
    keyId,
    kind: said.maybeText("kind"),
    project: said.maybeText("project"),
    environment: said.maybeText("environment"),
    owner: said.part("owner", readOwner),
    consumer: said.part("consumer", readConsumer),
    permissions: said.texts("permissions"),
    narrowedPermissions: said.parts("narrowed_permissions", readNarrowed) ?? [],
    expiresAt: said.maybeTime("expires_at"),
    limits: said.need("limits", said.parts("limits", readLimit)),
    quotas: said.parts("quotas", readQuota) ?? [],
    credits: said.part("credits", readCredits),
    usesRemaining: said.maybeNumber("uses_remaining"),
    retryAfter: said.maybeNumber("retry_after_seconds"),
    metadata: said.object("metadata"),
  });
}

const readOwner = (said: Fields): Owner =>
  without({ kind: said.text("kind"), id: said.text("id"), name: said.text("name"), team: said.part("team", readTeam) });

const readTeam = (said: Fields) => ({ id: said.text("id"), name: said.text("name") });

const readConsumer = (said: Fields): Consumer =>
  without({ id: said.text("id"), name: said.text("name"), externalId: said.maybeText("external_id") });

const readNarrowed = (said: Fields) => ({ permission: said.text("permission"), resources: said.texts("resources") });

const readLimit = (said: Fields): Limit => ({
  name: said.text("name"),
  of: said.text("of"),
  limit: said.number("limit"),
  windowSeconds: said.number("window_seconds"),
  remaining: said.number("remaining"),
  retryAfterMs: said.number("retry_after_ms"),
});

const readQuota = (said: Fields): Quota => ({
  of: said.text("of"),
  limit: said.number("limit"),
  per: said.text("per"),
  remaining: said.number("remaining"),
  resetsAt: said.need("resets_at", said.maybeTime("resets_at")),
});

const readCredits = (said: Fields): Credits =>
  without({
    remaining: said.number("remaining"),
    refill: said.text("refill"),
    amount: said.number("amount"),
    refillsAt: said.maybeTime("refills_at"),
  });

type Without<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** The same without fields that are undefined. */
function without<T extends object>(fields: T): Without<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Without<T>;
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;

/** The fields of a JSON object, each of the kind that is wanted. */
export class Fields {
  readonly #object: Record<string, unknown>;

  constructor(value: unknown) {
    if (!isObject(value)) {
      throw new NotAVerdict("an object is missing");
    }
    this.#object = value;
  }

  #get<T>(name: string, is: (value: unknown) => value is T): T | undefined {
    const value = Object.hasOwn(this.#object, name) ? this.#object[name] : undefined;
    if (value === undefined || value === null) {
      return undefined;
    }
    if (!is(value)) {
      throw new NotAVerdict(`\`${name}\` is of another kind`);
    }
    return value;
  }

  need<T>(name: string, value: T | undefined): T {
    if (value === undefined) {
      throw new NotAVerdict(`\`${name}\` is missing`);
    }
    return value;
  }

  boolean = (name: string) => this.#get(name, (value) => typeof value === "boolean");
  object = (name: string) => this.#get(name, isObject);
  maybeText = (name: string) => this.#get(name, (value) => typeof value === "string");
  text = (name: string) => this.need(name, this.maybeText(name));
  maybeNumber = (name: string) => this.#get(name, isCount);
  number = (name: string) => this.need(name, this.maybeNumber(name));

  texts(name: string): string[] {
    const values = this.need(name, this.#get(name, Array.isArray)) as unknown[];
    if (!values.every((value) => typeof value === "string")) {
      throw new NotAVerdict(`\`${name}\` is of another kind`);
    }
    return values;
  }

  maybeTime(name: string): Date | undefined {
    const text = this.maybeText(name);
    if (text === undefined) {
      return undefined;
    }
    const time = new Date(TIME.test(text) ? text : Number.NaN);
    if (Number.isNaN(time.getTime())) {
      throw new NotAVerdict(`\`${name}\` is no time`);
    }
    return time;
  }

  part<T>(name: string, read: (said: Fields) => T): T | undefined {
    const value = this.object(name);
    return value && read(new Fields(value));
  }

  parts<T>(name: string, read: (said: Fields) => T): T[] | undefined {
    return this.#get(name, Array.isArray)?.map((value: unknown) => read(new Fields(value)));
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 2 ** 64;
}
