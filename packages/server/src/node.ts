/**
 * A node: one server process, with its connections, its channels and its broker.
 *
 * This is the whole server without input and output: drivers bring it sockets, the simulator
 * brings it simulated ones.
 */
import {
  type ClientMessage,
  type Codec,
  isEventName,
  JsonText,
  jsonCodec,
  type Position,
  TailwireError,
  tailwireError,
} from "@tailwire/protocol";
import { Access, type AccessOptions, type Authenticated } from "./access.ts";
import type { Application } from "./application.ts";
import type { Broker } from "./brokers/contract.ts";
import { Channel } from "./channel.ts";
import type { ChannelRules } from "./channel-rules.ts";
import * as commands from "./commands.ts";
import { Connection } from "./connection.ts";
import { Deadlines } from "./deadlines.ts";
import type { Limits } from "./limits.ts";
import type { Logger, Ports, Transport } from "./ports.ts";
import { Sessions } from "./sessions.ts";
import { Sweep } from "./sweep.ts";
import { within } from "./within.ts";

export interface NodeOptions {
  readonly ports: Ports;
  readonly limits: Limits;
  readonly broker: Broker;
  readonly rules: ChannelRules;
  readonly application: Application;
  readonly logger: Logger;
}

export class TailwireNode {
  /** Its name: new with each process, since the server's own publications carry it. */
  readonly id: string;
  readonly ports: Ports;
  readonly limits: Limits;
  readonly rules: ChannelRules;
  readonly application: Application;
  readonly sessions = new Sessions();
  readonly deadlines: Deadlines;
  readonly sweep: Sweep<Channel>;
  readonly #broker: Broker;
  readonly #accessOptions: AccessOptions;
  readonly #logger: Logger;
  readonly #codec: Codec = jsonCodec;
  readonly #connections = new Set<Connection>();
  readonly #channels = new Map<string, Channel>();
  #published = 0;
  #onEmpty: (() => void) | null = null;

  constructor({ ports, limits, broker, rules, application, logger }: NodeOptions) {
    this.id = ports.random.token();
    this.ports = ports;
    this.limits = limits;
    this.rules = rules;
    this.application = application;
    this.deadlines = new Deadlines(ports.clock);
    this.sweep = new Sweep(ports.clock, tellCursors, () => this.#connections.size);
    this.#broker = broker;
    this.#accessOptions = {
      rules,
      authorize: application.authorize,
      callHook: (name, hook) => this.callHook(name, hook),
    };
    this.#logger = logger;
  }

  /** Connections now, those that are closing included. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Channels in use now. */
  get channels(): number {
    return this.#channels.size;
  }

  /** Begins a conversation on a socket whose upgrade was granted. */
  connect(transport: Transport, authenticated: Authenticated): Connection {
    const connection = new Connection(this, transport, this.#codec, this.#accessOf(authenticated));
    this.#connections.add(connection);
    return connection;
  }

  /** Judges a token on a live connection; null refuses. @throws `unavailable`, `internal`. */
  async authenticate(token: string): Promise<Access | null> {
    const { authenticate } = this.application;
    const authenticated = await this.callHook("authenticate", () => authenticate(token));
    return authenticated === null ? null : this.#accessOf(authenticated);
  }

  /** Calls a function of the application, with its deadline. @throws what it throws. */
  callHook<Value>(name: string, hook: () => Value | Promise<Value>): Promise<Value> {
    const called = (async () => hook())();
    return within(this.ports.clock, this.limits.hookMs, called, () =>
      tailwireError("unavailable", `${name} took too long`),
    );
  }

  /** Tells the application something. What it throws is its own affair, and is logged. */
  tell(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.asTailwireError(error);
    }
  }

  /** Ends all connections of a user, for good. */
  disconnect(userId: string): void {
    for (const connection of this.#connections) {
      if (connection.user.id === userId) connection.close("disconnected");
    }
  }

