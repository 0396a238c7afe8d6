/** Asking the application for a token. Whatever it does instead of giving one, it hasn't given one. */
import { PROTOCOL_LIMITS, type PlatformSignal, wordsOf } from "@tailwire/protocol";
import type { AbortControllerLike } from "../ports.ts";
import type { Scope } from "./scope.ts";

export type GetToken = (options: { readonly signal: PlatformSignal }) => string | Promise<string>;

/**
 * Asks, and calls back with the token, or null where none came, and perhaps why in words; never once
 * the scope has ended.
 */
export type AskToken = (answered: (token: string | null, words?: string) => void) => void;

export function askForToken(
  getToken: GetToken,
  abort: AbortControllerLike,
  scope: Scope,
  answered: Parameters<AskToken>[0],
): void {
  const forget = scope.onEnd(() => abort.abort());
  const answer = (token: unknown, words?: string): void => {
    if (abort.signal.aborted) return;
    forget();
    answered(isToken(token) ? token : null, words);
  };
  // Within a promise, so that what it throws is a token that didn't come.
  new Promise((resolve) => resolve(getToken({ signal: abort.signal }))).then(answer, (error) =>
    answer(null, wordsOf(error)),
  );
}

/** Whether a connection can be made with it. A lone surrogate would arrive as another character. */
function isToken(token: unknown): token is string {
  return (
    typeof token === "string" &&
    token !== "" &&
    token.length <= PROTOCOL_LIMITS.tokenLengthMax &&
    !/\p{Surrogate}/u.test(token)
  );
}
