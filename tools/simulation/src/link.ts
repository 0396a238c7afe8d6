/**
 * A simulated link: one WebSocket between a client and a node, with everything that goes wrong on
 * real ones. It carries whole WebSocket messages, in order, each after a delay; it can be cut,
 * swallow one direction (half-open), and stop reading at the client's end.
 */
import type { Socket, SocketEvents } from "@tailwire/client/core";
import type { Clock, Encoded } from "@tailwire/protocol";
import type { Connection, Transport } from "@tailwire/server/core";

export type Direction = "toServer" | "toClient";

/** The fate of a message: it arrives, or the link is cut before or right after it does. */
export type Fate = "arrives" | "cut before" | "cut after";

/** Looks at a message as it is about to arrive, and decides its fate. Bytes are shown as Latin-1. */
export type Tap = (direction: Direction, text: string, link: Link) => Fate;

export interface LinkOptions {
  readonly clock: Clock;
  /** How long so many bytes are on their way, in milliseconds. */
  readonly delayOf: (bytes: number) => number;
  /** Unread bytes that the kernel buffers before a write of the server has to wait. */
  readonly kernelBytes: number;
  readonly tap: Tap;
  /** Decodes a frame's payload, as the client's socket gives it. */
  readonly decode: (frame: Uint8Array, subprotocol: string) => Encoded;
  readonly watch: LinkWatch;
}

/** Called with the events at the ends of links. */
export interface LinkWatch {
  /** The client has handed something to its socket. */
  sent(link: Link, wire: Encoded): void;
  /** The server has written something. */
  written(link: Link, wire: Encoded): void;
  /** All that it has written since the last call was one write. */
  flushed(link: Link): void;
  /** The client has heard that the link is over. */
  closed(link: Link, code: number): void;
  /** The server has heard that the link is over. */
  gone(link: Link): void;
}

/** A message in the kernel's buffers at the client's end. */
interface Unread {
  readonly wire: Encoded;
  readonly bytes: number;
}

interface Way {
  /** When the last message in this direction arrives: none overtakes another. */
  lastAt: number;
  /** Swallows everything, as a half-open connection does. */
  silent: boolean;
  /** Arrivals that are due, in order. */
  readonly travelling: (() => void)[];
}

