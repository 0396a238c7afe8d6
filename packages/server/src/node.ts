/**
 * A node: one server process, with its connections, its channels and its broker.
 *
 * This is the whole server without input and output: drivers bring it sockets, the simulator
 * brings it simulated ones.
 */
import {
  type Codec,
  isEventName,
  jsonCodec,
  type Payload,
  payloadBytes,
  payloadOf,
  type Position,
  TailwireError,
  tailwireError,
} from "@tailwire/protocol";
import { Access, type AccessOptions } from "./access/access.ts";
import { Admitted } from "./access/admitted.ts";
import type { Application, Authenticated } from "./application.ts";
import type { Broker } from "./log/broker.ts";
import { BrokerLink } from "./log/broker-link.ts";
import { Channel, type ChannelHost } from "./delivery/channel.ts";
import type { ChannelRules } from "./access/channel-rules.ts";
import { carryOut } from "./commands/carry-out.ts";
import type { Services } from "./commands/services.ts";
import { subscribeByServer, unsubscribeByServer } from "./commands/subscribe.ts";
import { Connection } from "./connection/connection.ts";
import { Counters } from "./telemetry/counters.ts";
import type { Awaitable } from "./support/awaitable.ts";
import { Deadlines } from "./support/deadlines.ts";
import type { Limits } from "./limits.ts";
import { inWords, Mistake, outcomeOf, Overdue, thrownBy } from "./support/mistake.ts";
import type { Logger, Ports, Transport } from "./ports.ts";
import { Sessions } from "./connection/sessions.ts";
import { Sweep } from "./delivery/sweep.ts";
import { errorOf } from "./support/thrown.ts";
import { Traces } from "./telemetry/traces.ts";
import { Turns } from "./support/turns.ts";
import { withDeadline } from "./support/waits.ts";

export interface NodeOptions {
  readonly ports: Ports;
  readonly limits: Limits;
  readonly broker: Broker;
  readonly rules: ChannelRules;
  readonly application: Application;
  readonly logger: Logger;
}

export class TailwireNode implements Services {
  /** Its name: new with each process, since the server's own publications carry it. */
  readonly id: string;
  readonly ports: Ports;
  readonly limits: Limits;
  readonly rules: ChannelRules;
  readonly application: Application;
  readonly sessions: Sessions;
  readonly counters = new Counters();
  readonly traces: Traces;
  readonly deadlines: Deadlines;
  readonly sweep: Sweep;
  readonly link: BrokerLink;
  readonly carryOut: Services["carryOut"];
  readonly turns: Turns;
  readonly #accessOptions: AccessOptions;
  readonly #channelHost: ChannelHost;
  readonly #logger: Logger;
  readonly #connections = new Set<Connection>();
  readonly #channels = new Map<string, Channel>();
  /** Subjects of warnings that are said once. */
  readonly #warned = new Set<string>();
  #closed = false;
  #lastId = 0;
  #onEmpty: (() => void) | null = null;

  constructor({ ports, limits, broker, rules, application, logger }: NodeOptions) {
    this.id = ports.random.token();
    this.ports = ports;
    this.limits = limits;
    this.rules = rules;
    this.application = application;
    this.deadlines = new Deadlines(ports.clock);
    this.turns = new Turns(ports.clock);
    this.sweep = new Sweep(ports.clock, () => this.#connections.size);
    this.sessions = new Sessions(ports.clock, limits.overlapMs);
    this.traces = new Traces(ports.clock, (tell) => this.tell("trace", tell));
    this.carryOut = (connection, message) => carryOut(this, connection, message);
    this.link = new BrokerLink({
      broker,
      logger,
      clock: ports.clock,
      callMs: limits.appendMs,
      onChange: () => {
        for (const { log } of this.#channels.values()) log.brokerChanged();
      },
    });
    this.#accessOptions = {
      rules,
      authorize: application.authorize,
      callHook: (name, hook) => this.callHook(name, hook),
    };
    this.#channelHost = {
      ports,
      limits,
      link: this.link,
      callHook: this.#accessOptions.callHook,
      report: (error) => this.report(error),
      sweep: this.sweep,
      onIdle: (channel) => this.#release(channel),
    };
    this.#logger = logger;
  }

