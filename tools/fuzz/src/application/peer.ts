/**
 * A peer: one conversation over a socket, message by message, that forgives nothing. Whatever the
 * server writes is decoded, and what isn't well-formed is kept as a fault.
 *
 * It knows the protocol, and no hook.
 */
import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import {
  type ClientMessage,
  CLOSE_CODES,
  type Codec,
  jsonCodec,
  type ServerMessage,
} from "@tailwire/protocol";
import { msgpackCodec } from "@tailwire/protocol/msgpack";
import { Dice } from "@tailwire/simulation";
import { closeCode, frame, framesIn } from "../frames.ts";
import { outgoing } from "../outgoing.ts";
import type { Patience } from "./patience.ts";

export interface Introduction {
  readonly port: number;
  readonly path?: string;
  readonly token?: string;
  readonly packed?: boolean;
  /** More headers of the upgrade, a line each. */
  readonly headers?: readonly string[];
}

/** The outcome of a question: its answer, or how the conversation ended before that. */
export type Answer =
  | {
      readonly kind: "ack" | "error";
      readonly code: string | null;
      readonly message: ServerMessage;
    }
  | { readonly kind: "ended" | "nothing"; readonly code: string | null };

type WithoutEnvelope<Message> = Message extends unknown ? Omit<Message, "id" | "timestamp"> : never;

export class Peer {
  readonly messages: ServerMessage[] = [];
  /** Acts of the server that no server may do. */
  readonly faults: string[] = [];
  readonly #codec: Codec;
  readonly #socket: Socket;
  readonly #patience: Patience;
  readonly #dice = new Dice(1);
  #received: Buffer = Buffer.alloc(0);
  #isUpgraded = false;
  /** How it ended: a close code, an HTTP status with its code, or that it was dropped. */
  #end: string | null = null;
  #closed = false;
  #leaving = false;
  #lastId = 0;
  #look: () => void = () => undefined;

