/**
 * One attempt's life as its connection sees it, and its socket's: what waits to be written, and
 * what was heard.
 *
 * It packs what is said at one moment into few WebSocket messages, within the limits of before and
 * after `welcome`. It doesn't know what is said, nor what happens when the socket is gone.
 */
import {
  type Cancel,
  type ClientCodec,
  type Clock,
  MESSAGE_LIMITS,
  type Welcome,
} from "@tailwire/protocol";
import { firstBatch, type Line } from "./batches.ts";
import type { Socket } from "./ports.ts";

export class Link {
  readonly #clock: Clock;
  /** Null until there is a token to make it with. */
  #socket: Socket | null = null;
  /** How it is spoken; null until it is open. */
  #codec: ClientCodec | null = null;
  #welcomedAt: number | null = null;
  #heardAt: number;
  /** What one WebSocket message may carry; before welcome, what all of them together still may. */
  #bytesMax: number = MESSAGE_LIMITS.firstBytesMax;
  #waiting: Line[] = [];
  #flushing = false;
  /** Ends the attempt's deadline. */
  onWelcome: Cancel = () => undefined;
  /** The error without `re` that was heard last: only what is said last explains a close. */
  lastError: string | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#heardAt = clock.monotonic();
  }

  /** Whether messages can be sent. */
  get isOpen(): boolean {
    return this.#codec !== null;
  }

  /** When something was last heard, by the monotonic clock. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** How long ago the server said welcome, in milliseconds; 0 when it hasn't. */
  get upMs(): number {
    return this.#welcomedAt === null ? 0 : this.#clock.monotonic() - this.#welcomedAt;
  }

  connecting(socket: Socket): void {
    this.#socket = socket;
  }

  opened(codec: ClientCodec): void {
    this.#codec = codec;
  }

  heard(): void {
    this.#heardAt = this.#clock.monotonic();
  }

  welcomed({ limits }: Welcome): void {
    this.#welcomedAt = this.#clock.monotonic();
    this.onWelcome();
    this.#bytesMax = limits.messageBytesMax;
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
    for (;;) {
      if (this.#codec === null) return;
      // Before welcome, what doesn't fit has to wait for it [CONN-4]. Afterwards a line that is too
      // large on its own goes out all the same: the server's answer is what its sender needs.
      const countMin = this.#welcomedAt === null ? 0 : 1;
      const batch = firstBatch(this.#codec, this.#waiting, this.#bytesMax, countMin);
      if (batch === null) return;
      for (const line of this.#waiting.splice(0, batch.count)) line.onWrite();
      if (this.#welcomedAt === null) this.#bytesMax -= batch.bytes;
      if (batch.bytes > 0) this.#socket?.send(batch.wire);
    }
  }

  /** Begins to close the socket: nothing is sent or heard any more. */
  close(code: number, reason: string): void {
    this.forget();
    this.#socket?.close(code, reason);
  }

  /** What still waits isn't sent any more. */
  forget(): void {
    this.#codec = null;
    this.#waiting = [];
  }
}
