/**
 * The limits that both sides know, each with its reason, in the order of the alphabet. The server's
 * own limits are in its package. Each is one export, so that a browser loads only those it needs.
 *
 * Sizes are bytes of the encoded form, durations milliseconds.
 */

/** Protocol messages in one WebSocket message, so that parsing one stays short. */
export const batchMax = 1_024;

/** A channel's name: fits a Redis key and a NATS subject after encoding. */
export const channelLengthMax = 200;

/** A close reason, by RFC 6455 §5.5: 125 bytes less the code. */
export const closeReasonBytesMax = 123;

/** Nesting of a message and its data: parsers and printers of all languages can take it. */
export const depthMax = 64;

/** An epoch's name. Opaque, made by the broker. */
export const epochLengthMax = 64;

/** An event's name, and a request's. */
export const eventLengthMax = 64;

/** Bytes that a connection may send before `welcome`, while its user isn't known [CONN-4]. */
export const firstBytesMax = 16_384;

/** A request's id: a random part and a counter. */
export const idLengthMax = 64;

/** Keys of one message, its data aside. */
export const keysMax = 32;

/** One WebSocket message, however many protocol messages it carries: what a peer must buffer. */
export const messageBytesMax = 65_536;

/** Publications of a page: more is a job for several. Bytes are limited as well, by the server. */
export const pageCountMax = 1_000;

/** A publication's id: its producer's id and the request's. */
export const publicationIdLengthMax = 128;

/** A rewind by count: more is a job for `earliest`. */
export const rewindCountMax = 1_000_000;

/** A session's secret: 16 characters of base64url are 96 bits. */
export const sessionLengthMax = 64;

/** A session's secret: 16 characters of base64url are 96 bits. */
export const sessionLengthMin = 16;

/** A token: longer ones cost more to check than they can be worth. */
export const tokenLengthMax = 8_192;

/** Values of a client's message as MessagePack, keys included: each is slow to make. */
export const valuesMax = 1_024;
