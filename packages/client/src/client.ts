/**
 * The client: channels, the outbox and one connection, joined.
 *
 * It routes what comes off the wire to whom it concerns, and shows the connection's status. It
 * doesn't know sockets, and it keeps nothing that isn't in one of its parts.
 */
import {
  type AbortSignalLike,
  type Ack,
  channelName,
  type ErrorMessage,
  jsonCodec,
  type ParamArgs,
  type ServerMessage,
  tailwireError,
} from "@tailwire/protocol";
import { Channel } from "./channel.ts";
import { Connection } from "./connection.ts";
import { CLIENT_LIMITS } from "./limits.ts";
import { Outbox } from "./outbox.ts";
import type { Ports } from "./ports.ts";
import type { ConnectionStatus, Stop } from "./types.ts";
import { type Unidentified, type Wire, WireSubscription } from "./wire-subscription.ts";

export interface ClientOptions {
  /**
   * Gives the token to connect with. Called again for each connection, so return a fresh one each
   * time. Leave it out where the server lets anonymous clients in.
   */
  readonly getToken?: (options: { readonly signal: AbortSignalLike }) => string | Promise<string>;
}

export class Client implements AsyncDisposable {
  readonly #ports: Ports;
  readonly #connection: Connection;
  readonly #outbox: Outbox;
  readonly #wires = new Map<string, WireSubscription>();
  /** Who waits for the answer to a request, by its id. Publications wait in the outbox. */
  readonly #answers = new Map<string, (answer: Ack | ErrorMessage) => void>();
  readonly #onStatus = new Set<(status: ConnectionStatus) => void>();
  readonly #abort = new AbortSource();
  /** Null when it has changed since it was last asked for. */
  #status: ConnectionStatus | null = null;
  #telling = false;
  #closing: Promise<void> | null = null;

  constructor(url: string, { getToken }: ClientOptions, ports: Ports) {
    this.#ports = ports;
    this.#connection = new Connection({
      url,
      ports,
      getToken: getToken === undefined ? null : async () => getToken({ signal: this.#abort }),
      owner: {
        opened: () => this.#opened(),
        welcomed: () => undefined,
        received: (message) => this.#received(message),
        lost: () => this.#lost(),
        changed: () => this.#changed(),
      },
    });
    this.#outbox = new Outbox(ports, this.#connection, () => this.#changed());
  }

  /** The connection as it is now: a new object on every change. */
  get status(): ConnectionStatus {
    this.#status ??= this.#currentStatus();
    return this.#status;
  }

  /** The public id under which this client publishes; null before the first connection. */
  get id(): string | null {
    return this.#connection.welcome?.client ?? null;
  }

  /** Calls back on every change of status. Changes of one moment are told together. */
  onStatus(listener: (status: ConnectionStatus) => void): Stop {
    this.#onStatus.add(listener);
    return () => void this.#onStatus.delete(listener);
  }

