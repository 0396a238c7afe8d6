/**
 * A peer: one scripted client. It sends what a check wants, well-formed or not, and keeps what
 * comes. It keeps no promise of a client but one: it answers pings, unless told not to.
 */
import { randomBytes } from "node:crypto";
import type { Ack, ErrorMessage, Position, ServerMessage, Welcome } from "@tailwire/protocol";
import type { WebSocket } from "ws";
import { Broken, must, quote } from "./verdict.ts";
import { Witness } from "./witness.ts";

const PATIENCE_MS = 6_000;

export type Fields = Readonly<Record<string, unknown>>;
export type Answer = Extract<ServerMessage, { type: "ack" | "error" | "pong" | "welcome" }>;
export type Published = Extract<ServerMessage, { type: "publication" }>;
export type Gap = Extract<ServerMessage, { type: "gap" }>;
/** An ack with its position: of a subscribe or a publish. */
export type Placed = Ack & { readonly position: Position };

export interface Arrived {
  readonly message: ServerMessage;
  /** As it came. */
  readonly line: string;
}

export interface Closed {
  readonly code: number;
  readonly reason: string;
}

let lastSequence = 0;

/** The numbers of one more publication, whose peer sends none before it again. */
export function inSequence(): { readonly sequence: number; readonly settled: number } {
  const settled = lastSequence;
  lastSequence += 1;
  return { sequence: lastSequence, settled };
}

export class Peer {
  readonly witness = new Witness();
  readonly arrived: Arrived[] = [];
  /** Unique, so that ids never come again. */
  readonly #name = randomBytes(4).toString("hex");
  readonly #ws: WebSocket;
  readonly #patienceMs: number;
  readonly #waiting = new Set<() => void>();
  #closed: Closed | null = null;
  #count = 0;
  answersPings = true;

