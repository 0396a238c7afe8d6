/**
 * A connection's input: what comes is counted, handed over message by message and in order, and
 * held back at its source where it is too much.
 *
 * A portion is handed over at once, which is all that an ordinary client sends in a turn; the rest
 * waits for later turns, and while it does nothing more is read. It doesn't know what messages mean.
 */
import {
  type Batch,
  type ClientMessage,
  type CloseName,
  type Codec,
  type Decoded,
  PROTOCOL_LIMITS,
  type Encoded,
  encodedBytes,
} from "@tailwire/protocol";
import { type ConnectionState, listens } from "./states.ts";
import type { Counters } from "../telemetry/counters.ts";
import type { Limits } from "../limits.ts";
import type { Heartbeat } from "./heartbeat.ts";
import type { Output } from "./output.ts";
import type { Ports, Transport } from "../ports.ts";
import { InboundRate } from "./rate-limit.ts";
import type { Turns } from "../support/turns.ts";

/** Bytes that may come before hello is accepted, with room for frame heads and the like. */
const FIRST_WIRE_BYTES_MAX = PROTOCOL_LIMITS.firstBytesMax + 1_024;

/** Frames that may come before that: empty ones take time as well. */
const FIRST_FRAMES_MAX = 256;

/** Messages handed over in a row after a wait, and messages that may wait unpaused: small ones. */
const IN_A_ROW = 64;

/** Bytes of a message that take as long as a small message. */
const BYTES_PER_MESSAGE = 2_048;

/** Lists and objects that do: each is made when the text is parsed, and walked when it is printed. */
const CONTAINERS_PER_MESSAGE = 128;

/** Containers that a message has anyway: itself, a position, and data of a few. */
const CONTAINERS_FREE = 8;

/** Dependencies that all inputs of a node share. */
export interface InputHost {
  readonly ports: Ports;
  readonly limits: Limits;
  readonly turns: Turns;
  readonly counters: Counters;
}

/** The connection whose input it is. */
export interface InputOwner {
  readonly state: ConnectionState;
  readonly codec: Codec;
  readonly output: Output;
  readonly heartbeat: Pick<Heartbeat, "heard" | "assemble" | "readAgain">;
  /** Carries one message out, or says what is wrong with it. */
  accept(decoded: Decoded<ClientMessage>): void;
  close(name: CloseName): void;
}

/** The rest of a WebSocket message. */
interface Rest {
  readonly messages: Iterator<Decoded<ClientMessage>>;
  /** The cost of each message, in small messages: as if they were of the same length. */
  readonly cost: number;
  left: number;
}

export class Input {
  readonly #host: InputHost;
  readonly #owner: InputOwner;
  readonly #transport: Transport;
  readonly #rate: InboundRate;
  /** Null while nothing waits, as nearly always. */
  #waiting: Rest[] | null = null;
  /** How much that is, in small messages. */
  #backlog = 0;
  #reading = true;
  /** Bytes that requests in progress hold. */
  #heldBytes = 0;
  /** Bytes that came before hello was accepted. */
  #firstBytes = 0;
  #firstFrames = 0;
  /** Goes on with the one that waits for the debt to be paid. */
  #onPaid: (() => void) | null = null;

  constructor(host: InputHost, transport: Transport, owner: InputOwner) {
    this.#host = host;
    this.#owner = owner;
    this.#transport = transport;
    this.#rate = new InboundRate(host.ports.clock, host.limits, this);
  }

  /** Whether the socket is read. */
  get reading(): boolean {
    return this.#reading;
  }

  /** Milliseconds of debt: how long this client has to wait before more is taken. */
  get debtMs(): number {
    return this.#rate.debtMs;
  }

  /** Settles when there is no debt, or nobody listens any more. One waits at a time. */
  paid(): Promise<void> {
    if (this.debtMs === 0 || !listens(this.#owner.state)) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onPaid = resolve;
    });
  }

