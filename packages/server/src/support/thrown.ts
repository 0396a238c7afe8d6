/**
 * Whatever was thrown, as an error that can be handled: JavaScript throws anything, and what an application
 * throws may have come from a client. It doesn't know who threw it, nor what becomes of it.
 */
import { fits, SERVER_MESSAGES, TailwireError, utf8Truncate } from "@tailwire/protocol";

/** A description, as `error` and `unsubscribed` take it. */
const DESCRIPTION_BYTES_MAX = 1_024;

/** Characters that are kept of a thrown value's own words. */
const WORDS_MAX = 256;

/**
 * The thrown value itself where it is an error that can be read, else an error in its place. A
 * `TailwireError` is one whose fields fit a message. This never throws.
 */
export function errorOf(thrown: unknown): Error {
  try {
    if (thrown instanceof TailwireError) return sound(thrown);
    if (thrown instanceof Error) {
      // A getter that throws must do so here, and not where the error is logged.
      const { name, message, stack = "" } = thrown;
      if ([name, message, stack].every((text) => typeof text === "string")) return thrown;
      return new Error("an Error was thrown whose name, message or stack is no text");
    }
    return new Error(String(thrown).slice(0, WORDS_MAX));
  } catch {
    return new Error("something was thrown that can't be turned into text");
  }
}

/** The same error as it may travel, or one that says which of its fields doesn't fit. */
function sound(error: TailwireError): Error {
  const { code, description, fault, retry, retryAfterMs } = error;
  const details: Record<(typeof TRAVELLING)[number], unknown> = {
    code,
    description:
      typeof description === "string"
        ? utf8Truncate(description, DESCRIPTION_BYTES_MAX)
        : description,
    fault,
    retry,
    retryAfterMs: retryAfterMs === null ? undefined : wholeMs(retryAfterMs),
  };
  const misfit = TRAVELLING.find((name) => !fits(details[name], SERVER_MESSAGES.error[name]));
  if (misfit !== undefined) return new Error(`a TailwireError was thrown whose ${misfit} is unfit`);
  const same =
    details.description === description && details.retryAfterMs === (retryAfterMs ?? undefined);
  return same
    ? error
    : new TailwireError(details as ConstructorParameters<typeof TailwireError>[0]);
}

const TRAVELLING = ["code", "description", "fault", "retry", "retryAfterMs"] as const;

/** Computed waits have fractions, and lie in the past at times. NaN and Infinity stay what they are. */
function wholeMs(ms: unknown): unknown {
  if (!Number.isFinite(ms)) return ms;
  return Math.min(Math.max(0, Math.ceil(ms as number)), Number.MAX_SAFE_INTEGER);
}
