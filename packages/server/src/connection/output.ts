/**
 * A connection's output: answers and control messages wait here, publications never do. Cursors
 * stand in line instead, and are served from the log when the socket is free.
 *
 * It never writes while an earlier write hasn't left. It doesn't know states, nor what is said.
 */
import type { Codec, ServerMessage, Unstamped, Encoded } from "@tailwire/protocol";
import type { Cursor } from "../delivery/cursor.ts";
import { Flush } from "../delivery/flush.ts";
import type { Limits } from "../limits.ts";
import type { Ports, Transport } from "../ports.ts";

/** Messages of a connection beside publications, which are encoded elsewhere. */
export type ControlMessage = Unstamped<Exclude<ServerMessage, { type: "publication" }>>;

export class Output {
  readonly #ports: Ports;
  readonly #limits: Limits;
  readonly #codec: Codec;
  readonly #transport: Transport;
  #said: Encoded[] = [];
  #bytes = 0;
  /** Cursors with something to send, in line for this socket. */
  readonly #marked: Cursor[] = [];
  #blockedAt: number | null = null;
  /** Null while nobody waits, as nearly always. */
  #onEmptied: (() => void)[] | null = null;

  constructor(ports: Ports, limits: Limits, codec: Codec, transport: Transport) {
    this.#ports = ports;
    this.#limits = limits;
    this.#codec = codec;
    this.#transport = transport;
  }

  /** Characters or bytes waiting: the same, for nearly all that tailwire itself says. */
  get bytes(): number {
    return this.#bytes;
  }

  /** When the last write began that hasn't left yet, by the monotonic clock; null: it is free. */
  get blockedAt(): number | null {
    return this.#blockedAt;
  }

  /** Whether something can be written now. */
  get hasWork(): boolean {
    return this.#blockedAt === null && (this.#said.length > 0 || this.#marked.length > 0);
  }

  /** Queues a control message. It goes out before any publication that is not on its way yet. */
  say(encoded: Encoded): void {
    this.#said.push(encoded);
    this.#bytes += encoded.length;
  }

  /** Puts a cursor in line, once. */
  mark(cursor: Cursor): void {
    if (cursor.marked) return;
    cursor.marked = true;
    this.#marked.push(cursor);
  }

  /** The last write has left user space. */
  drained(): void {
    this.#blockedAt = null;
    this.#tellEmptied();
  }

  /** Writes what one write may carry, if the last one has left. */
  serve(): void {
    if (this.#blockedAt !== null) return;
    const flush = new Flush(this.#ports, this.#codec, this.#limits.flushBytesMax);
    for (const encoded of this.#said) flush.say(encoded);
    this.#said = [];
    this.#bytes = 0;
    this.#serveCursors(flush);
    const frames = flush.finish();
    if (frames.length > 0 && !this.#transport.write(frames)) {
      this.#blockedAt = this.#ports.clock.monotonic();
    }
    this.#tellEmptied();
  }

  /** Resolves when nothing that was said waits any more, here or in the socket. */
  emptied(): Promise<void> {
    return new Promise((resolve) => {
      this.#onEmptied = [...(this.#onEmptied ?? []), resolve];
      this.#tellEmptied();
    });
  }

  /** Nothing is written any more: nobody has to wait. */
  end(): void {
    this.#said = [];
    this.#bytes = 0;
    this.#blockedAt = null;
    this.#tellEmptied();
  }

  #tellEmptied(): void {
    if (this.#onEmptied === null || this.#said.length > 0 || this.#blockedAt !== null) return;
    const waiting = this.#onEmptied;
    this.#onEmptied = null;
    for (const resolve of waiting) resolve();
  }

  #serveCursors(flush: Flush): void {
    // The first that doesn't fit goes to the back, so that no channel starves another.
    for (let turns = this.#marked.length; turns > 0 && flush.hasRoom; turns -= 1) {
      const cursor = this.#marked.shift() as Cursor;
      cursor.marked = false;
      cursor.serve(flush);
      if (cursor.behind) this.mark(cursor);
    }
  }
}
