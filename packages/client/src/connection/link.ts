/**
 * One attempt's life as its connection sees it, and its socket's: what waits to be written, and
 * what was heard.
 *
 * It packs what is said at one moment into few WebSocket messages, within the limits of before and
 * after `welcome`. It doesn't know what is said, nor what happens when the socket is gone.
 */
import {
  type ClientCodec,
  type Clock,
  localError,
  PROTOCOL_LIMITS,
  type TailwireError,
  type Welcome,
} from "@tailwire/protocol";
import type { Failure } from "./closes.ts";
import { firstBatch, type Line } from "./batches.ts";
import type { Socket } from "../ports.ts";

/** The error for a message that is larger than the server takes. */
export function tooLargeError(bytesMax: number): TailwireError {
  return localError("too_large", `at most ${bytesMax} bytes`);
}

export class Link {
  readonly #clock: Clock;
  /** Null until there is a token to make it with. */
  socket: Socket | null = null;
  /** How it is spoken; null until it is open. */
  codec: ClientCodec | null = null;
  /** When something was last heard, by the monotonic clock. */
  heardAt: number;
  #welcomedAt: number | null = null;
  /** Bytes that one WebSocket message may carry, as far as is known. */
  #bytesMax: number;
  /** Bytes that all of them together still may, before welcome [CONN-4]. */
  #firstBytes: number = PROTOCOL_LIMITS.firstBytesMax;
  #waiting: Line[] = [];
  #flushing = false;
  /** The error without `re` that was heard last: only what is said last explains a close. */
  lastError: Failure | null = null;

  /** `bytesMax` is what the server took in one WebSocket message when it was there last. */
  constructor(clock: Clock, bytesMax: number) {
    this.#bytesMax = bytesMax;
    this.#clock = clock;
    this.heardAt = clock.monotonic();
  }

  /** Whether messages can be sent. */
  get isOpen(): boolean {
    return this.codec !== null;
  }

  /** How long ago the server said welcome, in milliseconds; 0 when it hasn't. */
  get upMs(): number {
    return this.#welcomedAt === null ? 0 : this.#clock.monotonic() - this.#welcomedAt;
  }

  welcomed({ limits }: Welcome): void {
    this.#welcomedAt = this.#clock.monotonic();
    this.#bytesMax = limits.messageBytesMax;
    this.#firstBytes = Infinity;
  }

  /** Sends a message, together with others of this moment. */
  send(line: Line): void {
    this.#waiting.push(line);
    if (this.#flushing) return;
    this.#flushing = true;
    this.#clock.soon(() => this.flush());
  }

  flush(): void {
    this.#flushing = false;
    while (this.codec && this.#waiting.length > 0) {
      const bytesMax = Math.min(this.#bytesMax, this.#firstBytes);
      const { encoded, bytes } = firstBatch(this.codec, this.#waiting, bytesMax);
      const wire = this.codec.join(encoded);
      if (encoded.length === 0) {
        // Before welcome, what doesn't fit has to wait for it.
        if (this.#welcomedAt === null) return;
        // Sent, it would end the connection [ENC-7], and with it whatever others wait for.
        this.#waiting.shift()?.onTooLarge?.(tooLargeError(this.#bytesMax));
      }
      for (const line of this.#waiting.splice(0, encoded.length)) line.onWrite?.();
      this.#firstBytes -= bytes;
      if (bytes > 0) this.socket?.send(wire);
    }
  }

  /** Begins to close the socket. */
  close(code: number, reason: string): void {
    this.socket?.close(code, reason);
  }

  /** Drops the lines that still wait. */
  forget(): void {
    this.codec = null;
    this.#waiting = [];
  }
}
