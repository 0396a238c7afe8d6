/**
 * A simulated link: one WebSocket between a client and a node, with everything that goes wrong on
 * real ones. It carries whole WebSocket messages, in order, each after a delay; it can be cut,
 * swallow one direction (half-open), and stop reading at the client's end.
 */
import type { Socket, SocketEvents } from "@tailwire/client/core";
import type { Clock } from "@tailwire/protocol";
import type { Connection, Transport } from "@tailwire/server/core";

export type Direction = "toServer" | "toClient";

/** What happens to a message: it arrives, or the link is cut before or right after it does. */
export type Fate = "arrives" | "cut before" | "cut after";

/** Looks at a message as it is about to arrive, and decides its fate. */
export type Tap = (direction: Direction, text: string, link: Link) => Fate;

export interface LinkOptions {
  readonly clock: Clock;
  readonly delayMs: number;
  /** What the kernel takes of unread bytes before a write of the server has to wait. */
  readonly kernelBytes: number;
  readonly tap: Tap;
  readonly decode: (frame: Uint8Array) => string;
}

/** A message in the kernel's buffers at the client's end. */
interface Unread {
  readonly text: string;
  readonly bytes: number;
}

interface Way {
  /** When the last message in this direction arrives: none overtakes another. */
  lastAt: number;
  /** Swallows everything, as a half-open connection does. */
  silent: boolean;
}

export class Link implements Socket, Transport {
  readonly #options: LinkOptions;
  readonly #events: SocketEvents;
  readonly #ways: Readonly<Record<Direction, Way>> = {
    toServer: { lastAt: 0, silent: false },
    toClient: { lastAt: 0, silent: false },
  };
  #connection: Connection | null = null;
  #clientEnded = false;
  #serverEnded = false;
  /** Messages that the client hasn't read, and their bytes. */
  readonly #unread: Unread[] = [];
  #unreadBytes = 0;
  #reading = true;
  #serverReading = true;
  readonly #unreadByServer: string[] = [];
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

  get connection(): Connection | null {
    return this.#connection;
  }

  // Faults

  /** Cuts it: both ends hear of it at once, and what was on its way is lost. */
  cut(): void {
    this.#endClient(1006, "");
    this.#endServer();
  }

  /** From now on one direction swallows everything, closes included. */
  silence(direction: Direction): void {
    this.#ways[direction].silent = true;
  }

  /** What one direction carries from now on arrives later by so many milliseconds. */
  hold(direction: Direction, ms: number): void {
    this.#ways[direction].lastAt = this.#options.clock.monotonic() + ms;
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
  open(connect: (transport: Transport) => Connection): void {
    if (this.#clientEnded) return;
    this.#connection = connect(this);
    this.#carry("toClient", () => {
      if (!this.#clientEnded) this.#events.opened("tailwire.v1.json");
    });
  }

  /** The upgrade was refused, or nobody was there. */
  refuse(code: number, reason: string): void {
    this.#endClient(code, reason);
  }

  send(text: string): void {
    if (this.#clientEnded) return;
    this.#carry("toServer", () => this.#arriveAtServer(text));
  }

  // The server's end, and the client's close: a socket has one name for both

  close(code: number, reason: string): void {
    // Whoever closes first, the other end hears of it, and then both have ended.
    this.#carry("toClient", () => this.#endClient(code, reason));
    this.#carry("toServer", () => this.#endServer());
  }

  write(frames: readonly Uint8Array[]): boolean {
    for (const frame of frames) {
      const text = this.#options.decode(frame);
      this.writtenBytes += frame.length;
      this.#unreadBytes += frame.length;
      this.#carry("toClient", () => this.#arriveAtClient({ text, bytes: frame.length }));
    }
    this.#blocked = this.#unreadBytes > this.#options.kernelBytes;
    return !this.#blocked;
  }

  pause(): void {
    this.#serverReading = false;
  }

  resume(): void {
    this.#serverReading = true;
    for (const text of this.#unreadByServer.splice(0)) this.#arriveAtServer(text);
  }

  destroy(): void {
    this.#carry("toClient", () => this.#endClient(1006, ""));
    this.#endServer();
  }

  // What travels

  #carry(direction: Direction, arrive: () => void): void {
    const { clock, delayMs } = this.#options;
    const way = this.#ways[direction];
    const at = Math.max(way.lastAt, clock.monotonic() + delayMs);
    way.lastAt = at;
    clock.after(at - clock.monotonic(), () => {
      if (!way.silent) arrive();
    });
  }

  #arriveAtServer(text: string): void {
    if (this.#serverEnded || this.#clientEnded) return;
    if (!this.#serverReading) {
      this.#unreadByServer.push(text);
      return;
    }
    const fate = this.#options.tap("toServer", text, this);
    if (fate !== "cut before") this.#connection?.receive(text);
    if (fate !== "arrives") this.cut();
  }

  #arriveAtClient(message: Unread): void {
    if (this.#clientEnded) return;
    this.#unread.push(message);
    if (this.#reading) this.#readAll();
  }

  #readAll(): void {
    for (let next = this.#unread.shift(); next !== undefined; next = this.#unread.shift()) {
      const { text, bytes } = next;
      this.#unreadBytes -= bytes;
      const fate = this.#options.tap("toClient", text, this);
      if (fate !== "cut before") this.#events.received(text);
      if (fate !== "arrives") return this.cut();
      if (this.#clientEnded) return;
    }
    if (this.#blocked && this.#unreadBytes <= this.#options.kernelBytes) {
      this.#blocked = false;
      if (!this.#serverEnded) this.#connection?.drained();
    }
  }

  #endClient(code: number, reason: string): void {
    if (this.#clientEnded) return;
    this.#clientEnded = true;
    this.#events.closed(code, reason);
  }

  #endServer(): void {
    if (this.#serverEnded) return;
    this.#serverEnded = true;
    this.#connection?.gone();
  }
}
