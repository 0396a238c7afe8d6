/**
 * The link to NATS: it connects, connects again, and says whether there is a stream to work with.
 *
 * Each time that the connection comes back is a new stream object. It knows no channels.
 */
import { jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { tailwireError } from "@tailwire/protocol";
import { type BrokerHost, pause } from "@tailwire/server/broker-contract";
import { prepare, wordsOf } from "./preparation.ts";
import type { Settings } from "./settings.ts";
import { LogStream, REQUEST_MS } from "./stream.ts";
import { type Subjects, subjectsOf } from "./subjects.ts";

/** Milliseconds between attempts to use a server that is there and doesn't do. */
const RETRY_MS = 1_000;

/** The link works, or it doesn't and says why. */
export type LinkState =
  | { readonly kind: "up"; readonly stream: LogStream }
  | { readonly kind: "down"; readonly reason: string };

export class Link {
  readonly #settings: Settings;
  readonly #host: BrokerHost;
  readonly #subjects: Subjects;
  readonly #onState: (state: LinkState) => void;
  /** Null before the first attempt has ended. */
  #state: LinkState | null = null;
  /** Calls that wait for the first attempt. */
  #early: (() => void)[] = [];
  #connection: NatsConnection | null = null;
  /** Changes whenever the connection breaks or comes back: an older attempt to use it is over. */
  #attempt = 0;
  #closed = false;

  constructor(settings: Settings, host: BrokerHost, onState: (state: LinkState) => void) {
    this.#settings = settings;
    this.#host = host;
    this.#subjects = subjectsOf(settings.stream);
    this.#onState = onState;
    void this.#keepConnected();
  }

  /** The stream; null while there is none. */
  get current(): LogStream | null {
    return this.#state?.kind === "up" ? this.#state.stream : null;
  }

  /** The stream. Only the first attempt to connect is waited for. @throws `unavailable`. */
  async stream(): Promise<LogStream> {
    if (this.#state === null) await new Promise<void>((resolve) => this.#early.push(resolve));
    if (this.#state?.kind === "up") return this.#state.stream;
    throw tailwireError("unavailable", this.#state?.reason);
  }

  /** The stream is gone: it is made again. */
  renew(): void {
    if (this.#connection !== null) void this.#prepare(this.#connection);
  }

  /** Closes the connection, unless it is the application's. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#down("the broker is closed");
    if (!isConnection(this.#settings.connect)) await this.#connection?.close();
  }

  async #keepConnected(): Promise<void> {
    const { connect: how, where } = this.#settings;
    const isGiven = isConnection(how);
    while (!this.#closed) {
      try {
        const connection = isGiven ? how : await connect(how);
        this.#connection = connection;
        if (this.#closed && !isGiven) await connection.close();
        void this.#watch(connection);
        void this.#prepare(connection);
        const error = await connection.closed();
        this.#down(error instanceof Error ? wordsOf(error, where) : "the connection was closed");
      } catch (error) {
        this.#down(wordsOf(error, where));
      }
      if (isGiven) return;
      await pause(this.#host.clock, RETRY_MS);
    }
  }

  async #watch(connection: NatsConnection): Promise<void> {
    for await (const { type } of connection.status()) {
      if (type === "disconnect") this.#down(`NATS at ${this.#settings.where} has gone away`);
      if (type === "reconnect") void this.#prepare(connection);
    }
  }

  /** Makes the stream ready, again and again until it is or the connection breaks. */
  async #prepare(connection: NatsConnection): Promise<void> {
    this.#attempt += 1;
    const attempt = this.#attempt;
    const { clock } = this.#host;
    const isOver = (): boolean =>
      attempt !== this.#attempt || this.#closed || connection.isClosed();
    while (!isOver()) {
      try {
        const manager = await jetstreamManager(connection, {
          checkAPI: false,
          timeout: REQUEST_MS,
        });
        const facts = await prepare(connection, manager, this.#settings, this.#subjects, clock);
        if (isOver()) return;
        const stream = new LogStream(connection, manager, this.#subjects, clock, facts);
        this.#become({ kind: "up", stream });
        return;
      } catch (error) {
        if (isOver()) return;
        this.#become({ kind: "down", reason: wordsOf(error, this.#settings.where) });
      }
      await pause(clock, RETRY_MS);
    }
  }

  #down(reason: string): void {
    this.#attempt += 1;
    this.#become({ kind: "down", reason });
  }

  #become(state: LinkState): void {
    const before = this.#state;
    this.#state = state;
    if (before?.kind === "up")
      before.stream.break(state.kind === "down" ? state.reason : "renewed");
    for (const resolve of this.#early.splice(0)) resolve();
    if (before?.kind === "down" && state.kind === "down" && before.reason === state.reason) return;
    this.#onState(state);
  }
}

function isConnection(how: Settings["connect"]): how is NatsConnection {
  return "getServer" in how;
}
