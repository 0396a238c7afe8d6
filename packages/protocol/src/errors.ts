/**
 * The one class of error that tailwire gives to applications. Its code is stable; its text isn't.
 */
import { ERROR_CODES, type ErrorCode } from "./codes.ts";
import { type Fault, type LocalErrorCode, localTraits } from "./local-codes.ts";

/** Every rejection is one of these, or the `reason` of the signal that was given. */
export class TailwireError extends Error {
  override readonly name = "TailwireError";
  /** Stable: decide by this, never by the message. An application's own codes pass through. */
  declare readonly code: string;
  /** What happened and what to do about it, for a developer. */
  declare readonly description: string;
  declare readonly fault: Fault;
  /** Whether the same call may succeed later. */
  declare readonly retry: boolean;
  /** How long to wait before that, in milliseconds; null where the server doesn't say. */
  declare readonly retryAfterMs: number | null;

  constructor(details: {
    readonly code: string;
    readonly description: string;
    readonly fault: Fault;
    readonly retry: boolean;
    readonly retryAfterMs?: number | undefined;
  }) {
    const { code, description, fault, retry, retryAfterMs = null } = details;
    super(`${code}: ${description}`);
    Object.assign(this, { code, description, fault, retry, retryAfterMs });
  }
}

/** An error from the table, with a detail about this occasion if there is one. */
export function tailwireError(code: ErrorCode, detail?: string): TailwireError {
  const { description, fault, retry } = ERROR_CODES[code];
  return new TailwireError({
    code,
    description: detail === undefined ? description : `${description} (${detail})`,
    fault,
    retry,
  });
}

/**
 * The same for what a client's library makes by itself. A browser isn't sent the descriptions: the
 * code stands in PROTOCOL.md, with what to do about it.
 */
export function localError(code: LocalErrorCode, detail = "see PROTOCOL.md, 11"): TailwireError {
  return new TailwireError({ code, description: detail, ...localTraits(code) });
}

/** The words of whatever was thrown. It may be anything, and refuse to become text. */
export function wordsOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error);
  } catch {
    return "no words";
  }
}
