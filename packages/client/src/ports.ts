/**
 * What the client's core is given instead of a platform. Drivers implement it for browsers and
 * Node, the simulator for simulated links.
 */
import type { Clock, Random } from "@tailwire/protocol";

/** One WebSocket, from the moment it begins to connect. */
export interface Socket {
  send(text: string): void;
  /** Begins to close. Nothing is heard of it by {@link SocketEvents} unless the socket says so. */
  close(code: number, reason: string): void;
}

/** What a socket says. After `closed` it says nothing more. */
export interface SocketEvents {
  opened(): void;
  received(text: string): void;
  closed(code: number, reason: string): void;
}

export interface Ports {
  readonly clock: Clock;
  readonly random: Random;
  /** Begins to connect. It must not call back before it has returned. */
  connect(url: string, subprotocols: readonly string[], events: SocketEvents): Socket;
  /** The base64url form of a text, UTF-8 encoded. */
  base64url(text: string): string;
}
