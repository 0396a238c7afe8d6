/**
 * A simulated world: real clients and a real node, joined by simulated links, on one clock and
 * one seed. What a test or the simulator does to it, it does through `links` and `advance`.
 */
import { Client, type ClientOptions, type Ports as ClientPorts } from "@tailwire/client/core";
import { CLOSE_CODES } from "@tailwire/protocol";
import type { Broker } from "@tailwire/server/broker-contract";
import {
  type Application,
  type Authenticated,
  type ChannelOptions,
  ChannelRules,
  DEFAULT_LIMITS,
  type Limits,
  type Logger,
  MemoryBroker,
  type Ports as ServerPorts,
  TailwireNode,
} from "@tailwire/server/core";
import { openApplication } from "./application.ts";
import { SimulatedClock } from "./clock.ts";
import { Device } from "./device.ts";
import { Dice } from "./dice.ts";
import { Link, type Tap } from "./link.ts";

export interface WorldOptions {
  readonly seed?: number;
  /** One way, in milliseconds. */
  readonly delayMs?: number;
  /** What a kernel takes of unread bytes before the server's write has to wait. */
  readonly kernelBytes?: number;
  readonly limits?: Partial<Limits>;
  readonly channels?: Readonly<Record<string, ChannelOptions>>;
  /** What the application decides and answers; nothing special where left out. */
  readonly application?: Partial<Application>;
  /** Judges a token; every token is its user's name where left out. */
  readonly authenticate?: (token: string) => Authenticated | null;
  /** Wraps the memory broker, to put faults into it. */
  readonly wrapBroker?: (broker: Broker) => Broker;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A token that is refused. */
export const BAD_TOKEN = "refused";

export class World {
  readonly clock = new SimulatedClock();
  readonly dice: Dice;
  readonly limits: Limits;
  /** Every link that was ever made, the newest last. */
  readonly links: Link[] = [];
  /** Errors that the server logged: none is expected unless a test says so. */
  readonly errors: object[] = [];
  readonly #options: WorldOptions;
  node: TailwireNode;
  /** Looks at every message as it arrives. */
  tap: Tap = () => "arrives";
  /** What the clients' platform throws when a socket is to be made. */
  cannotConnect: Error | null = null;
  /** Whether connections are refused, as when nobody listens. */
  unreachable = false;

  constructor(options: WorldOptions = {}) {
    this.#options = options;
    this.dice = new Dice(options.seed ?? 1);
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.node = this.newNode();
  }

  /** The link that was made last. */
  get link(): Link {
    const link = this.links.at(-1);
    if (link === undefined) throw new Error("no link was made yet");
    return link;
  }

  /** A node with a memory of its own, as a process has that starts anew. */
  newNode(): TailwireNode {
    const { channels = { "room:{id}": {} }, wrapBroker = (broker: Broker) => broker } =
      this.#options;
    const ports = this.#serverPorts();
    return new TailwireNode({
      ports,
      limits: this.limits,
      broker: wrapBroker(new MemoryBroker({ ...ports, ...this.limits })),
      rules: new ChannelRules(channels),
      application: openApplication({
        authenticate: async (token) => this.#authenticate(token),
        ...this.#options.application,
      }),
      logger: this.#logger(),
    });
  }

  /** The process ends without a word and another one starts: links break, memory is gone. */
  crash(): void {
    for (const link of this.links) link.cut();
    this.node = this.newNode();
  }

  /** A client whose token is the user's name, on a device of its own unless it is given one. */
  client(user: string, options: ClientOptions = {}, device = new Device(this.clock)): Client {
    return new Client(
      "ws://node/tailwire",
      { getToken: () => user, ...options },
      this.#clientPorts(device),
    );
  }

  advance(ms: number): Promise<void> {
    return this.clock.advance(ms);
  }

  until(condition: () => boolean, withinMs?: number): Promise<void> {
    return this.clock.until(condition, withinMs);
  }

  /** What a promise comes to, with time moving on until it does. */
  async outcome<Value>(promise: Promise<Value>, withinMs?: number): Promise<Value> {
    let settled = false;
    const settle = (): void => {
      settled = true;
    };
    promise.then(settle, settle);
    await this.until(() => settled, withinMs);
    return promise;
  }

  #serverPorts(): ServerPorts {
    const { clock, dice } = this;
    return {
      clock,
      random: dice,
      digest: (text) => `id-${text.replaceAll(/[^A-Za-z0-9_-]/g, "_").slice(0, 60)}`,
      encodeInto: (text, target) => encoder.encodeInto(text, target),
      abort: () => new AbortController(),
      // Links carry messages, so a frame is its payload; it is copied, as real framing does.
      frame: (payload) => payload.slice(),
    };
  }

  #clientPorts(device: Device): ClientPorts {
    const { clock, dice } = this;
    return {
      clock: device.clock,
      random: dice,
      life: device.life,
      base64url: (text) => text,
      abort: () => new AbortController(),
      connect: (_url, subprotocols, events) => {
        if (this.cannotConnect !== null) throw this.cannotConnect;
        const link = new Link(
          {
            clock,
            delayMs: this.#options.delayMs ?? 10,
            kernelBytes: this.#options.kernelBytes ?? 65_536,
            tap: (direction, text, own) => this.tap(direction, text, own),
            decode: (frame) => decoder.decode(frame),
          },
          events,
        );
        this.links.push(link);
        clock.after(this.#options.delayMs ?? 10, () => this.#answer(link, subprotocols));
        return link;
      },
    };
  }

  #answer(link: Link, subprotocols: readonly string[]): void {
    const user = subprotocols.at(-1)?.split(".").at(-1) ?? "anonymous";
    if (this.unreachable) return link.refuse(1006, "");
    if (user === BAD_TOKEN) return link.refuse(CLOSE_CODES.unauthenticated.code, "unauthenticated");
    const authenticated = this.#authenticate(user);
    if (authenticated === null)
      return link.refuse(CLOSE_CODES.unauthenticated.code, "unauthenticated");
    link.open((transport) => this.node.connect(transport, authenticated));
  }

  #authenticate(token: string): Authenticated | null {
    const { authenticate = (name: string) => ({ user: { id: name } }) } = this.#options;
    return authenticate(token);
  }

  #logger(): Logger {
    const ignore = (): void => undefined;
    const keep = (fields: object): void => void this.errors.push(fields);
    return { debug: ignore, info: ignore, warn: keep, error: keep };
  }
}
