/**
 * The one class of error that tailwire gives to applications. Its code is stable; its text isn't.
 */
import { describe } from "#words";
import { ERROR_CODES, type ErrorCode } from "./codes.ts";
import { type Fault, type LocalErrorCode, localTraits } from "./local-codes.ts";

/** Every promise rejects with one of these, or with the `reason` of the signal that was passed. */
export class TailwireError extends Error {
  override readonly name = "TailwireError";
  /** Stable: decide by this, never by the message. An application's own codes pass through. */
  declare readonly code: string;
  /** For a developer: the cause, and the remedy. It may change between versions. */
  declare readonly description: string;
  /** Whose mistake it is: the caller's, or the server's and its application's. */
  declare readonly fault: Fault;
  /** Whether the same call may succeed later. */
  declare readonly retry: boolean;
  /** Milliseconds to wait before that; null where the server doesn't say. */
  declare readonly retryAfterMs: number | null;

  /** `retryAfterMs` is in milliseconds. The message is `code: description`. */
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

/** An error with the entry of {@link ERROR_CODES}. The detail follows its description, in brackets. */
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
 * An error that a client's library makes by itself, or the one that a server has closed it with. A
 * browser's production bundle has the detail for a description, or where to look: see `words-short.ts`.
 */
export function localError(code: LocalErrorCode, detail?: string): TailwireError {
  return new TailwireError({ code, description: describe(code, detail), ...localTraits(code) });
}

/** A thrown value's text: an Error's message, else `String(error)`. It never throws. */
export function wordsOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error);
  } catch {
    return "?";
  }
}