  /** `patienceMs` is how long anything may take before the server counts as silent. */
  constructor(ws: WebSocket, patienceMs = PATIENCE_MS) {
    this.#patienceMs = patienceMs;
    this.#ws = ws;
    ws.on("message", (data: Buffer, isBinary) => {
      if (isBinary) this.witness.cameBinary();
      else this.#take(data.toString());
      this.#wake();
    });
    ws.on("close", (code, reason) => {
      this.#closed = { code, reason: reason.toString() };
      this.witness.closed(code, this.#closed.reason);
      this.#wake();
    });
    ws.on("error", () => undefined);
  }

  get subprotocol(): string {
    return this.#ws.protocol;
  }

  get extensions(): string {
    return this.#ws.extensions;
  }

  get messages(): ServerMessage[] {
    return this.arrived.map(({ message }) => message);
  }

  get welcome(): Welcome {
    const welcome = this.messages.find((message) => message.type === "welcome");
    must(welcome !== undefined, "no welcome came");
    return welcome;
  }

  // Sending

  /** One line, with an id, a timestamp and a sequence where the fields have none. */
  line(fields: Fields): { readonly id: string; readonly text: string } {
    this.#count += 1;
    const head = { id: `${this.#name}.${this.#count}`, timestamp: Date.now() };
    const message = { ...head, ...(fields["type"] === "publish" && inSequence()), ...fields };
    return { id: message.id, text: JSON.stringify(message) };
  }

  /** Sends all in one WebSocket message, and gives the ids. */
  say(...messages: readonly Fields[]): string[] {
    const lines = messages.map((fields) => this.line(fields));
    this.sayText(lines.map(({ text }) => `${text}\n`).join(""));
    return lines.map(({ id }) => id);
  }

  /** Sends one WebSocket text message as it is. */
  sayText(text: string): void {
    this.witness.sent(text);
    this.#ws.send(text);
  }

  sayBytes(bytes: Buffer, binary: boolean): void {
    this.#ws.send(bytes, { binary });
  }

  pingSocket(): void {
    if (this.#closed === null) this.#ws.ping();
  }

  pause(): void {
    this.#ws.pause();
  }

  resume(): void {
    this.#ws.resume();
  }

  end(): void {
    this.#ws.terminate();
  }

  // Waiting

  /** Waits until something is found. @throws Broken when it isn't, in time or before the close. */
  until<T>(find: () => T | undefined, what: string, ms = this.#patienceMs): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (): boolean => {
        const found = find();
        if (found !== undefined) resolve(found);
        else if (this.#closed !== null) {
          const { code, reason } = this.#closed;
          reject(new Broken(`closed with ${code} ${quote(reason)} instead of ${what}`));
        } else return false;
        this.#waiting.delete(settle);
        clearTimeout(timer);
        return true;
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(settle);
        reject(new Broken(`no ${what} within ${ms} ms`));
      }, ms);
      if (!settle()) this.#waiting.add(settle);
    });
  }

  message<Type extends ServerMessage["type"]>(
    type: Type,
    test: (message: Extract<ServerMessage, { type: Type }>) => boolean = () => true,
    ms = this.#patienceMs,
  ): Promise<Extract<ServerMessage, { type: Type }>> {
    type Wanted = Extract<ServerMessage, { type: Type }>;
    const wanted = (message: ServerMessage): message is Wanted =>
      message.type === type && test(message as Wanted);
    return this.until(() => this.messages.find(wanted), type, ms);
  }

  closed(ms = this.#patienceMs): Promise<Closed> {
    return this.until(() => this.#closed ?? undefined, "close", ms);
  }

  /** @throws Broken when it isn't closed, or with another code. */
  async closedWith(code: number, ms = this.#patienceMs): Promise<void> {
    const closed = await this.closed(ms);
    must(closed.code === code, `closed with ${closed.code} ${quote(closed.reason)}, not ${code}`);
  }

  get isClosed(): boolean {
    return this.#closed !== null;
  }

  /** Waits for the answer to an id, among what came after so many messages. */
  answer(id: string, after = 0): Promise<Answer> {
    const answers = (message: ServerMessage): message is Answer =>
      "re" in message && message.re === id;
    return this.until(() => this.messages.slice(after).find(answers), `answer to ${id}`);
  }

  // Requests

  async ask(fields: Fields): Promise<Answer> {
    const { id, text } = this.line(fields);
    // The id may have been used before, as that of a repeat is.
    const after = this.arrived.length;
    this.sayText(`${text}\n`);
    return this.answer(id, after);
  }

  async ack(fields: Fields): Promise<Ack> {
    const answer = await this.ask(fields);
    must(answer.type === "ack", `${quote(fields)} was answered with ${shown(answer)}`);
    return answer;
  }

  async refusal(fields: Fields, code: string): Promise<ErrorMessage> {
    const answer = await this.ask(fields);
    const refused = answer.type === "error" && answer.code === code;
    must(refused, `${quote(fields)} was answered with ${shown(answer)}, not ${code}`);
    return answer;
  }

  async subscribe(channel: string, start: unknown = "latest"): Promise<Placed> {
    return placed(await this.ack({ type: "subscribe", channel, start }));
  }

  async publish(channel: string, data: unknown, more: Fields = {}): Promise<Placed> {
    return placed(await this.ack({ type: "publish", channel, event: "conf", data, ...more }));
  }

  /** Publishes 1 … n, all in one go, and waits for the acks. */
  async publishMany(channel: string, n: number): Promise<Placed[]> {
    const all = Array.from({ length: n }, (_, index) => ({
      type: "publish",
      channel,
      event: "conf",
      data: index + 1,
    }));
    return Promise.all(this.say(...all).map((id) => this.placed(id)));
  }

  /** Waits for the ack with a position that answers a request. */
  async placed(id: string): Promise<Placed> {
    const answer = await this.answer(id);
    must(answer.type === "ack", `a request was answered with ${shown(answer)}`);
    return placed(answer);
  }

  /** Shows that the connection works. */
  async lives(): Promise<void> {
    const answer = await this.ask({ type: "ping" });
    must(answer.type === "pong", `ping was answered with ${shown(answer)}`);
  }

  published(channel: string): Published[] {
    return this.messages.filter(
      (message): message is Published =>
        message.type === "publication" && message.channel === channel,
    );
  }

  /** Waits until so many publications have come. */
  async has(channel: string, count: number): Promise<Published[]> {
    const all = (): Published[] => this.published(channel);
    await this.until(
      () => (all().length >= count ? true : undefined),
      `publication ${count} of a channel`,
    );
    return all();
  }

  #take(text: string): void {
    for (const arrived of this.witness.came(text)) {
      this.arrived.push(arrived);
      if (arrived.message.type === "ping" && this.answersPings && !this.isClosed) {
        this.say({ type: "pong", re: arrived.message.id });
      }
    }
  }

  #wake(): void {
    for (const settle of this.#waiting) settle();
  }
}

function placed(ack: Ack): Placed {
  const { position } = ack;
  must(position !== undefined, "an ack came without its position");
  return { ...ack, position };
}

/** An answer as a note names it. */
export function shown(answer: Answer): string {
  return answer.type === "error" ? `error ${answer.code}` : answer.type;
}