  constructor(
    { port, path = "/tailwire", token, packed = false, headers = [] }: Introduction,
    patience: Patience,
  ) {
    this.#codec = packed ? msgpackCodec : jsonCodec;
    this.#patience = patience;
    this.#socket = connect(port, "127.0.0.1");
    this.#socket.on("data", (data: Buffer) => this.#take(data));
    this.#socket.on("error", () => undefined);
    this.#socket.on("end", () => this.#socket.end());
    this.#socket.on("close", () => this.#gone());
    const lines = [
      `GET ${path} HTTP/1.1`,
      "Host: 127.0.0.1",
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`,
      `Sec-WebSocket-Protocol: ${this.#codec.subprotocol}`,
      ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
      ...headers,
    ];
    this.#socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  }

  /** How it ended; null while it goes on. */
  get end(): string | null {
    return this.#end;
  }

  /** Says hello, once the upgrade is granted. True: it is welcome. */
  async greet(): Promise<boolean> {
    await this.until(() => this.#isUpgraded);
    if (!this.#isUpgraded) return false;
    const hello = this.say({
      type: "hello",
      session: randomBytes(16).toString("hex"),
      generation: 1,
      client: { name: "fuzz", version: "0" },
    });
    return (await this.answer(hello)).kind === "ack";
  }

  /** Says something, and gives the id that an answer will name. */
  say(message: WithoutEnvelope<ClientMessage>): string {
    this.#lastId += 1;
    const id = `q${this.#lastId}`;
    const wire = this.#codec.encode(outgoing({ id, timestamp: 0, ...message }));
    const opcode = this.#codec.format === "text" ? 1 : 2;
    this.#write(opcode, Buffer.from(wire as Uint8Array));
    return id;
  }

  /** Publishes, behind whatever was published before. */
  publish(channel: string, data: unknown): string {
    const settled = this.#lastId;
    const counted = { sequence: settled + 1, settled };
    return this.say({ type: "publish", channel, event: "e", ...counted, data });
  }

  ask(message: WithoutEnvelope<ClientMessage>): Promise<Answer> {
    return this.answer(this.say(message));
  }

  /** Waits for the answer to a question. */
  async answer(id: string): Promise<Answer> {
    const find = (): ServerMessage | undefined =>
      this.messages.find((message) => "re" in message && message.re === id);
    await this.until(() => find() !== undefined);
    const message = find();
    if (message?.type === "error") return { kind: "error", code: message.code, message };
    if (message !== undefined) return { kind: "ack", code: null, message };
    return { kind: this.#end === null ? "nothing" : "ended", code: this.#end };
  }

  /** Resolves when it holds, when the conversation is over, or when nobody waits any more. */
  async until(holds: () => boolean): Promise<boolean> {
    const done = (): boolean => holds() || this.#end !== null;
    await this.#patience.until(done, (look) => (this.#look = look));
    return holds();
  }

  /** Leaves, and resolves when the socket has gone. */
  async leave(): Promise<void> {
    this.#leaving = true;
    if (this.#isUpgraded && this.#end === null) this.#write(8, Buffer.from([3, 232]));
    await this.#patience.until(
      () => this.#closed || this.#end !== null,
      (look) => (this.#look = look),
    );
    if (this.#end === null && !this.#patience.isOver) this.faults.push("its close isn't answered");
    this.#socket.destroy();
  }

  #write(opcode: number, payload: Buffer): void {
    if (!this.#socket.destroyed) this.#socket.write(frame(opcode, payload, {}, this.#dice));
  }

  #take(data: Buffer): void {
    this.#received = this.#received.length === 0 ? data : Buffer.concat([this.#received, data]);
    if (!this.#isUpgraded) this.#takeHead();
    if (this.#isUpgraded) this.#takeFrames();
    this.#look();
  }

  #takeHead(): void {
    const headEnd = this.#received.indexOf("\r\n\r\n");
    if (headEnd < 0) return;
    const status = /^HTTP\/1\.1 (\d+)/.exec(this.#received.toString("latin1", 0, 20))?.[1] ?? "?";
    if (status === "101") {
      this.#isUpgraded = true;
      this.#received = this.#received.subarray(headEnd + 4);
      return;
    }
    const length = /content-length: *(\d+)/i.exec(
      this.#received.toString("latin1", 0, headEnd),
    )?.[1];
    const body = this.#received.subarray(headEnd + 4);
    if (body.length < Number(length)) return;
    this.#end = `HTTP ${status} ${this.#codeIn(body.toString())}`;
  }

  /** The code of a refusal's body. */
  #codeIn(body: string): string {
    try {
      const { code, description } = JSON.parse(body) as Readonly<Record<string, unknown>>;
      if (typeof code === "string" && typeof description === "string") return code;
    } catch {
      // Said below.
    }
    this.faults.push("a refusal's body is no coded JSON");
    return "?";
  }

  #takeFrames(): void {
    const { frames, rest } = framesIn(this.#received, 0);
    this.#received = this.#received.subarray(rest);
    for (const { opcode, payload } of frames) {
      if (opcode === 1) this.#takeWire(payload.toString());
      else if (opcode === 2) this.#takeWire(payload);
    }
    const code = closeCode(frames);
    if (code === undefined || this.#end !== null) return;
    this.#end = code;
    const isKnown = Object.values(CLOSE_CODES).some((one) => String(one.code) === code);
    if (!isKnown) this.faults.push(`it is closed with ${code}, which is no code of the protocol's`);
    this.#write(8, frames.find(({ opcode }) => opcode === 8)?.payload ?? Buffer.alloc(0));
  }

  #takeWire(wire: string | Buffer): void {
    for (const decoded of this.#codec.decodeServerMessages(wire)) {
      if ("malformed" in decoded) {
        this.faults.push(`malformed: ${decoded.malformed.detail}`);
        // It may have been what is waited for.
        this.#end ??= "malformed";
      } else if (decoded.message === null) this.faults.push("a message of a type that isn't known");
      else this.#keep(decoded.message);
    }
  }

  #keep(message: ServerMessage): void {
    this.messages.push(message);
    if (message.type === "ping") this.say({ type: "pong", re: message.id });
  }

  #gone(): void {
    this.#closed = true;
    if (this.#end === null) {
      this.#end = "dropped";
      if (!this.#leaving) this.faults.push("it was dropped without a code");
    }
    this.#look();
  }
}
