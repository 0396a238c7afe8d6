/**
 * The limits that both sides know, each with its reason. Limits of the server alone are beside it.
 *
 * Sizes are bytes of the encoded form, durations milliseconds.
 */

/** Those that a client's library looks at: apart, so that a browser isn't sent the others. */
export const MESSAGE_LIMITS = {
  /** One WebSocket message, however many protocol messages it carries: what a peer must buffer. */
  messageBytesMax: 65_536,
  /** What a connection may send before `welcome`, while nobody knows yet who it is. */
  firstBytesMax: 16_384,
  /** Protocol messages in one WebSocket message, so that parsing one stays short. */
  batchMax: 1_024,
  /** Nesting of a message and its data: parsers and printers of all languages can take it. */
  depthMax: 64,
  /** A channel's name: fits a Redis key and a NATS subject after encoding. */
  channelLengthMax: 200,
  /** A token: longer ones cost more to check than they can be worth. */
  tokenLengthMax: 8_192,
  /** An event's name, and a request's. */
  eventLengthMax: 64,
  /** A publication's id: its producer's id and the request's. */
  publicationIdLengthMax: 128,
  /** An epoch's name. Opaque, made by the broker. */
  epochLengthMax: 64,
  /** A rewind by count: more is a job for `earliest`. */
  rewindCountMax: 1_000_000,
  /** Publications of a page: more is a job for several. Bytes are limited as well, by the server. */
  pageCountMax: 1_000,
} as const;

export const PROTOCOL_LIMITS = {
  ...MESSAGE_LIMITS,
  /** Keys of one message, its data aside. */
  keysMax: 32,
  /** Values of a client's message as MessagePack, keys included: each is slow to make. */
  valuesMax: 1_024,
  /** A request's id: a random part and a counter. */
  idLengthMax: 64,
  /** A session's secret: 16 characters of base64url are 96 bits. */
  sessionLengthMin: 16,
  sessionLengthMax: 64,
  /** A close reason, by RFC 6455 §5.5: 125 bytes less the code. */
  closeReasonBytesMax: 123,
} as const;
