/**
 * The error codes that a client's library makes by itself. They are apart from `codes.ts`, which has
 * their descriptions, so that a browser doesn't load the table of all codes.
 */

/** Whose mistake an error is: the client's, or the server's and its application's [ERR-1]. */
export type Fault = "client" | "server";

/** The part of a code's entry that programs decide by. */
export interface ErrorTraits {
  readonly fault: Fault;
  /** Whether the same request may succeed later, unchanged. */
  readonly retry: boolean;
}

export type LocalErrorCode =
  | "bad_message"
  | "bad_channel"
  | "bad_position"
  | "too_large"
  | "invalid_data"
  | "unauthenticated"
  | "timeout"
  | "indeterminate"
  | "closed"
  | "outbox_full"
  | "ttl_expired"
  | "connect_failed"
  | "missing_websocket"
  | "unheard";

/** The default: the caller has to change something before it tries again. */
const MEND: ErrorTraits = { fault: "client", retry: false };

const SERVERS: ErrorTraits = { fault: "server", retry: false };

const OTHERS: { readonly [Code in LocalErrorCode]?: ErrorTraits } = {
  timeout: SERVERS,
  indeterminate: SERVERS,
  outbox_full: { fault: "client", retry: true },
  connect_failed: { fault: "server", retry: true },
};

export function localTraits(code: LocalErrorCode): ErrorTraits {
  return OTHERS[code] ?? MEND;
}
