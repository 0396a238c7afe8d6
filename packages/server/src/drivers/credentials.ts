/** Where an upgrade carries what lets it in: a token or a ticket. It judges neither. */
import type { IncomingMessage } from "node:http";
import { bearerOffer } from "@tailwire/protocol";

/** The subprotocols that are offered, best first. */
export function offersOf(request: IncomingMessage): readonly string[] {
  const header = request.headers["sec-websocket-protocol"] ?? "";
  return header.split(",").map((offer) => offer.trim());
}

/** The token of the Authorization header, or of a subprotocol offer [AUTH-1] [AUTH-2]. */
export function tokenOf(request: IncomingMessage): string | null {
  const bearer = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? "")?.[1];
  if (bearer !== undefined) return bearer;
  const offer = bearerOffer(offersOf(request));
  return offer === null ? null : Buffer.from(offer, "base64url").toString();
}

/** The query's value under a name: a token [AUTH-10], or a ticket [AUTH-13]. */
export function fromQuery(request: IncomingMessage, name: "token" | "ticket"): string | null {
  const query = (request.url ?? "").split("?", 2)[1];
  return query === undefined ? null : new URLSearchParams(query).get(name);
}
