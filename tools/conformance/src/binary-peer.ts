/**
 * A peer that speaks MessagePack: it sends what a check wants, and keeps what comes. It watches
 * nothing: what has to hold in any encoding is judged in JSON.
 */
import { randomBytes } from "node:crypto";
import {
  type ClientMessage,
  JsonText,
  type Outgoing,
  type ServerMessage,
} from "@tailwire/protocol";
import { msgpackCodec } from "@tailwire/protocol/msgpack";
import type { WebSocket } from "ws";
import { type Fields, inSequence } from "./peer.ts";
import { Broken, must } from "./verdict.ts";

const PATIENCE_MS = 6_000;

export class BinaryPeer {
  readonly messages: ServerMessage[] = [];
  /** Messages received that aren't well-formed. */
  readonly malformed: string[] = [];
  readonly #name = randomBytes(4).toString("hex");
  readonly #ws: WebSocket;
  readonly #patienceMs: number;
  #count = 0;
  #closeCode: number | null = null;
  #wake: () => void = () => undefined;

  constructor(ws: WebSocket, patienceMs = PATIENCE_MS) {
    this.#ws = ws;
    this.#patienceMs = patienceMs;
    ws.on("message", (data: Buffer, isBinary) => {
      this.#take(isBinary ? data : data.toString());
      this.#wake();
    });
    ws.on("close", (code) => {
      this.#closeCode = code;
      this.#wake();
    });
    ws.on("error", () => undefined);
  }

  get subprotocol(): string {
    return this.#ws.protocol;
  }

  /** Encodes a message, with an id and a timestamp. */
  encode({ data, ...fields }: Fields): { readonly id: string; readonly bytes: Uint8Array } {
    this.#count += 1;
    const id = `${this.#name}.${this.#count}`;
    const text = data === undefined ? {} : { data: JsonText.of(data) };
    const counted = fields["type"] === "publish" && inSequence();
    const message = { id, timestamp: Date.now(), ...counted, ...fields, ...text };
    const bytes = msgpackCodec.encode(message as unknown as Outgoing<ClientMessage>);
    return { id, bytes: bytes as Uint8Array };
  }

  /** Sends all in one WebSocket message, and gives the ids. */
  say(...messages: readonly Fields[]): string[] {
    const encoded = messages.map((fields) => this.encode(fields));
    this.sayBytes(msgpackCodec.join(encoded.map(({ bytes }) => bytes)) as Uint8Array);
    return encoded.map(({ id }) => id);
  }

  sayBytes(bytes: Uint8Array): void {
    this.#ws.send(bytes, { binary: true });
  }

  /** Waits for a message. @throws Broken when none comes, in time or before the close. */
  async message(test: (message: ServerMessage) => boolean, what: string): Promise<ServerMessage> {
    const deadline = Date.now() + this.#patienceMs;
    for (;;) {
      const found = this.messages.find(test);
      must(this.malformed.length === 0, `came malformed: ${this.malformed.join(", ")}`);
      if (found !== undefined) return found;
      if (this.#closeCode !== null) throw new Broken(`closed with ${this.#closeCode}, no ${what}`);
      const leftMs = deadline - Date.now();
      if (leftMs <= 0) throw new Broken(`no ${what} within ${this.#patienceMs} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  answer(id: string): Promise<ServerMessage> {
    return this.message((message) => "re" in message && message.re === id, `answer to ${id}`);
  }

  /** Says something and waits for its `ack`. */
  async ack(fields: Fields): Promise<Extract<ServerMessage, { type: "ack" }>> {
    const [id = ""] = this.say(fields);
    const answer = await this.answer(id);
    if (answer.type === "ack") return answer;
    throw new Broken(`${String(fields["type"])} was answered with ${answer.type}`);
  }

  #take(wire: string | Uint8Array): void {
    for (const decoded of msgpackCodec.decodeServerMessages(wire)) {
      if ("malformed" in decoded) this.malformed.push(decoded.malformed.detail);
      else if (decoded.message !== null) this.messages.push(decoded.message);
    }
  }
}
