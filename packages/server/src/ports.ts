/**
 * The platform, as the server's core is given it. Drivers implement it for real sockets, the
 * simulator for simulated ones.
 */
import type { PlatformSignal, Clock, Random } from "@tailwire/protocol";

export interface Ports {
  readonly clock: Clock;
  readonly random: Random;
  /** A name that nobody can choose or invert: a cryptographic hash, as base64url. */
  digest(text: string): string;
  /** Encodes UTF-8 into `target`, as `TextEncoder.encodeInto` does. */
  encodeInto(text: string, target: Uint8Array): { readonly written: number };
  /** A signal for the application, and what aborts it. */
  abort(): AbortHandle;
  /** One WebSocket message with this payload, as `Transport.write` takes it. */
  frame(payload: Uint8Array, format: "text" | "binary"): Uint8Array;
}

export interface AbortHandle {
  readonly signal: PlatformSignal;
  abort(reason: unknown): void;
}

/** One socket, after its upgrade. The driver tells the connection what happens on it. */
export interface Transport {
  /**
   * Writes framed messages in order. True when all of it has left user space; else the driver
   * calls `connection.drained()` once it has, and nothing must be written before.
   */
  write(frames: readonly Uint8Array[]): boolean;
  /** Stops reading, so that the peer feels it. */
  pause(): void;
  resume(): void;
  /** Begins the closing handshake. Nothing must be written after it. */
  close(code: number, reason: string): void;
  /** Gives the socket up at once. */
  destroy(): void;
}

/** Methods that a logger must offer. pino does, and most others. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
