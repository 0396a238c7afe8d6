/**
 * The protocol's version, and its negotiation by WebSocket subprotocols [VER-1].
 *
 * A client offers every subprotocol it speaks, and the server takes the first one it knows. A browser
 * can't send headers, so its token may be one more offer [AUTH-2].
 */

/** The version that this package speaks; part of each subprotocol's name [VER-1]. */
export const PROTOCOL_VERSION = 1;

/** Protocol v1 as JSON in text messages. Every server speaks it [VER-1]. */
export const SUBPROTOCOL_JSON = "tailwire.v1.json";

/** Protocol v1 as MessagePack in binary messages. A server may leave it out [VER-6]. */
export const SUBPROTOCOL_MSGPACK = "tailwire.v1.msgpack";

/** A value of `Sec-WebSocket-Protocol` that a server may choose. */
export type Subprotocol = typeof SUBPROTOCOL_JSON | typeof SUBPROTOCOL_MSGPACK;

/** Begins an offer that is a token: `tailwire.bearer.<base64url>`. Never chosen, never echoed [AUTH-2]. */
export const BEARER_PREFIX = "tailwire.bearer.";

/** The supporter of the first offer that has one, or null [VER-2] [VER-5]. */
export function chooseSubprotocol<Supported extends { readonly subprotocol: Subprotocol }>(
  offers: Iterable<string>,
  supported: readonly Supported[],
): Supported | null {
  for (const offer of offers) {
    const known = supported.find(({ subprotocol }) => subprotocol === offer);
    if (known !== undefined) return known;
  }
  return null;
}

/** The token among the offers, still as base64url and unchecked, or null [AUTH-2]. */
export function bearerOffer(offers: Iterable<string>): string | null {
  for (const offer of offers) {
    if (offer.startsWith(BEARER_PREFIX)) return offer.slice(BEARER_PREFIX.length);
  }
  return null;
}
