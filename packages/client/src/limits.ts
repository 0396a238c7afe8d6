/** The client's limits, each with its reason. Durations are milliseconds. */
export const CLIENT_LIMITS = {
  /** The first wait before a reconnect; it doubles with each failure, and a dice shortens it. */
  backoffMinMs: 1_000,
  /** The longest wait before a reconnect. */
  backoffMaxMs: 30_000,
  /** Refusals in a row that make a publication wait longer: what gets too old isn't sent [PUB-6]. */
  refusalsMax: 6,
  /** How long a connection must have been up for the waits to begin anew. */
  stableMs: 10_000,
  /** How long a connection may take, up to `welcome`. */
  connectMs: 15_000,
  /** How long before its end a token is renewed, where it lives for twice that. */
  renewalMs: 30_000,
  /** The shortest heartbeat that is believed, so that no server makes a client ping in a storm. */
  heartbeatMinMs: 1_000,
  /** How long `close()` waits for what was published and asked. */
  closeMs: 5_000,
  /** How long a request waits for its answer, where nobody says otherwise. */
  requestMs: 30_000,
  /** Publications of a page, where nobody says otherwise. */
  pageCount: 100,
  /** Publications that wait to be acknowledged: then `outbox_full`. */
  outboxCountMax: 10_000,
  /** Bytes of their data, as UTF-16 units: then `outbox_full`. */
  outboxLengthMax: 4_194_304,
  /** What a repeat adds to a publication's encoding, at most: 111 bytes, and clocks grow longer. */
  repeatBytesMax: 128,
  /** Publications a subscriber may have waiting; then it takes no more until half are handled. */
  waitingMax: 4_096,
} as const;

/** What is assumed of the server until its first `welcome`: the defaults of the protocol's servers. */
export const ASSUMED_SERVER_LIMITS = {
  messageBytesMax: 65_536,
  subscriptionsMax: 256,
  dedupeMs: 120_000,
  appendMs: 10_000,
} as const;