  /** Connections now, those that are closing included. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Subscriptions now, those of all connections. */
  get subscriptions(): number {
    let sum = 0;
    for (const { size } of this.#channels.values()) sum += size;
    return sum;
  }

  /** Channels in use now. */
  get channels(): number {
    return this.#channels.size;
  }

  /** Begins a conversation on a socket whose upgrade was granted. @throws Mistake: it is nobody. */
  connect(
    transport: Transport,
    authenticated: Authenticated | Admitted,
    codec: Codec = jsonCodec,
  ): Connection {
    const admitted = Admitted.by("authenticate", authenticated);
    if (admitted === null) throw new Mistake("authenticate", "authenticate gave nobody");
    const access = new Access(this.#accessOptions, admitted);
    const connection = new Connection(this, transport, codec, access);
    this.#connections.add(connection);
    this.counters.accepted += 1;
    return connection;
  }

  /** Judges a token on a live connection; null refuses. @throws `unavailable`, `internal`. */
  async authenticate(token: string): Promise<Access | null> {
    const { authenticate } = this.application;
    const given = await this.callHook("authenticate", () => authenticate(token));
    const admitted = Admitted.by("authenticate", given);
    if (admitted === null || this.hasEnded(admitted)) return null;
    return new Access(this.#accessOptions, admitted);
  }

  /** Whether the token with which somebody was let in is over. */
  hasEnded({ expiresAt }: Admitted): boolean {
    return expiresAt <= this.ports.clock.now();
  }

  /** Calls a function of the application, with its deadline. @throws TailwireError it threw; else Mistake. */
  async callHook<Value>(name: string, hook: () => Value | Promise<Value>): Promise<Value> {
    const { clock } = this.ports;
    try {
      return await withDeadline(clock, this.limits.hookMs, this.turns.call(hook), () => {
        const answer = tailwireError("unavailable", `${name} took too long`);
        return new Overdue(name, "limits.hookMs", answer);
      });
    } catch (thrown) {
      throw outcomeOf(name, thrown);
    }
  }

  /**
   * Tells the application something. An error that its listener throws, or rejects with, is its own
   * affair, and is logged.
   */
  tell(name: string, listener: () => unknown): void {
    const told = (async () => listener())();
    told.catch((thrown: unknown) => this.report(thrownBy(name, thrown)));
  }

  /** Subscribes all connections of a user to a channel. @throws `forbidden`: nothing is declared. */
  subscribe(userId: string, channel: string): void {
    if (this.rules.find(channel) === null) throw tailwireError("forbidden", channel);
    void this.turns.each(this.#connectionsOf(userId), (one) =>
      subscribeByServer(this, one, channel),
    );
  }

  /** Ends the subscriptions of all connections of a user to a channel. */
  unsubscribe(userId: string, channel: string): void {
    void this.turns.each(this.#connectionsOf(userId), (one) => unsubscribeByServer(one, channel));
  }

  /** Ends all connections of a user, for good. */
  disconnect(userId: string): void {
    void this.turns.each(this.#connectionsOf(userId), (one) => one.close("disconnected"));
  }

  #connectionsOf(userId: string): readonly Connection[] {
    return [...this.#connections].filter((connection) => connection.access.userId === userId);
  }

  /** A connection has ended. */
  forget(connection: Connection): void {
    this.#connections.delete(connection);
    this.sessions.leave(connection);
    const { identity, access, context } = connection;
    if (identity !== null) {
      const info = { user: access.user, context, client: identity.clientId };
      this.tell("onDisconnect", () => this.application.onDisconnect(info));
    }
    if (this.#connections.size === 0) this.#onEmpty?.();
  }

  /** The channel of a name that {@link ChannelRules} knows. It lives while it is used. */
  channel(name: string): Channel {
    let channel = this.#channels.get(name);
    if (channel === undefined) {
      const rule = this.rules.find(name);
      if (rule === null) throw tailwireError("forbidden");
      channel = new Channel(this.#channelHost, name, rule);
      this.#channels.set(name, channel);
    }
    return channel;
  }

  /**
   * Publishes as the server.
   *
   * @throws `forbidden`, `bad_message` for a malformed event, `invalid_data`, `too_large`,
   * `unavailable`, `indeterminate`; `closed` from {@link close} on.
   */
  async publish(name: string, event: string, value: unknown): Promise<Position> {
    this.requireOpen();
    if (typeof event !== "string" || !isEventName(event)) {
      throw tailwireError("bad_message", `"${inWords(event)}" is no event name`);
    }
    const data = dataOf(value);
    // Clients don't have to take a message that they may not send.
    const { messageBytesMax } = this.limits;
    if (payloadBytes(data) > messageBytesMax) {
      throw tailwireError("too_large", `at most ${messageBytesMax} bytes of data`);
    }
    const channel = this.channel(name);
    this.#lastId += 1;
    const id = `${this.id}/${this.#lastId}`;
    const notAfter = this.ports.clock.monotonic() + this.limits.appendMs;
    const entry = { id, producer: null, publisher: null, event, data, notAfter };
    const result = await this.#told(() => channel.use(() => channel.log.append(entry)));
    if (result.kind === "refused") throw tailwireError(result.code);
    this.counters.published += 1;
    return result.position;
  }

  /** The result, or the error as clients are told it. @throws TailwireError. */
  async #told<Value>(work: () => Awaitable<Value>): Promise<Value> {
    try {
      return await work();
    } catch (thrown) {
      throw this.report(thrown);
    }
  }

  /** Anything thrown as an error with a code. A value that isn't one already is logged, and is `internal`. */
  report(thrown: unknown): TailwireError {
    const error = errorOf(thrown);
    if (error instanceof TailwireError) return error;
    if (error instanceof Mistake) {
      const { hook, message, cause = error, answer } = error;
      if (error instanceof Overdue) this.#logger.warn({ hook }, message);
      else this.#logger.error({ hook, error: cause }, message);
      return answer;
    }
    this.#logger.error({ error }, "unexpected error");
    return tailwireError("internal");
  }

  log(message: string, fields: object): void {
    this.#logger.debug(fields, message);
  }

  /** Warns of something that would come with every request, and is worth one line. */
  warnOnce(about: string, message: string, fields: object): void {
    if (this.#warned.has(about)) return;
    this.#warned.add(about);
    this.#logger.warn(fields, message);
  }

  /** @throws `closed`. */
  requireOpen(): void {
    if (!this.#closed) return;
    const description = "This server was closed. Make a new one.";
    throw new TailwireError({ code: "closed", description, fault: "client", retry: false });
  }

  /** Closes every connection, and resolves when the last one has gone. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.turns.each([...this.#connections], (one) => one.close("restarting"));
    if (this.#connections.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onEmpty = resolve;
      });
    }
    this.deadlines.close();
    for (const channel of this.#channels.values()) this.#release(channel);
    // A broker that can't be closed must not keep the process.
    await this.callHook("broker.close", () => this.link.close()).catch((thrown: unknown) =>
      this.report(thrown),
    );
  }

  #release(channel: Channel): void {
    if (this.#channels.get(channel.name) !== channel) return;
    this.#channels.delete(channel.name);
    this.tell("broker", () => channel.close());
  }
}

/** @throws `invalid_data` for what is no data, also where looking at it throws. */
function dataOf(value: unknown): Payload {
  try {
    return payloadOf(value);
  } catch (thrown) {
    const error = errorOf(thrown);
    throw error instanceof TailwireError ? error : tailwireError("invalid_data", error.message);
  }
}
