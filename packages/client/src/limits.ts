/**
 * The client's limits, each with its reason. Durations are milliseconds. They are exported one by
 * one, and used by the name of all of them: then a browser is sent numbers, and no names.
 */

/** The first wait before a reconnect; it doubles with each failure, and a dice shortens it. */
export const backoffMinMs = 1_000;

/** The longest wait before a reconnect. */
export const backoffMaxMs = 30_000;

/** Refusals in a row that make a publication wait longer: what gets too old isn't sent [PUB-6]. */
export const refusalsMax = 6;

/** Failures in a row after which a developer is told: a network that has gone and come back is none. */
export const failuresUntold = 3;

/** How long a connection must have been up for the waits to begin anew. */
export const stableMs = 10_000;

/** How long a connection may take, up to `welcome`. */
export const connectMs = 15_000;

/** How long before its end a token is renewed, where it lives for twice that. */
export const renewalMs = 30_000;

/** The shortest heartbeat that is believed, so that no server makes a client ping in a storm. */
export const heartbeatMinMs = 1_000;

/** How long `close()` waits for what was published and asked. */
export const closeMs = 5_000;

/** How long a request waits for its answer, where nobody says otherwise. */
export const requestMs = 30_000;

/** Publications of a page, where nobody says otherwise. */
export const pageCount = 100;

/** Publications that wait to be acknowledged: then `outbox_full`. */
export const outboxCountMax = 10_000;

/** Bytes of their data, as UTF-16 units: then `outbox_full`. */
export const outboxLengthMax = 4_194_304;

/** Bytes that a repeat adds to a publication's encoding, at most: 111, and numbers grow longer. */
export const repeatBytesMax = 128;

/** Publications a subscriber may have waiting; then it takes no more until half are handled. */
export const waitingMax = 4_096;
