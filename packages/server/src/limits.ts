/**
 * The server's limits, each with its default, its reason, and the code that follows beyond it. Sizes are
 * bytes, durations milliseconds.
 */
import { PROTOCOL_LIMITS } from "@tailwire/protocol";
import {
  type Chosen,
  givenOptions,
  integerFrom,
  type Kinds,
  numberFrom,
} from "./support/given-options.ts";

/** The server's limits: sizes in bytes, durations in milliseconds. `then` names the code that follows. */
export interface Limits {
  /** How often the server pings. Below the idle limit of common proxies, which is 60 s. */
  readonly pingIntervalMs: number;
  /** How long the last allowed ping may stay unanswered before the connection is dropped. */
  readonly pongTimeoutMs: number;
  /** Unanswered pings in a row that drop a connection. */
  readonly missedPongsMax: number;
  /** How long after the upgrade `hello` may take: then 4408. */
  readonly helloTimeoutMs: number;
  /** How long a message may take from its first byte to its last: then 4411. */
  readonly messageMs: number;
  /** How long a close may take before the socket is destroyed. */
  readonly closeTimeoutMs: number;
  /** How long a write may stay unfinished: then 4413. Kernel buffers are outside our memory. */
  readonly stallMs: number;
  /** How long a function of the application may take, `authenticate` included. */
  readonly hookMs: number;
  /** How long a request may take: then `timeout`. */
  readonly requestMs: number;
  /** How long after its end a token still counts, so that a fresh one can arrive: then 4410. */
  readonly expiryGraceMs: number;
  /** How long an older connection of a session stays beside a newer one that asked for it. */
  readonly overlapMs: number;
  /** Messages of one connection per second, in the long run: beyond it its socket isn't read. */
  readonly messagesPerSecond: number;
  /**
   * Bytes of one connection per second, in the long run: beyond it its socket isn't read. A large text
   * takes up to 50 ns a byte to judge, so one connection takes less than a tenth of a core.
   */
  readonly bytesPerSecond: number;
  /** WebSocket pings and pongs of one connection within ten seconds: then 4429. */
  readonly controlFramesMax: number;
  /** Seconds by which a connection may run ahead of both rates [FLOW-5]. */
  readonly burstSeconds: number;
  /**
   * How long a channel remembers a publisher after its last publication at least, so that each is logged
   * once. Longer than a copy may be on its way: `missedPongsMax` × `pingIntervalMs` + `pongTimeoutMs` +
   * `hookMs` + `appendMs`.
   */
  readonly dedupeMs: number;
  /** Publishers remembered per channel: then `rate_limited`, never a forgotten one. */
  readonly producersMax: number;
  /** How long an append may take: then `indeterminate`. */
  readonly appendMs: number;
  /** Publications of a session to a channel that may be sent while the oldest of them isn't settled. */
  readonly window: number;
  /** Connections of one node: then 503. Each takes kilobytes and a file descriptor. */
  readonly connectionsMax: number;
  /** Connections of one address, or of one IPv6 /64, that haven't said hello: then 503. */
  readonly newcomersPerAddressMax: number;
  /** How long a ticket lets somebody in. */
  readonly ticketMs: number;
  /** Tickets that wait to be used: then no more are issued. */
  readonly ticketsMax: number;
  /** Subscriptions of one connection: then `limit_exceeded`. */
  readonly subscriptionsMax: number;
  /** One WebSocket message from a client: then 1009. */
  readonly messageBytesMax: number;
  /** Malformed messages on one connection: then 4400. */
  readonly badMessagesMax: number;
  /** Answers waiting on one connection: then its socket isn't read until they have left. */
  readonly controlBytesMax: number;
  /** Bytes that one connection's requests in progress may hold: then its socket isn't read. */
  readonly requestBytesMax: number;
  /** Bytes that are written to one connection per turn; a slice is at most this, or one publication. */
  readonly flushBytesMax: number;
  /** The end of a channel's log that a node keeps ready to send; what lies before is read. */
  readonly tailBytesMax: number;
}