  /**
   * The channel of a pattern: `channel("room:{id}", { id })`. Cheap, and sends nothing by itself.
   *
   * @throws `bad_channel` when a param is empty, holds a separator, or the name is too long.
   */
  channel<Pattern extends string>(pattern: Pattern, ...params: ParamArgs<Pattern>): Channel {
    return new Channel(
      { outbox: this.#outbox, wire: (name) => this.#wire(name) },
      channelName(pattern, params[0] ?? {}),
    );
  }

  /** Connects now, instead of waiting for `status.retryAt`. */
  retryNow(): void {
    this.#connection.retryNow();
  }

  /** Disconnects and stays so. Publications wait in the outbox. */
  goOffline(): void {
    this.#connection.goOffline();
  }

  /** Ends `goOffline()`. */
  goOnline(): void {
    this.#connection.goOnline();
  }

  /**
   * Closes for good. Resolves when the outbox is empty or 5 s have passed; what is left rejects:
   * with `closed` when it was never sent, else with `indeterminate`. `await using` does the same.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    if (this.#connection.state === "connected") {
      await new Promise<void>((resolve) => {
        const cancel = this.#ports.clock.after(CLIENT_LIMITS.closeMs, resolve);
        void this.#outbox.empty().then(() => {
          cancel();
          resolve();
        });
      });
    }
    this.#connection.close();
  }

  #wire(name: string): WireSubscription {
    if (this.#closing !== null || this.#connection.state === "closed")
      throw tailwireError("closed");
    let wire = this.#wires.get(name);
    if (wire === undefined) {
      wire = new WireSubscription(name, this.#portsOf(name));
      this.#wires.set(name, wire);
    }
    this.#connection.use();
    return wire;
  }

  #portsOf(name: string): Wire {
    const connection = this.#connection;
    return {
      get isOpen() {
        return connection.isOpen;
      },
      request: (message, answered) => this.#request(message, answered),
      noteEpoch: (epoch) => this.#outbox.noteEpoch(name, epoch),
      seen: (publication, position) => this.#outbox.seen(publication, position),
      after: (ms, callback) => void this.#ports.clock.after(ms, callback),
      idle: () => void this.#wires.delete(name),
    };
  }

  #request(message: Unidentified, answered: (answer: Ack | ErrorMessage) => void): void {
    const id = this.#connection.nextId();
    this.#answers.set(id, answered);
    const { type, ...rest } = message;
    const timestamp = this.#ports.clock.now();
    this.#connection.send(
      jsonCodec.encode({ type, id, timestamp, ...rest } as typeof message & {
        id: string;
        timestamp: number;
      }),
    );
  }

  #opened(): void {
    for (const wire of this.#wires.values()) wire.opened();
    this.#outbox.opened();
  }

  #lost(): void {
    this.#answers.clear();
    for (const wire of this.#wires.values()) wire.lost();
  }

  #received(message: ServerMessage): void {
    switch (message.type) {
      case "ack":
      case "error":
        return this.#answered(message);
      case "publication":
      case "gap":
      case "epoch":
      case "caughtup":
        return this.#wires.get(message.channel)?.receive(message);
      default:
        // The rest is the connection's own.
        return;
    }
  }

  #answered(answer: Ack | ErrorMessage): void {
    if (answer.re === undefined || this.#outbox.answered(answer)) return;
    const answered = this.#answers.get(answer.re);
    this.#answers.delete(answer.re);
    answered?.(answer);
  }

  #changed(): void {
    if (this.#connection.state === "closed" && !this.#abort.aborted) this.#end();
    this.#status = null;
    if (this.#telling) return;
    this.#telling = true;
    this.#ports.clock.soon(() => {
      this.#telling = false;
      for (const listener of this.#onStatus) listener(this.status);
    });
  }

  /** The connection is closed for good: everything that still waits is told so. */
  #end(): void {
    this.#abort.abort();
    this.#outbox.close();
    const { reason } = this.#connection;
    const why = tailwireError(reason === "unauthenticated" ? "unauthenticated" : "closed");
    for (const wire of this.#wires.values()) wire.end(this.#closing === null ? why : null);
  }

  #currentStatus(): ConnectionStatus {
    const { state, attempt, retryAt, reason } = this.#connection;
    return { state, attempt, retryAt, reason, pending: this.#outbox.size };
  }
}

/** As much of an AbortController as a core without a platform needs. */
class AbortSource implements AbortSignalLike {
  #listeners = new Set<() => void>();
  #aborted = false;

  get aborted(): boolean {
    return this.#aborted;
  }

  get reason(): unknown {
    return this.#aborted ? tailwireError("closed") : undefined;
  }

  addEventListener(_type: "abort", listener: () => void): void {
    this.#listeners.add(listener);
  }

  removeEventListener(_type: "abort", listener: () => void): void {
    this.#listeners.delete(listener);
  }

  abort(): void {
    if (this.#aborted) return;
    this.#aborted = true;
    for (const listener of this.#listeners) listener();
  }
}
