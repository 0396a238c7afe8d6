/**
 * Which TCP sockets belong to which user, so that the demo can cut them: it is what a pulled cable
 * looks like, and neither the server nor the client is told. For demonstrations only.
 */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { bearerOffer } from "@tailwire/protocol";

export class UserSockets {
  readonly #sockets = new Map<string, Set<Socket>>();

  /** Notes whose socket is being upgraded, until it closes. */
  note(request: IncomingMessage, socket: Socket): void {
    const user = userOf(request);
    if (user === null) return;
    const sockets = this.#sockets.get(user) ?? new Set();
    this.#sockets.set(user, sockets);
    sockets.add(socket);
    socket.once("close", () => {
      sockets.delete(socket);
      if (sockets.size === 0 && this.#sockets.get(user) === sockets) this.#sockets.delete(user);
    });
  }

  /** Resets every connection of a user, in the middle of whatever is on its way; gives how many. */
  cut(user: string): number {
    const sockets = [...(this.#sockets.get(user) ?? [])];
    for (const socket of sockets) socket.resetAndDestroy();
    return sockets.length;
  }
}

/** The development policy: a token is the user's name. */
function userOf({ headers }: IncomingMessage): string | null {
  const offers = (headers["sec-websocket-protocol"] ?? "").split(",").map((offer) => offer.trim());
  const offer = bearerOffer(offers);
  return offer === null ? null : Buffer.from(offer, "base64url").toString();
}