  /** A connection has ended. */
  forget(connection: Connection): void {
    this.#connections.delete(connection);
    this.sessions.leave(connection);
    const { identity, user, context } = connection;
    if (identity !== null) {
      const info = { user, context, client: identity.clientId };
      this.tell(() => this.application.onDisconnect(info));
    }
    if (this.#connections.size === 0) this.#onEmpty?.();
  }

  #accessOf(authenticated: Authenticated): Access {
    return new Access(this.#accessOptions, authenticated);
  }

  /** Carries a client's message out. */
  carryOut(connection: Connection, message: ClientMessage): void {
    switch (message.type) {
      case "hello":
        return commands.hello(connection, message);
      case "authenticate":
        return commands.authenticate(connection, message);
      case "request":
        return commands.request(connection, message);
      case "cancel":
        return commands.cancel(connection, message);
      case "subscribe":
        return commands.subscribe(connection, message);
      case "unsubscribe":
        return commands.unsubscribe(connection, message);
      case "publish":
        return commands.publish(connection, message);
      case "ping":
        return commands.ping(connection, message);
      case "pong":
        // It says no more than that something came, which the connection has noted already.
        return;
      default:
        message satisfies never;
    }
  }

  /** The channel of a name that {@link ChannelRules} knows. It lives while it is used. */
  channel(name: string): Channel {
    let channel = this.#channels.get(name);
    if (channel === undefined) {
      const rule = this.rules.find(name);
      if (rule === null) throw tailwireError("forbidden");
      channel = new Channel({
        name,
        ports: this.ports,
        limits: this.limits,
        codec: this.#codec,
        log: this.#broker.log(name, rule.retention),
        retention: rule.retention,
        onGrowth: (grown) => this.sweep.grew(grown),
        onIdle: (idle) => this.#release(idle),
      });
      this.#channels.set(name, channel);
    }
    return channel;
  }

  /**
   * Publishes as the server.
   *
   * @throws `forbidden`, `bad_message` for a malformed event, `invalid_data`, `too_large`,
   * `unavailable`, `indeterminate`.
   */
  async publish(name: string, event: string, value: unknown): Promise<Position> {
    if (!isEventName(event)) throw tailwireError("bad_message", `"${event}" is no event name`);
    const data = JsonText.of(value);
    // What no client may send, no client has to take.
    const { messageBytesMax } = this.limits;
    if (data.bytes > messageBytesMax) {
      throw tailwireError("too_large", `at most ${messageBytesMax} bytes of data`);
    }
    const channel = this.channel(name);
    this.#published += 1;
    const id = `${this.id}/${this.#published}`;
    const result = await channel.use(() =>
      channel.log.append({
        id,
        producer: null,
        generation: 0,
        publisher: null,
        event,
        data,
        notAfter: this.ports.clock.now() + this.limits.appendMs,
      }),
    );
    if (result.kind === "refused") throw tailwireError(result.code);
    return result.position;
  }

  /** Any error as one with a code. What isn't one already is logged, and is `internal`. */
  asTailwireError(error: unknown): TailwireError {
    if (error instanceof TailwireError) return error;
    this.#logger.error({ error }, "unexpected error");
    return tailwireError("internal");
  }

  log(message: string, fields: object): void {
    this.#logger.debug(fields, message);
  }

  /** Closes every connection, and resolves when the last one has gone. */
  async close(): Promise<void> {
    for (const connection of this.#connections) connection.close("restarting");
    if (this.#connections.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onEmpty = resolve;
      });
    }
    this.deadlines.close();
    for (const channel of this.#channels.values()) channel.close();
    this.#channels.clear();
    await this.#broker.close();
  }

  #release(channel: Channel): void {
    if (this.#channels.get(channel.name) !== channel) return;
    this.#channels.delete(channel.name);
    channel.close();
  }
}

function tellCursors(channel: Channel): void {
  channel.tellCursors();
}
