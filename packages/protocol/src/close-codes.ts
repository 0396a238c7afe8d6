/** Close codes: each has one meaning, and its range is the verdict [CLOSE-1]. */

/** A close's consequence for the client: connect again, or give up for good [CLOSE-1]. */
export type Verdict = "reconnect" | "fatal";

interface CloseCodeEntry {
  readonly code: number;
  readonly meaning: string;
}

/**
 * Every close code that tailwire sends (PROTOCOL.md, 10). Clients don't need this table:
 * {@link verdictOf} judges a code by its range.
 */
export const CLOSE_CODES = {
  done: { code: 1000, meaning: "The connection has served its purpose." },
  too_large: { code: 1009, meaning: "A WebSocket message was over the limit." },
  internal: { code: 1011, meaning: "The server failed here. Its log says why." },
  restarting: { code: 1012, meaning: "This node stops. Connect again, perhaps to another." },
  bad_message: { code: 4400, meaning: "Three messages were malformed." },
  hello_timeout: { code: 4408, meaning: "No hello came in time." },
  heartbeat_timeout: { code: 4409, meaning: "Several pings in a row weren't answered." },
  token_expired: { code: 4410, meaning: "The token has ended, and no fresh one came in time." },
  message_timeout: { code: 4411, meaning: "A message wasn't complete in time." },
  slow_consumer: { code: 4413, meaning: "What was written didn't leave in time." },
  rate_limited: { code: 4429, meaning: "Far too much at once, for too long." },
  unauthenticated: { code: 4501, meaning: "The token is missing or was refused." },
  protocol_violation: { code: 4502, meaning: "The conversation broke the protocol's order." },
  identity_changed: { code: 4503, meaning: "The token was another user's than before." },
  disconnected: { code: 4504, meaning: "The application has ended this user's connections." },
  superseded: { code: 4509, meaning: "A newer connection of this session has taken over." },
  session_in_use: { code: 4510, meaning: "Another connection has this session and generation." },
} as const satisfies Record<string, CloseCodeEntry>;

/** A close code's name, which begins the reason of the close [CLOSE-3]. */
export type CloseName = keyof typeof CLOSE_CODES;

/** A code's verdict [CLOSE-1]: 4500–4999 are fatal, all others mean reconnect. */
export function verdictOf(code: number): Verdict {
  // Only a tailwire server sends codes of that range. Proxies may send any other code.
  return code >= 4500 && code <= 4999 ? "fatal" : "reconnect";
}
