/**
 * A connection without any WebSocket library: it sends whatever bytes it is given, as fast as they
 * are taken, and notes how it ends. The server's messages are kept only as far as somebody waits for them.
 */
import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { frame } from "./frames.ts";

/** How long an answer may take, in milliseconds: the machine may be busy. */
const PATIENCE_MS = 20_000;

export interface PeerOptions {
  readonly subprotocol?: string;
  /** Its user's name, a dot, and anything. */
  readonly token?: string;
}

export class Peer {
  readonly #socket: Socket;
  /** Text received since somebody waited last. */
  #said = "";
  #waiting: (() => void) | null = null;
  #bytes = Buffer.alloc(0);
  /** The code of the close frame; null while there is none. */
  closeCode: number | null = null;
  ended = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (bytes) => this.#hear(bytes));
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.ended = true;
      this.#waiting?.();
    });
  }

  /** Connects, and waits for the upgrade. */
  static async open(port: number, options: PeerOptions = {}): Promise<Peer> {
    const { subprotocol = "tailwire.v1.json", token = "ada.0" } = options;
    const peer = new Peer(connect(port, "127.0.0.1"));
    peer.send(
      `GET /tailwire HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString("base64")}\r\n` +
        `Sec-WebSocket-Protocol: ${subprotocol}\r\nAuthorization: Bearer ${token}\r\n\r\n`,
    );
    await peer.hears("\r\n\r\n");
    return peer;
  }

  /** Connects, says hello and waits for the welcome. */
  static async welcomed(port: number, options: PeerOptions = {}): Promise<Peer> {
    const peer = await Peer.open(port, options);
    peer.send(frame(hello()));
    await peer.hears('"welcome"');
    return peer;
  }

  /** Sends bytes. False: they wait here, since the server doesn't read. */
  send(bytes: Buffer | string): boolean {
    return this.#socket.write(bytes);
  }

  /** Waits until something was said that holds a text. @throws Error when it never comes. */
  async hears(text: string): Promise<void> {
    const end = performance.now() + PATIENCE_MS;
    while (!this.#said.includes(text)) {
      if (this.ended) throw new Error(`the connection ended before it said ${text}`);
      if (performance.now() > end) throw new Error(`it never said ${text}`);
      await this.#next();
    }
    this.#said = this.#said.slice(this.#said.indexOf(text) + text.length);
  }

  /** Sends bytes over and over for as long as they are taken, until told to stop, or to the end. */
  async flood(bytes: Buffer, isOver: () => boolean): Promise<void> {
    while (!isOver() && !this.ended) {
      if (this.send(bytes)) await new Promise((resolve) => setImmediate(resolve));
      else await this.#drained(isOver);
    }
  }

  /** Waits for a close frame, or the end without one. @throws Error when neither comes. */
  async closes(): Promise<void> {
    const end = performance.now() + PATIENCE_MS;
    while (this.closeCode === null && !this.ended) {
      if (performance.now() > end) throw new Error("it never closed");
      await this.#next();
    }
  }

  destroy(): void {
    this.#socket.destroy();
  }

  async #drained(isOver: () => boolean): Promise<void> {
    while (this.#socket.writableNeedDrain && !isOver() && !this.ended) await pause(5);
  }

  #next(): Promise<void> {
    return Promise.race([
      pause(100),
      new Promise<void>((resolve) => {
        this.#waiting = resolve;
      }),
    ]);
  }

  #hear(bytes: Buffer): void {
    // Nobody waits for more than the last of what a flood is answered.
    this.#said = (this.#said + bytes.toString("latin1")).slice(-65_536);
    this.#findClose(bytes);
    this.#waiting?.();
  }

  /** A close frame is the last that a server sends, and never longer than 127 bytes. */
  #findClose(bytes: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes]).subarray(-127);
    for (let at = 0; at + 3 < this.#bytes.length; at += 1) {
      const length = this.#bytes[at + 1] as number;
      if (this.#bytes[at] === 0x88 && at + 2 + length === this.#bytes.length) {
        this.closeCode = this.#bytes.readUInt16BE(at + 2);
      }
    }
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

let lastId = 0;

/** A protocol message as a line of JSON, with an id of its own. */
export function line(message: Readonly<Record<string, unknown>>): string {
  lastId += 1;
  // A count of all messages counts the publications too.
  const counted = { sequence: lastId, settled: lastId - 1 };
  const head = { id: `a${lastId}`, timestamp: 1, ...(message["type"] === "publish" && counted) };
  return `${JSON.stringify({ ...head, ...message })}\n`;
}

/** A hello of a session of its own. */
export function hello(): string {
  const session = randomBytes(16).toString("base64url");
  return line({ type: "hello", session, generation: 1, client: { name: "raw", version: "1" } });
}

/** So many messages behind one another. */
export function lines(
  count: number,
  message: (index: number) => Readonly<Record<string, unknown>>,
): string {
  return Array.from({ length: count }, (_, index) => line(message(index))).join("");
}
