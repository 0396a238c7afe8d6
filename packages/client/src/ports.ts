/**
 * Dependencies of the client's core, in place of a platform. Drivers implement it for browsers and
 * Node, the simulator for simulated links.
 */
import type { PlatformSignal, Cancel, Clock, Random, Encoded } from "@tailwire/protocol";

/** The standard's WebSocket, or that of `ws`. */
export type WebSocketClass = new (url: string, subprotocols: string[]) => object;

/** One WebSocket, from the moment it begins to connect. */
export interface Socket {
  send(wire: Encoded): void;
  /** Begins to close. Nothing is heard of it by {@link SocketEvents} unless the socket says so. */
  close(code: number, reason: string): void;
}

/** The events of a socket. None comes after `closed`. */
export interface SocketEvents {
  /** With the subprotocol that the server has chosen. */
  opened(subprotocol: string): void;
  received(wire: Encoded): void;
  /** `words` are for people: why it couldn't be opened, as far as the platform says. */
  closed(code: number, reason: string, words?: string): void;
}

/**
 * The events of a platform's life, where it has one:
 *
 * - `"offline"`, `"online"`: there is no network, there is one again.
 * - `"pagehide"`, `"pageshow"`: the page is left, perhaps for the back/forward cache, and back.
 * - `"wake"`: it can be seen again, or was frozen and goes on. Becoming hidden is no event, since
 *   nothing has to be done about it.
 */
export type LifeEvent = "offline" | "online" | "pagehide" | "pageshow" | "wake";

/** As much of an AbortController as the client needs. */
export interface AbortControllerLike {
  readonly signal: PlatformSignal;
  abort(): void;
}

export interface Ports {
  readonly clock: Clock;
  readonly random: Random;
  /** Begins to connect. It must not call back before it has returned. */
  connect(url: string, subprotocols: readonly string[], events: SocketEvents): Socket;
  /** A new controller, as platforms have them. */
  abort(): AbortControllerLike;
  /**
   * Tells of the platform's life, as far as it concerns a connection to `url`, until it is taken
   * back. Where there is no network to begin with, it says so before it returns.
   */
  life(url: string, listener: (event: LifeEvent) => void): Cancel;
  /** Shows a developer what nobody listens to. */
  warn(words: string): void;
  /** The base64url form of a text, UTF-8 encoded. */
  base64url(text: string): string;
}
