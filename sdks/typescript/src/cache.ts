// Verdicts that are used again for some seconds, where that was asked for.

import { createHmac, randomBytes } from "node:crypto";

import { InvalidSetting } from "./errors.js";
import { isCounted, readVerdict, type Verdict } from "./verdict.js";

const SECONDS_MAX = 10;
const ENTRIES_MAX = 1_000_000;

/** Milliseconds of a clock that never steps, and of the clock on the wall. */
export type Clock = () => { monotonic: number; wall: number };

export const systemClock: Clock = () => ({ monotonic: performance.now(), wall: Date.now() });

/** Holds verdicts that let pass and that count nothing; a digest leads to each, never the key. */
export class Cache {
  readonly #digestKey = randomBytes(32);
  // In the order in which they were asked. Answers stand as they came, so that no two requests share what one of them
  // could change.
  readonly #entries = new Map<string, { asked: ReturnType<Clock>; answer: string }>();

  constructor(
    readonly seconds: number,
    readonly entriesMax: number,
    readonly now: Clock,
  ) {
    if (!(seconds >= 0 && seconds <= SECONDS_MAX)) {
      throw new InvalidSetting(`cacheSeconds is 0 to ${SECONDS_MAX}: so long a revoked key can pass.`);
    }
    if (!(Number.isInteger(entriesMax) && entriesMax >= 1 && entriesMax <= ENTRIES_MAX)) {
      throw new InvalidSetting(`cacheEntries is 1 to ${ENTRIES_MAX}.`);
    }
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Where the verdict on a question stands. */
  digest(question: string): string {
    return createHmac("sha256", this.#digestKey).update(question).digest("base64");
  }

  /** The verdict, if it is young enough. */
  get(digest: string): Verdict | undefined {
    const entry = this.#entries.get(digest);
    if (entry === undefined) {
      return undefined;
    }
    const now = this.now();
    // Stale if either clock says so: the one stands still in a machine that is paused, the other is set.
    const ages = [now.monotonic - entry.asked.monotonic, now.wall - entry.asked.wall];
    if (ages.every((age) => age >= 0 && age < this.seconds * 1000)) {
      return readVerdict(JSON.parse(entry.answer));
    }
    this.#entries.delete(digest);
    return undefined;
  }

  /**
   * Keeps a verdict that lets pass, unless each request has to be counted. Its age counts from before it was asked, or
   * it would be more than the bound.
   */
  keep(digest: string, verdict: Verdict, answer: string, asked: ReturnType<Clock>): void {
    if (!verdict.valid || isCounted(verdict)) {
      return;
    }
    this.#entries.delete(digest);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size < this.entriesMax) {
        break;
      }
      this.#entries.delete(oldest);
    }
    this.#entries.set(digest, { asked, answer });
  }
}