/** The limits where an application gives no others. */
export const DEFAULT_LIMITS: Limits = {
  pingIntervalMs: 25_000,
  pongTimeoutMs: 10_000,
  missedPongsMax: 2,
  helloTimeoutMs: 10_000,
  messageMs: 10_000,
  closeTimeoutMs: 5_000,
  stallMs: 15_000,
  hookMs: 5_000,
  requestMs: 30_000,
  expiryGraceMs: 5_000,
  overlapMs: 30_000,
  messagesPerSecond: 1_000,
  bytesPerSecond: 1_572_864,
  controlFramesMax: 10,
  burstSeconds: 5,
  dedupeMs: 120_000,
  producersMax: 65_536,
  appendMs: 10_000,
  window: 256,
  connectionsMax: 50_000,
  newcomersPerAddressMax: 1_000,
  ticketMs: 30_000,
  ticketsMax: 100_000,
  subscriptionsMax: 256,
  messageBytesMax: PROTOCOL_LIMITS.messageBytesMax,
  badMessagesMax: 3,
  controlBytesMax: 65_536,
  requestBytesMax: 262_144,
  flushBytesMax: 65_536,
  tailBytesMax: 1_048_576,
};

/** `Deadlines` are up to a quarter of a second late, so a heartbeat must be slower than that. */
const HEARTBEAT_MS_MIN = 250;

/** The largest wait of a platform's timer, 24.8 days, and the largest message of `ws`. */
const INT_MAX = 2_147_483_647;

/** Rates may have fractions; all other limits are integers. */
const RATE = numberFrom(1, Number.MAX_SAFE_INTEGER);
const COUNT = integerFrom(1, Number.MAX_SAFE_INTEGER);
const DURATION = integerFrom(1, INT_MAX);
const HEARTBEAT = integerFrom(HEARTBEAT_MS_MIN, INT_MAX);

const LIMITS: Kinds<Limits> = {
  pingIntervalMs: HEARTBEAT,
  pongTimeoutMs: HEARTBEAT,
  missedPongsMax: COUNT,
  helloTimeoutMs: DURATION,
  messageMs: HEARTBEAT,
  closeTimeoutMs: DURATION,
  stallMs: DURATION,
  hookMs: DURATION,
  requestMs: DURATION,
  expiryGraceMs: DURATION,
  overlapMs: DURATION,
  messagesPerSecond: RATE,
  bytesPerSecond: RATE,
  burstSeconds: RATE,
  dedupeMs: DURATION,
  producersMax: COUNT,
  appendMs: DURATION,
  window: COUNT,
  connectionsMax: COUNT,
  newcomersPerAddressMax: COUNT,
  ticketMs: DURATION,
  ticketsMax: COUNT,
  subscriptionsMax: COUNT,
  messageBytesMax: integerFrom(1, INT_MAX),
  badMessagesMax: COUNT,
  controlFramesMax: COUNT,
  controlBytesMax: COUNT,
  requestBytesMax: COUNT,
  flushBytesMax: COUNT,
  tailBytesMax: COUNT,
};

/**
 * The defaults with an application's own limits in place.
 *
 * @throws TypeError for an unknown name; RangeError when a limit is no positive number, a duration is
 * longer than 24.8 days, the heartbeat is faster than 250 ms, or a publisher may be forgotten while one of
 * its publications is still on its way.
 */
export function limitsOf(own: Chosen<Limits> = {}): Limits {
  const limits = { ...DEFAULT_LIMITS, ...givenOptions<Limits>("limits", own, LIMITS) };
  requireMemory(limits);
  return limits;
}

/**
 * A copy that is read after its publisher was forgotten is appended twice: unread, it lasts until the
 * heartbeat ends its connection, and then as long as the hook and the broker may take.
 */
function requireMemory(limits: Limits): void {
  const { missedPongsMax, pingIntervalMs, pongTimeoutMs, hookMs, appendMs, dedupeMs } = limits;
  const onItsWayMs = missedPongsMax * pingIntervalMs + pongTimeoutMs + hookMs + appendMs;
  if (dedupeMs > onItsWayMs) return;
  throw new RangeError(
    `limits.dedupeMs is ${dedupeMs}, but a publication may be on its way for ${onItsWayMs} ms ` +
      "(missedPongsMax × pingIntervalMs + pongTimeoutMs + hookMs + appendMs): raise dedupeMs, or lower those",
  );
}
