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

export const LOCAL_ERROR_CODES = {
  bad_channel: {
    fault: "client",
    retry: false,
  },
  too_large: {
    fault: "client",
    retry: false,
  },
  invalid_data: {
    fault: "client",
    retry: false,
  },
  unauthenticated: {
    fault: "client",
    retry: false,
  },
  timeout: {
    fault: "server",
    retry: false,
  },
  indeterminate: {
    fault: "server",
    retry: false,
  },
  closed: {
    fault: "client",
    retry: false,
  },
  outbox_full: {
    fault: "client",
    retry: true,
  },
  ttl_expired: {
    fault: "client",
    retry: false,
  },
} as const satisfies Record<string, ErrorTraits>;

export type LocalErrorCode = keyof typeof LOCAL_ERROR_CODES;