export class Link implements Socket, Transport {
  readonly #options: LinkOptions;
  readonly #events: SocketEvents;
  readonly #ways: Readonly<Record<Direction, Way>> = {
    toServer: { lastAt: 0, silent: false, travelling: [] },
    toClient: { lastAt: 0, silent: false, travelling: [] },
  };
  #connection: Connection | null = null;
  #subprotocol = "";
  /** Runs a callback on the node's machine. */
  #atServer: (callback: () => void) => void = (callback) => callback();
  /** The client has left, and its last messages are still on their way. */
  #haunted = false;
  #clientEnded = false;
  #serverEnded = false;
  /** Messages that the client hasn't read, and their bytes. */
  readonly #unread: Unread[] = [];
  #unreadBytes = 0;
  #reading = true;
  #serverReading = true;
  readonly #unreadByServer: Encoded[] = [];
  #blocked = false;
  /** Bytes that the server has written to it. */
  writtenBytes = 0;

  constructor(options: LinkOptions, events: SocketEvents) {
    this.#options = options;
    this.#events = events;
  }

  /** Whether both ends still think that it stands. */
  get isUp(): boolean {
    return this.#connection !== null && !this.#clientEnded && !this.#serverEnded;
  }

  /** Whether it is over for the server, or will be as soon as that looks. */
  get isGone(): boolean {
    return this.#serverEnded;
  }

  /** Whether nobody believes in it any more. */
  get isOver(): boolean {
    return this.#clientEnded && (this.#serverEnded || this.#connection === null);
  }

  get connection(): Connection | null {
    return this.#connection;
  }

  // Faults

  /** Cuts it: both ends hear of it at once, and what was on its way is lost. */
  cut(): void {
    this.#endClient(1006, "");
    this.#endServer();
  }

  /** The server's machine is gone, and nobody is left to say so. */
  vanish(): void {
    this.silence("toClient");
    this.silence("toServer");
    this.#endServer();
  }

  /**
   * Cuts the client's end. Messages that it sent before arrive nevertheless, perhaps long after the
   * client is back on another link, and the server hears of the end only behind them.
   */
  haunt(): void {
    // If the client has ended already, some of its messages are lost, and later ones must not arrive.
    if (this.#clientEnded) return;
    this.#haunted = true;
    this.#endClient(1006, "");
    this.#carry("toServer", 0, () => this.#endServer());
  }

  /** From now on one direction swallows everything, closes included. */
  silence(direction: Direction): void {
    this.#ways[direction].silent = true;
  }

  /** Delays all later messages of one direction by so many milliseconds. */
  hold(direction: Direction, ms: number): void {
    const way = this.#ways[direction];
    way.lastAt = Math.max(way.lastAt, this.#options.clock.monotonic() + ms);
  }

  /** The client's end stops reading, as an application does that is stuck. */
  stopReading(): void {
    this.#reading = false;
  }

  startReading(): void {
    this.#reading = true;
    this.#readAll();
  }

  // The client's end

  /** The upgrade was granted. */
  open(
    subprotocol: string,
    atServer: (callback: () => void) => void,
    connect: (transport: Transport) => Connection,
  ): void {
    // The client may have left meanwhile, and either end hear of it first.
    if (this.#clientEnded || this.#serverEnded) return;
    this.#subprotocol = subprotocol;
    this.#atServer = atServer;
    this.#connection = connect(this);
    this.#carry("toClient", 0, () => {
      if (!this.#clientEnded) this.#events.opened(subprotocol);
    });
  }

  /** The upgrade was refused, or nobody was there. */
  refuse(code: number, reason: string): void {
    this.#endClient(code, reason);
  }

  send(wire: Encoded): void {
    if (this.#clientEnded) return;
    this.#options.watch.sent(this, wire);
    this.#carry("toServer", wire.length, () => this.#atServer(() => this.#arriveAtServer(wire)));
  }

  // The server's end, and the client's close: a socket has one name for both

  close(code: number, reason: string): void {
    // A close by either end ends both.
    this.#carry("toClient", 0, () => this.#endClient(code, reason));
    this.#carry("toServer", 0, () => this.#endServer());
  }

  write(frames: readonly Uint8Array[]): boolean {
    for (const frame of frames) {
      const wire = this.#options.decode(frame, this.#subprotocol);
      this.#options.watch.written(this, wire);
      this.writtenBytes += frame.length;
      this.#unreadBytes += frame.length;
      const { length: bytes } = frame;
      this.#carry("toClient", bytes, () => this.#arriveAtClient({ wire, bytes }));
    }
    this.#options.watch.flushed(this);
    this.#blocked = this.#unreadBytes > this.#options.kernelBytes;
    return !this.#blocked;
  }

  pause(): void {
    this.#serverReading = false;
  }

  resume(): void {
    this.#serverReading = true;
    for (const wire of this.#unreadByServer.splice(0)) this.#arriveAtServer(wire);
  }

  destroy(): void {
    this.#carry("toClient", 0, () => this.#endClient(1006, ""));
    this.#endServer();
  }

  // Messages on their way

  #carry(direction: Direction, bytes: number, arrive: () => void): void {
    const { clock, delayOf } = this.#options;
    const way = this.#ways[direction];
    const at = Math.max(way.lastAt, clock.monotonic() + delayOf(bytes));
    way.lastAt = at;
    way.travelling.push(arrive);
    // Two that arrive at one moment are due at times which rounding may swap: a stream keeps its order.
    clock.after(at - clock.monotonic(), () => {
      const next = way.travelling.shift();
      if (!way.silent) next?.();
    });
  }

  #arriveAtServer(wire: Encoded): void {
    if (this.#serverEnded || (this.#clientEnded && !this.#haunted)) return;
    if (!this.#serverReading) {
      this.#unreadByServer.push(wire);
      return;
    }
    const fate = this.#options.tap("toServer", textOf(wire), this);
    if (fate !== "cut before") this.#connection?.input.receive(wire);
    if (fate !== "arrives") this.cut();
  }

  #arriveAtClient(message: Unread): void {
    if (this.#clientEnded) return;
    this.#unread.push(message);
    if (this.#reading) this.#readAll();
  }

  #readAll(): void {
    for (let next = this.#unread.shift(); next !== undefined; next = this.#unread.shift()) {
      const { wire, bytes } = next;
      this.#unreadBytes -= bytes;
      const fate = this.#options.tap("toClient", textOf(wire), this);
      if (fate !== "cut before") this.#events.received(wire);
      if (fate !== "arrives") return this.cut();
      if (this.#clientEnded) return;
    }
    if (this.#blocked && this.#unreadBytes <= this.#options.kernelBytes) {
      this.#blocked = false;
      this.#atServer(() => {
        if (!this.#serverEnded) this.#connection?.drained();
      });
    }
  }

  #endClient(code: number, reason: string): void {
    if (this.#clientEnded) return;
    this.#clientEnded = true;
    this.#options.watch.closed(this, code);
    this.#events.closed(code, reason);
  }

  #endServer(): void {
    if (this.#serverEnded) return;
    this.#serverEnded = true;
    this.#options.watch.gone(this);
    this.#atServer(() => this.#connection?.gone());
  }
}

/** Bytes as Latin-1, by a Buffer: a TextDecoder reads them as Windows-1252, which can't be reversed. */
function textOf(wire: Encoded): string {
  if (typeof wire === "string") return wire;
  return Buffer.from(wire.buffer, wire.byteOffset, wire.byteLength).toString("latin1");
}
