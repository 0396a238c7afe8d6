/**
 * Error codes and close codes: one table each, one meaning each.
 *
 * A code says whose fault it is and whether trying again can help. Nobody reads the descriptions
 * but people; the tables in PROTOCOL.md are generated from here.
 */

export type Fault = "client" | "server";

interface ErrorCodeEntry {
  readonly fault: Fault;
  /** Whether the same request may succeed later, unchanged. */
  readonly retry: boolean;
  /** What happened and what to do, for a developer. */
  readonly description: string;
}

/** Every error code. Those marked "client library" never travel: they reject a local promise. */
export const ERROR_CODES = {
  bad_message: {
    fault: "client",
    retry: false,
    description: "The message is malformed. Compare it with PROTOCOL.md.",
  },
  bad_channel: {
    fault: "client",
    retry: false,
    description:
      "The channel name breaks the grammar: letters, digits and _@+=,~!.- between : and /.",
  },
  bad_position: {
    fault: "client",
    retry: false,
    description: "The position is malformed. Send back positions exactly as they were received.",
  },
  too_large: {
    fault: "client",
    retry: false,
    description: "The message is larger than the limit that welcome names. Send less at once.",
  },
  invalid_data: {
    fault: "client",
    retry: false,
    description: "The data isn't a JSON value, or is nested too deeply.",
  },
  unauthenticated: {
    fault: "client",
    retry: false,
    description: "The token is missing or was refused. Get a fresh one, then connect again.",
  },
  forbidden: {
    fault: "client",
    retry: false,
    description: "Not allowed here, or there is no such channel.",
  },
  not_ready: {
    fault: "client",
    retry: false,
    description: "The first message must be hello, and there is only one.",
  },
  already_subscribed: {
    fault: "client",
    retry: false,
    description: "This connection already follows the channel. Unsubscribe first.",
  },
  not_subscribed: {
    fault: "client",
    retry: false,
    description: "This connection doesn't follow the channel.",
  },
  limit_exceeded: {
    fault: "client",
    retry: false,
    description: "The connection has as many subscriptions as it may.",
  },
  id_conflict: {
    fault: "client",
    retry: false,
    description: "This id was used for another publication. Ids must never be reused.",
  },
  fenced: {
    fault: "client",
    retry: false,
    description: "A newer connection of this session has published. This one is out of date.",
  },
  rate_limited: {
    fault: "client",
    retry: true,
    description: "Too much at once. Wait, then send the same again.",
  },
  expired: {
    fault: "server",
    retry: true,
    description: "The append didn't start in time and certainly didn't happen. Send it again.",
  },
  unavailable: {
    fault: "server",
    retry: true,
    description: "The broker can't be reached. Nothing was done; send the same again later.",
  },
  indeterminate: {
    fault: "server",
    retry: false,
    description: "Nobody can know any more whether this was done. Look before doing it again.",
  },
  internal: {
    fault: "server",
    retry: false,
    description: "The server failed. Its log says why.",
  },
  closed: {
    fault: "client",
    retry: false,
    description: "The client was closed before this was done. (client library)",
  },
  outbox_full: {
    fault: "client",
    retry: true,
    description: "Too many publications wait to be acknowledged. Slow down. (client library)",
  },
} as const satisfies Record<string, ErrorCodeEntry>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** What a close means for the client: come back, or stay away. */
export type Verdict = "reconnect" | "fatal";

interface CloseCodeEntry {
  readonly code: number;
  readonly meaning: string;
}

/**
 * Every close code that tailwire sends. The range carries the verdict, so that a client needs no
 * table: see {@link verdictOf}.
 */
export const CLOSE_CODES = {
  done: { code: 1000, meaning: "The connection has served its purpose." },
  too_large: { code: 1009, meaning: "A WebSocket message was over the limit." },
  restarting: { code: 1012, meaning: "This node stops. Connect again, perhaps to another." },
  bad_message: { code: 4400, meaning: "Three messages were malformed." },
  hello_timeout: { code: 4408, meaning: "No hello came in time." },
  heartbeat_timeout: { code: 4409, meaning: "Several pings in a row weren't answered." },
  slow_consumer: { code: 4413, meaning: "What was written didn't leave in time." },
  unauthenticated: { code: 4501, meaning: "The token is missing or was refused." },
  protocol_violation: { code: 4502, meaning: "The conversation broke the protocol's order." },
} as const satisfies Record<string, CloseCodeEntry>;

export type CloseName = keyof typeof CLOSE_CODES;

/** Standard codes that are final; 1006 and unknown ones come from broken networks and proxies. */
const FATAL_STANDARD_CODES: ReadonlySet<number> = new Set([1000]);

/** What a close code means for the client [CLOSE-1]: 4500–4999 and 1000 are final. */
export function verdictOf(code: number): Verdict {
  if (code >= 4500 && code <= 4999) return "fatal";
  return FATAL_STANDARD_CODES.has(code) ? "fatal" : "reconnect";
}
