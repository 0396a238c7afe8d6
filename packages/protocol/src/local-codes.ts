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

/** The caller's to mend, and the same again won't do. */
const MEND: ErrorTraits = { fault: "client", retry: false };

export const LOCAL_ERROR_CODES = {
  bad_message: MEND,
  bad_channel: MEND,
  bad_position: MEND,
  too_large: MEND,
  invalid_data: MEND,
  unauthenticated: MEND,
  timeout: { fault: "server", retry: false },
  indeterminate: { fault: "server", retry: false },
  closed: MEND,
  outbox_full: { fault: "client", retry: true },
  ttl_expired: MEND,
} as const satisfies Record<string, ErrorTraits>;

export type LocalErrorCode = keyof typeof LOCAL_ERROR_CODES;
