/**
 * Ports: the interfaces through which the server's core uses the platform. Drivers implement them for
 * real sockets, the simulator for simulated ones.
 */
import type { PlatformSignal, Clock, Random } from "@tailwire/protocol";

/** The platform of a node. */
export interface Ports {
  readonly clock: Clock;
  readonly random: Random;
  /** A cryptographic hash, as base64url: nobody can invert it, or choose its value. */
  digest(text: string): string;
  /** Encodes UTF-8 into `target`, as `TextEncoder.encodeInto` does. */
  encodeInto(text: string, target: Uint8Array): { readonly written: number };
  /** A signal for the application, with the function that aborts it. */
  abort(): AbortHandle;
  /** One WebSocket message with this payload, as `Transport.write` takes it. */
  frame(payload: Uint8Array, format: "text" | "binary"): Uint8Array;
}

/** The part of an `AbortController` that the core uses. */
export interface AbortHandle {
  readonly signal: PlatformSignal;
  abort(reason: unknown): void;
}

/** One socket, after its upgrade. The driver tells the connection what happens on it. */
export interface Transport {
  /**
   * Writes framed messages in order. True when all bytes have left user space. Else the driver calls
   * `connection.drained()` when they have, and nothing may be written before that.
   */
  write(frames: readonly Uint8Array[]): boolean;
  /** Stops reading, so that TCP slows the peer down [FLOW-3]. */
  pause(): void;
  resume(): void;
  /** Begins the closing handshake. Nothing may be written after it. The reason has at most 123 bytes. */
  close(code: number, reason: string): void;
  /** Destroys the socket at once, without a closing handshake. */
  destroy(): void;
}

/** A logger, as pino and most others are. A method that throws, or rejects, does no harm. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
