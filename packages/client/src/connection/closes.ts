/** How a client closes, and what it makes of being closed, or of not getting through. */
import { type CLOSE_CODES, localError, type TailwireError } from "@tailwire/protocol";

/** The codes that a client uses, held to the protocol's table by their type: browsers aren't sent it. */
export const CLOSES: {
  readonly [
    Name in "done" | "heartbeat_timeout" | "unauthenticated"
  ]: (typeof CLOSE_CODES)[Name]["code"];
} = { done: 1000, heartbeat_timeout: 4409, unauthenticated: 4501 };

/** The code for a publication that made the server close [CLOSE-6]. */
export type Blame = "too_large" | "invalid_data";

/** The closes that are about what was sent: too large, no UTF-8, malformed. */
export const BLAMES: Readonly<Record<number, Blame>> = {
  1007: "invalid_data",
  1009: "too_large",
  4400: "invalid_data",
};

/** Why it was closed, in a word. 1006 isn't sent: it says that nothing was. */
export function reasonOf(code: number, reason: string, wasOpen: boolean): string {
  if (reason !== "") return reason;
  if (!wasOpen) return "connect_failed";
  return code === 1006 ? "connection_lost" : `closed_${code}`;
}

/** Why a connection couldn't be made, or was lost. */
export interface Failure {
  /** A word for programs, as `ConnectionStatus.reason` has it. */
  readonly reason: string;
  /** The same for people, as far as anybody has said it. */
  readonly words?: string | undefined;
}

/** The error of an attempt that failed: the word first, then the address. Tokens stand in queries. */
export function failureError(url: string, failure: Failure | null): TailwireError {
  const { reason = "", words = "" } = failure ?? {};
  return localError(
    "connect_failed",
    `${reason} at ${url.split("?", 1)[0]}${words && `: ${words}`}`,
  );
}

/** Why nothing can be asked any more: the client was closed here, or by the server for good. */
export function overError(refusal: Failure | null): TailwireError {
  const { reason = "closed", words } = refusal ?? {};
  // A reason may have a detail behind its name [CLOSE-3].
  const code = reason.split(":", 1)[0] as Parameters<typeof localError>[0];
  return localError(code, words);
}
