/**
 * A connection's output: answers and control messages wait here, publications never do.
 *
 * One flush is what goes out in one write. It is filled with the waiting messages first, then by
 * cursors, so the order on the socket is the order in which things happened.
 */
import type { Outgoing, ServerMessage } from "@tailwire/protocol";
import type { Ports } from "./ports.ts";

/** A message before it is given its id and timestamp. */
export type Unstamped<Message> = Message extends unknown
  ? Omit<Outgoing<Message>, "id" | "timestamp">
  : never;

/** What a connection says beside publications, which are encoded elsewhere. */
export type ControlMessage = Unstamped<Exclude<ServerMessage, { type: "publication" }>>;

/** What one write will carry: framed messages, in order. */
export class Flush {
  readonly frames: Uint8Array[] = [];
  readonly #ports: Ports;
  readonly #bytesMax: number;
  #lines = "";
  #bytes = 0;

  constructor(ports: Ports, bytesMax: number) {
    this.#ports = ports;
    this.#bytesMax = bytesMax;
  }

  /** Whether there is room for more. What goes in last may go over by one slice. */
  get hasRoom(): boolean {
    return this.#bytes < this.#bytesMax;
  }

  /** Adds encoded control messages. Those that follow one another share a WebSocket message. */
  lines(text: string): void {
    this.#lines += text;
    this.#bytes += text.length;
  }

  /** Adds a framed message. */
  frame(frame: Uint8Array): void {
    this.#frameLines();
    this.frames.push(frame);
    this.#bytes += frame.length;
  }

  /** The frames, the last lines included. */
  finish(): readonly Uint8Array[] {
    this.#frameLines();
    return this.frames;
  }

  #frameLines(): void {
    if (this.#lines === "") return;
    const bytes = new Uint8Array(this.#lines.length * 3);
    const { written } = this.#ports.encodeInto(this.#lines, bytes);
    this.frames.push(this.#ports.frame(bytes.subarray(0, written)));
    this.#lines = "";
  }
}

/** The queue of answers and control messages. Its limit is watched by the connection. */
export class ControlQueue {
  #lines: string[] = [];
  #bytes = 0;

  /** Characters waiting: bytes, for all that tailwire itself says. */
  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#lines.length === 0;
  }

  add(line: string): void {
    this.#lines.push(line);
    this.#bytes += line.length;
  }

  /** Moves everything into a flush. It is small: its limit is a flush's. */
  drainInto(flush: Flush): void {
    if (this.isEmpty) return;
    flush.lines(this.#lines.join(""));
    this.#lines = [];
    this.#bytes = 0;
  }
}