  /** Bytes that requests in progress hold. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /**
   * Bytes have come, whatever they are: control frames, fragments and the frames' own heads take
   * time as messages do. Each frame counts as a message [FLOW-5].
   */
  arrived(bytes: number, frames: number, controlFrames: number): void {
    this.#host.counters.bytesIn += bytes;
    if (controlFrames > 0) this.#owner.heartbeat.heard();
    if (this.#owner.state === "awaiting hello") {
      this.#firstBytes += bytes;
      this.#firstFrames += frames;
      const isTooMuch =
        this.#firstBytes > FIRST_WIRE_BYTES_MAX || this.#firstFrames > FIRST_FRAMES_MAX;
      if (isTooMuch) this.#owner.close("too_large");
    }
    const inTime = this.#rate.charge(frames, bytes);
    if (!this.#rate.chargeControl(controlFrames) || !inTime) this.#owner.close("rate_limited");
    this.throttle();
  }

  /** A WebSocket message has come, in one frame that isn't counted yet. */
  receive(wire: Encoded): void {
    this.arrived(encodedBytes(wire), 1, 0);
    this.message(wire);
  }

  /** A WebSocket message has come, whose frames are counted: {@link arrived}. */
  message(wire: Encoded): void {
    const { state, codec } = this.#owner;
    if (!listens(state)) return;
    this.#owner.heartbeat.heard();
    // An empty one says no more.
    if (wire.length === 0) return;
    if (state === "awaiting hello" && encodedBytes(wire) > PROTOCOL_LIMITS.firstBytesMax) {
      return this.#owner.close("too_large");
    }
    const batch = codec.clientBatch(wire);
    this.#host.counters.messagesIn += batch.size;
    this.charge(batch.size - 1 + decodingOf(batch));
    if (batch.size > 0) this.#add(batch, wire.length);
  }

  /** Counts a request as so many messages more. Far too much ends the connection. */
  charge(messages: number): void {
    if (messages <= 0) return;
    if (!this.#rate.charge(messages, 0)) this.#owner.close("rate_limited");
    this.throttle();
  }

  /** Counts bytes that a request in progress holds, so that its sender can't pile up too many. */
  account(bytes: number): void {
    this.#heldBytes += bytes;
    this.throttle();
  }

  /** Nothing of what waits is handed over any more. From a flood not even its close is read. */
  end(): void {
    this.gone();
    this.#reading = this.debtMs === 0;
    // A paused socket would never see the peer's answer.
    if (this.#reading) this.#transport.resume();
    else this.#transport.pause();
  }

  /** The socket is gone: nothing of what waits is carried out. */
  gone(): void {
    this.#waiting = null;
    this.#backlog = 0;
    this.#tellPaid();
  }

  /** Stops reading while too much waits here, and goes on at half of that [FLOW-3]. */
  throttle(): void {
    const share = this.#share;
    if (this.#reading && share > 1) {
      this.#reading = false;
      this.#transport.pause();
    } else if (!this.#reading && share <= 0.5) {
      this.#reading = true;
      this.#owner.heartbeat.readAgain();
      this.#transport.resume();
    }
  }

  /** A debt has been waited out. */
  rested(): void {
    this.#tellPaid();
    if (this.#owner.state !== "closed") this.throttle();
  }

  /** How much of what it may hold it holds; Infinity: nothing may come at all. */
  get #share(): number {
    if (this.debtMs > 0) return Infinity;
    if (!listens(this.#owner.state)) return 0;
    const { controlBytesMax, requestBytesMax } = this.#host.limits;
    return Math.max(
      this.#owner.output.bytes / controlBytesMax,
      this.#heldBytes / requestBytesMax,
      this.#backlog / IN_A_ROW,
    );
  }

  #tellPaid(): void {
    this.#onPaid?.();
    this.#onPaid = null;
  }

  #add(batch: Batch<ClientMessage>, length: number): void {
    const { size } = batch;
    const cost = 1 + (length / BYTES_PER_MESSAGE + decodingOf(batch)) / size;
    const rest: Rest = { messages: batch[Symbol.iterator](), cost, left: size };
    if (this.#waiting === null) {
      while (rest.left > 0 && this.#host.turns.begin(this, cost)) this.#handOver(rest);
      if (rest.left === 0) return;
      this.#waiting = [];
      this.#host.turns.later(() => this.#goOn());
    }
    this.#waiting.push(rest);
    this.#backlog += rest.left * cost;
    this.throttle();
  }

  /** Hands over the next message. Whatever it is may end the connection, and with it what follows. */
  #handOver(rest: Rest): void {
    rest.left -= 1;
    const next = rest.messages.next();
    if (next.done !== true) this.#owner.accept(next.value);
    if (!listens(this.#owner.state)) rest.left = 0;
  }

  #goOn(): void {
    let done = 0;
    for (let left = IN_A_ROW; left > 0 && this.#waiting !== null;) {
      const rest = this.#waiting[done];
      if (rest === undefined) break;
      left -= rest.cost;
      this.#backlog -= rest.cost;
      this.#handOver(rest);
      if (rest.left === 0) done += 1;
    }
    // Ended meanwhile.
    if (this.#waiting === null) return;
    this.#waiting.splice(0, done);
    if (this.#waiting.length > 0) {
      this.#host.turns.later(() => this.#goOn());
    } else {
      this.#waiting = null;
      this.#backlog = 0;
    }
    this.throttle();
  }
}

/** The extra cost of decoding, in small messages. */
function decodingOf({ size, containers }: Batch<ClientMessage>): number {
  return Math.max(0, containers - CONTAINERS_FREE * size) / CONTAINERS_PER_MESSAGE;
}
