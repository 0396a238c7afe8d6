/**
 * The hub: the part that an application on a bare WebSocket server writes itself, which is commands of
 * clients, subscriptions, and an envelope around each publication. The envelope has tailwire's fields,
 * so that both send the same bytes. It doesn't know the server below it.
 */
import { CHANNEL, type Payload, payloadNow } from "../payload.ts";
import { missedCount } from "./life.ts";

/** The messages of clients of the bare servers. */
export type Command =
  | { readonly do: "subscribe"; readonly channels: readonly string[] }
  | { readonly do: "publish"; readonly channel: string; readonly data: Payload }
  /** Asks for `count` publications in one turn of the event loop. */
  | { readonly do: "turn"; readonly count: number }
  | { readonly do: "resume" };

/** The functions of the bare server that a hub needs. */
export interface Carrier<Socket> {
  subscribe(socket: Socket, channel: string): void;
  publish(channel: string, line: string): void;
  send(socket: Socket, line: Buffer): void;
}

/** An id of the same length as tailwire's. */
const PRODUCER = "abcdefghijklmnopqrstuv";

export class Hub<Socket> {
  readonly #carrier: Carrier<Socket>;
  readonly #missed: readonly Buffer[];
  #offset = 0;

  constructor(carrier: Carrier<Socket>) {
    this.#carrier = carrier;
    this.#missed = Array.from({ length: missedCount }, () =>
      Buffer.from(this.#line(CHANNEL, payloadNow())),
    );
  }

  /** Carries out a client's message. */
  take(socket: Socket, text: string): void {
    const command = JSON.parse(text) as Command;
    switch (command.do) {
      case "subscribe":
        for (const channel of command.channels) this.#carrier.subscribe(socket, channel);
        return;
      case "publish":
        return this.#publish(command.channel, command.data);
      case "turn":
        for (let left = command.count; left > 0; left -= 1) this.#publish(CHANNEL, payloadNow());
        return;
      case "resume":
        for (const line of this.#missed) this.#carrier.send(socket, line);
        return;
      default:
        command satisfies never;
    }
  }

  #publish(channel: string, data: Payload): void {
    this.#carrier.publish(channel, this.#line(channel, data));
  }

  #line(channel: string, data: Payload): string {
    this.#offset += 1;
    const [id, timestamp] = [`${PRODUCER}/${this.#offset}`, Date.now()];
    const envelope = { type: "publication", id, timestamp, channel, offset: this.#offset };
    return `${JSON.stringify({ ...envelope, event: "message", publisher: null, data })}\n`;
  }
}
