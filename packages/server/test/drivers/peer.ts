// A WebSocket peer on a bare TCP socket, without any WebSocket library: it sends whatever bytes a
// test wants, and writes down what comes back.
import { randomBytes } from "node:crypto";
import { connect as connectTcp, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { until } from "./support.ts";

/** One frame as it came. */
export interface Frame {
  readonly fin: boolean;
  readonly opcode: number;
  readonly masked: boolean;
  readonly payload: Buffer;
}

/** A protocol message, as a stranger reads it. */
export type Message = Readonly<Record<string, unknown>> & { readonly type: string };

/** The server's answer before there was a WebSocket. */
export interface Response {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

export interface Request {
  readonly path?: string;
  /** `HTTP/1.1` where left out. */
  readonly version?: string;
  /** Header lines beside the others, as they are. */
  readonly more?: readonly string[];
  /** Null leaves a header out. */
  readonly headers?: Readonly<Record<string, string | null>>;
  /** Bytes right behind the request, before there is an answer. */
  readonly behind?: Buffer;
}

export const OPCODES = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

export interface FrameOptions {
  readonly opcode?: number;
  readonly fin?: boolean;
  readonly masked?: boolean;
  /** The first byte's reserved bits. */
  readonly reserved?: number;
}

/** A frame as a client sends it. */
export function frame(payload: string | Uint8Array, options: FrameOptions = {}): Buffer {
  const { opcode = OPCODES.text, fin = true, masked = true, reserved = 0 } = options;
  const bytes = Buffer.from(payload as string);
  const mask = masked ? randomBytes(4) : Buffer.alloc(0);
  const header = Buffer.alloc(bytes.length < 126 ? 2 : bytes.length < 65_536 ? 4 : 10);
  header[0] = (fin ? 0x80 : 0) | reserved | opcode;
  header[1] = masked ? 0x80 : 0;
  if (header.length === 2) header[1] |= bytes.length;
  else if (header.length === 4) {
    header[1] |= 126;
    header.writeUInt16BE(bytes.length, 2);
  } else {
    header[1] |= 127;
    header.writeBigUInt64BE(BigInt(bytes.length), 2);
  }
  if (masked) for (const [at, byte] of bytes.entries()) bytes[at] = byte ^ (mask[at % 4] as number);
  return Buffer.concat([header, mask, bytes]);
}

/** The bytes of an upgrade request. */
export function upgradeRequest(
  port: number,
  { path = "/tailwire", version = "HTTP/1.1", headers = {}, more = [] }: Request,
): string {
  const all: Record<string, string | null> = {
    Host: `127.0.0.1:${port}`,
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Protocol": "tailwire.v1.json",
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) =>
    value === null ? [] : [`${name}: ${value}\r\n`],
  );
  for (const one of more) lines.push(`${one}\r\n`);
  return `GET ${path} ${version}\r\n${lines.join("")}\r\n`;
}

export class Peer {
  readonly socket: Socket;
  readonly frames: Frame[] = [];
  /** Protocol messages of all text frames. */
  readonly messages: Message[] = [];
  response: Response | null = null;
  /** Whether a close frame is answered. */
  answersClose = true;
  /** The TCP connection is gone, or half gone. */
  ended = false;
  #bytes: Buffer = Buffer.alloc(0);
  #lastId = 0;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#read();
    });
    socket.on("error", () => undefined);
    socket.on("end", () => this.#end());
    socket.on("close", () => this.#end());
    onTestFinished(() => void socket.destroy());
  }

  /** Connects, and asks for an upgrade. */
  static ask(port: number, request: Request = {}): Peer {
    const peer = new Peer(connectTcp(port, "127.0.0.1"));
    const head = Buffer.from(upgradeRequest(port, request));
    peer.socket.write(Buffer.concat([head, request.behind ?? Buffer.alloc(0)]));
    return peer;
  }

  /** Connects and waits for the answer to the upgrade. */
  static async open(port: number, request: Request = {}): Promise<Peer> {
    const peer = Peer.ask(port, request);
    await peer.answered();
    return peer;
  }

  /** Connects, says hello and waits for the welcome. */
  static async welcomed(port: number, request: Request = {}): Promise<Peer> {
    const peer = await Peer.open(port, request);
    peer.say(helloMessage());
    await peer.message("welcome");
    return peer;
  }

  /** The id of the last request. */
  get lastId(): string {
    return `r${this.#lastId}`;
  }

  /** Waits for the answer to the upgrade. */
  async answered(): Promise<Response> {
    await until(() => this.response !== null || this.ended, "an answer to the upgrade");
    if (this.response === null) throw new Error("the connection ended without an answer");
    return this.response;
  }

  /** Sends protocol messages, in one WebSocket message. Ids and timestamps are added. */
  say(...messages: readonly Readonly<Record<string, unknown>>[]): void {
    const lines = messages.map((message) => {
      this.#lastId += 1;
      const head = { id: `r${this.#lastId}`, timestamp: 1 };
      // Any will do, as long as they rise.
      const counted = { sequence: this.#lastId, settled: this.#lastId - 1 };
      const isPublish = message["type"] === "publish";
      return `${JSON.stringify({ ...head, ...(isPublish && counted), ...message })}\n`;
    });
    this.socket.write(frame(lines.join("")));
  }

  /** Waits for the first message of a type that satisfies a test. */
  async message(type: string, test: (message: Message) => boolean = () => true): Promise<Message> {
    const find = (): Message | undefined =>
      this.messages.find((message) => message.type === type && test(message));
    await until(() => find() !== undefined || this.ended, `a message of type ${type}`);
    const found = find();
    if (found === undefined)
      throw new Error(`ended without ${type}: ${JSON.stringify(this.messages)}`);
    return found;
  }

  /** Waits for the answer to the last request. */
  async answer(): Promise<Message> {
    const find = (): Message | undefined => this.messages.find(({ re }) => re === this.lastId);
    await until(() => find() !== undefined || this.ended, `an answer to ${this.lastId}`);
    return find() ?? { type: "none" };
  }

  /** The close frame's code, null for none, once the connection has ended. */
  async closed(): Promise<{ readonly code: number; readonly reason: string } | null> {
    await until(() => this.ended, "the end of the connection");
    return this.closeFrame;
  }

  get closeFrame(): { readonly code: number; readonly reason: string } | null {
    const payload = this.frames.find(({ opcode }) => opcode === OPCODES.close)?.payload;
    if (payload === undefined || payload.length < 2) return null;
    return { code: payload.readUInt16BE(), reason: payload.subarray(2).toString() };
  }

  /** Shows that the connection works: a ping is answered. */
  async lives(): Promise<boolean> {
    this.#lastId += 1;
    const id = `r${this.#lastId}`;
    this.socket.write(frame(JSON.stringify({ type: "ping", id, timestamp: 1 })));
    await this.message("pong", ({ re }) => re === id);
    return true;
  }

  #end(): void {
    this.#readBodyToTheEnd();
    this.ended = true;
  }

  #read(): void {
    if (this.response === null && !this.#readResponse()) return;
    if (this.response?.status !== 101) return;
    for (let next = this.#takeFrame(); next !== null; next = this.#takeFrame()) {
      this.frames.push(next);
      this.#take(next);
    }
  }

  #take({ opcode, payload }: Frame): void {
    if (opcode === OPCODES.text) {
      for (const line of payload.toString().split("\n")) {
        if (line.startsWith("{")) this.messages.push(JSON.parse(line) as Message);
      }
    } else if (opcode === OPCODES.close && this.answersClose) {
      this.socket.write(frame(payload, { opcode: OPCODES.close }));
    }
  }

  #readResponse(): boolean {
    const end = this.#bytes.indexOf("\r\n\r\n");
    if (end === -1) return false;
    const [first = "", ...lines] = this.#bytes.subarray(0, end).toString().split("\r\n");
    const headers = new Map(
      lines.map((line) => {
        const [name = "", value = ""] = line.split(/: (.*)/);
        return [name.toLowerCase(), value];
      }),
    );
    const status = Number(first.split(" ")[1]);
    const length = status === 101 ? 0 : Number(headers.get("content-length") ?? 0);
    if (this.#bytes.length < end + 4 + length) return false;
    const body = this.#bytes.subarray(end + 4, end + 4 + length).toString();
    this.response = { status, headers, body };
    this.#bytes = this.#bytes.subarray(end + 4 + length);
    return true;
  }

  /** An answer without a length lasts until the end. */
  #readBodyToTheEnd(): void {
    if (this.response?.body !== "" || this.response.status === 101) return;
    this.response = { ...this.response, body: this.#bytes.toString() };
  }

  #takeFrame(): Frame | null {
    const bytes = this.#bytes;
    if (bytes.length < 2) return null;
    const [first, second] = bytes as unknown as [number, number];
    const short = second & 0x7f;
    const headerLength = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (bytes.length < headerLength) return null;
    const length =
      short < 126
        ? short
        : short === 126
          ? bytes.readUInt16BE(2)
          : Number(bytes.readBigUInt64BE(2));
    if (bytes.length < headerLength + length) return null;
    const payload = bytes.subarray(headerLength, headerLength + length);
    this.#bytes = bytes.subarray(headerLength + length);
    return { fin: first >= 0x80, opcode: first & 0x0f, masked: second >= 0x80, payload };
  }
}

/** A hello of a session of its own. */
export function helloMessage(generation = 1): Readonly<Record<string, unknown>> {
  const session = randomBytes(16).toString("base64url");
  return { type: "hello", session, generation, client: { name: "raw", version: "1" } };
}

/** A peer that follows a channel from the log's beginning. */
export async function subscribed(port: number, channel: string): Promise<Peer> {
  const peer = await Peer.welcomed(port);
  peer.say({ type: "subscribe", channel, start: "earliest" });
  await peer.message("caughtup");
  return peer;
}

/** Offsets of the publications that a peer was sent. */
export function offsets(peer: Peer): number[] {
  return peer.messages
    .filter(({ type }) => type === "publication")
    .map(({ offset }) => offset as number);
}
