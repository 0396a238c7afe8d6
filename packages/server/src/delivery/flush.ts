/**
 * A flush: what goes out in one write. It is filled with waiting messages first, then by cursors, so
 * the order on the socket is the order in which things happened.
 */
import { type Codec, PROTOCOL_LIMITS, type Encoded } from "@tailwire/protocol";
import { frameOf } from "./framing.ts";
import type { Ports } from "../ports.ts";

/** Parts that one WebSocket message carries at most, each of it two protocol messages at most. */
const SAID_MAX = PROTOCOL_LIMITS.batchMax / 2;

export class Flush {
  readonly frames: Uint8Array[] = [];
  readonly #ports: Ports;
  readonly #codec: Codec;
  readonly #bytesMax: number;
  #said: Encoded[] = [];
  #bytes = 0;

  constructor(ports: Ports, codec: Codec, bytesMax: number) {
    this.#ports = ports;
    this.#codec = codec;
    this.#bytesMax = bytesMax;
  }

  /** Whether there is room for more. The last addition may go over by one slice. */
  get hasRoom(): boolean {
    return this.#bytes < this.#bytesMax;
  }

  /** Adds an encoded message. Consecutive ones share a WebSocket message [ENC-2]. */
  say(encoded: Encoded): void {
    if (this.#said.length === SAID_MAX) this.#frameSaid();
    this.#said.push(encoded);
    this.#bytes += encoded.length;
  }

  /** Adds a framed message. */
  frame(frame: Uint8Array): void {
    this.#frameSaid();
    this.frames.push(frame);
    this.#bytes += frame.length;
  }

  /** The frames, what was said last included. */
  finish(): readonly Uint8Array[] {
    this.#frameSaid();
    return this.frames;
  }

  #frameSaid(): void {
    if (this.#said.length === 0) return;
    this.frames.push(frameOf(this.#ports, this.#codec, this.#said));
    this.#said = [];
  }
}
