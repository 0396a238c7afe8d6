/**
 * The protocol's version and its negotiation, which happens in the WebSocket subprotocol.
 *
 * A client offers every subprotocol it speaks, and the server takes the first one it knows. A
 * token may ride along as one more offer, because browsers can send no headers.
 */

/** The version this package speaks. */
export const PROTOCOL_VERSION = 1;

/** Protocol v1 as JSON in text messages. */
export const SUBPROTOCOL_JSON = "tailwire.v1.json";

/** Protocol v1 as MessagePack in binary messages. */
export const SUBPROTOCOL_MSGPACK = "tailwire.v1.msgpack";

export type Subprotocol = typeof SUBPROTOCOL_JSON | typeof SUBPROTOCOL_MSGPACK;

/** Marks an offer that carries a token: `tailwire.bearer.<base64url>`. Never chosen, never echoed. */
export const BEARER_PREFIX = "tailwire.bearer.";

/** The first offer that is supported: what supports it, or null [VER-2]. */
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

/** The base64url text of the token among the offers, or null [AUTH-2]. */
export function bearerOffer(offers: Iterable<string>): string | null {
  for (const offer of offers) {
    if (offer.startsWith(BEARER_PREFIX)) return offer.slice(BEARER_PREFIX.length);
  }
  return null;
}
