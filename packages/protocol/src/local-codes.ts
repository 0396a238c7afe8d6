/**
 * The error codes that a client's library makes by itself. They stand apart from the others so that
 * a browser is sent no table of what only servers say; the descriptions are in `codes.ts`.
 */

export type Fault = "client" | "server";

/** What is to be known of a code at run time. */
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
  | "ttl_expired";

/** Most are the caller's to mend, and the same again won't do. */
const MEND: ErrorTraits = { fault: "client", retry: false };

const OTHERS: { readonly [Code in LocalErrorCode]?: ErrorTraits } = {
  timeout: { fault: "server", retry: false },
  indeterminate: { fault: "server", retry: false },
  outbox_full: { fault: "client", retry: true },
};

export function localTraits(code: LocalErrorCode): ErrorTraits {
  return OTHERS[code] ?? MEND;
}
