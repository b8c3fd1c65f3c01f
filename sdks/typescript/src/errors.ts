// Why there is no verdict. No text here holds a key, nor anything of an answer that was not Keystead's; none has a
// `cause`, which could.

/** There is no verdict: the request must not pass. */
export class KeysteadError extends Error {
  override name = "KeysteadError";
}

/** A setting cannot be used; nothing was sent. */
export class InvalidSetting extends KeysteadError {
  override name = "InvalidSetting";
}

/** No connection, or it broke. */
export class Unreachable extends KeysteadError {
  override name = "Unreachable";
}

/** No whole answer in time. */
export class TimedOut extends KeysteadError {
  override name = "TimedOut";
}

/** Something answered, but not as Keystead does: a proxy, another service, another version. */
export class ProtocolError extends KeysteadError {
  override name = "ProtocolError";

  constructor(
    readonly status: number,
    readonly why: string,
  ) {
    super(`the answer (HTTP ${status}) is not Keystead's: ${why}`);
  }
}

/** Keystead refused the question itself and said why (RFC 9457), such as `forbidden`. */
export class Problem extends KeysteadError {
  override name = "Problem";

  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly fix: string,
    readonly requestId: string | undefined,
    /** In seconds. */
    readonly retryAfter: number | undefined,
  ) {
    super(`${detail} ${fix} (${code}, request ${requestId})`);
  }
}
