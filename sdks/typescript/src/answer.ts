// What came back, as a verdict or an error.

import { Problem, ProtocolError } from "./errors.js";
import { Fields, NotAVerdict, readVerdict, type Verdict } from "./verdict.js";

/** The largest answer that is read: a verdict with 5,000 permissions is smaller. */
const BYTES_MAX = 4 * 1024 * 1024;
const TEXT_MAX = 1_000;

/** The text of an answer beside the verdict that it is. */
export async function readAnswer(
  response: Response,
  secrets: readonly string[],
): Promise<{ verdict: Verdict; text: string }> {
  const status = response.status;
  const coding = response.headers.get("content-encoding");
  if (coding !== null && coding.toLowerCase() !== "identity") {
    await response.body?.cancel();
    throw new ProtocolError(status, "it is compressed, which was not asked for");
  }
  const bytes = await bounded(response);
  const kind = response.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (status !== 200) {
    throw readProblem(response, kind, bytes, secrets);
  }
  if (kind !== "application/json") {
    throw new ProtocolError(status, "it is not JSON");
  }
  try {
    const text = decode(bytes);
    return { verdict: readVerdict(parse(text)), text };
  } catch (error) {
    throw new ProtocolError(status, error instanceof NotAVerdict ? error.message : "it cannot be read");
  }
}

async function bounded(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = response.body?.getReader();
  for (;;) {
    const read = await reader?.read();
    if (read?.value === undefined) {
      return Buffer.concat(chunks);
    }
    chunks.push(read.value);
    length += read.value.length;
    if (length > BYTES_MAX) {
      await reader?.cancel();
      throw new ProtocolError(response.status, "it is too large");
    }
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new NotAVerdict("it is not JSON");
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message repeats what it read.
    throw new NotAVerdict("it is not JSON");
  }
}

function readProblem(
  response: Response,
  kind: string | undefined,
  bytes: Uint8Array,
  secrets: readonly string[],
): Problem | ProtocolError {
  try {
    if (kind === "application/problem+json") {
      const said = new Fields(parse(decode(bytes)));
      const text = (name: string) => plain(said.maybeText(name) ?? "", secrets);
      const after = /^\d{1,9}$/.exec(response.headers.get("retry-after") ?? "");
      const code = plain(said.text("code"), secrets);
      const requestId = text("request_id") || undefined;
      return new Problem(response.status, code, text("detail"), text("fix"), requestId, after ? Number(after[0]) : undefined);
    }
  } catch (error) {
    if (!(error instanceof NotAVerdict)) {
      throw error;
    }
  }
  return new ProtocolError(response.status, "it is neither a verdict nor a problem document");
}

/** A text for a log: bounded, on one line, and without the keys even if a server repeats them. */
function plain(text: string, secrets: readonly string[]): string {
  const clean = secrets.filter(Boolean).reduce((rest, secret) => rest.replaceAll(secret, "…"), text);
  return clean.slice(0, TEXT_MAX).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, " ");
}
