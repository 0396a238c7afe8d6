/**
 * A simulated world: real clients and real nodes, joined by simulated links, on one clock and one seed.
 * Tests and the simulator act on it by `links`, `hosts` and `advance`.
 */
import {
  Client,
  type ClientOptions,
  type Ports as ClientPorts,
  type SocketEvents,
} from "@tailwire/client/core";
import {
  chooseSubprotocol,
  CLOSE_CODES,
  type Codec,
  jsonCodec,
  type Random,
} from "@tailwire/protocol";
import { msgpackCodec } from "@tailwire/protocol/msgpack";
import type { Broker } from "@tailwire/server/broker-contract";
import {
  Admitted,
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
import { Host } from "./host.ts";
import { Link, type LinkWatch, type Tap } from "./link.ts";

export interface WorldOptions {
  readonly seed?: number;
  /** One that others use as well; its own where left out. */
  readonly clock?: SimulatedClock;
  /** One way, in milliseconds. */
  readonly delayMs?: number;
  /** The same by the number of bytes, where that counts. */
  readonly delayOf?: (bytes: number) => number;
  /** Machines with a node each; one where left out. */
  readonly hosts?: number;
  /** Unread bytes that the kernel buffers before a write of the server has to wait. */
  readonly kernelBytes?: number;
  readonly limits?: Partial<Limits>;
  readonly channels?: Readonly<Record<string, ChannelOptions>>;
  /** Hooks of the application; the others allow everything. */
  readonly application?: Partial<Application>;
  /** Judges a token; every token is its user's name where left out. */
  readonly authenticate?: Authenticate;
  /** Wraps the memory broker, to put faults into it. */
  readonly wrapBroker?: (broker: Broker) => Broker;
  /** The broker of a node that starts on a machine; a memory of its own where left out. */
  readonly brokerOf?: (device: Device) => Broker;
}

/** Judges a token: null refuses it. */
type Authenticate = (token: string) => Authenticated | null | Promise<Authenticated | null>;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The codecs of every node. */
const CODECS: readonly Codec[] = [jsonCodec, msgpackCodec];

const ignore = (): void => undefined;

/** A token that is refused. */
export const BAD_TOKEN = "refused";

export class World {
  readonly clock: SimulatedClock;
  readonly dice: Dice;
  readonly limits: Limits;
  /** Every link that was ever made, the newest last. */
  readonly links: Link[] = [];
  /** Errors that the server logged: none is expected unless a test says so. */
  readonly errors: object[] = [];
  readonly #options: WorldOptions;
  readonly hosts: readonly Host[];
  /** Where each link leads from, and to. */
  readonly #deviceOf = new WeakMap<Link, Device>();
  readonly #hostOf = new WeakMap<Link, Host>();
  /** Decoded frames: many links share a frame. */
  readonly #texts = new WeakMap<Uint8Array, string>();
  /** Chooses the host of a new connection, as a load balancer does; null: there is none. */
  route: () => Host | null = () => this.hosts[0] ?? null;
  /** Looks at every message as it arrives. */
  tap: Tap = () => "arrives";
  /** Called with the events at the ends of links. */
  watch: LinkWatch = {
    sent: ignore,
    written: ignore,
    flushed: ignore,
    closed: ignore,
    gone: ignore,
  };
  /** The error that the clients' platform throws for a new socket; null: none. */
  cannotConnect: Error | null = null;
  /** Whether connections are refused, as when nobody listens. */
  unreachable = false;

  constructor(options: WorldOptions = {}) {
    this.#options = options;
    this.clock = options.clock ?? new SimulatedClock();
    this.dice = new Dice(options.seed ?? 1);
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
    const start = (device: Device): TailwireNode => this.newNode(device);
    const { hosts = 1 } = options;
    this.hosts = Array.from({ length: hosts }, () => new Host(this.clock, start));
  }

  /** The first node. */
  get node(): TailwireNode {
    return (this.hosts[0] as Host).node;
  }

  /** The link that was made last. */
  get link(): Link {
    const link = this.links.at(-1);
    if (link === undefined) throw new Error("no link was made yet");
    return link;
  }

  /** A node with a memory of its own, as a process has that starts anew. */
  newNode(device = new Device(this.clock)): TailwireNode {
    const { channels = { "room:{id}": {} }, wrapBroker = (broker: Broker) => broker } =
      this.#options;
    const ports = this.#serverPorts(device);
    const { brokerOf = () => new MemoryBroker({ ...ports, ...this.limits }) } = this.#options;
    return new TailwireNode({
      ports,
      limits: this.limits,
      broker: wrapBroker(brokerOf(device)),
      rules: new ChannelRules(channels),
      application: openApplication({
        authenticate: async (token) => this.#authenticate(token),
        ...this.#options.application,
      }),
      logger: this.#logger(),
    });
  }

  /** A process ends without a word and another one starts: links break, its memory is gone. */
  crash(host = this.hosts[0] as Host): void {
    host.crash();
    for (const link of this.linksOf(host)) link.cut();
    host.start();
  }

  /** Where a link leads, once it was granted. */
  hostOf(link: Link): Host | undefined {
    return this.#hostOf.get(link);
  }

  /** The device that made a link. */
  deviceOf(link: Link): Device | undefined {
    return this.#deviceOf.get(link);
  }

  /** Links that lead to a host. */
  linksOf(host: Host): readonly Link[] {
    return this.links.filter((link) => this.#hostOf.get(link) === host);
  }

  /** Links that a client's device has made. */
  linksFrom(device: Device): readonly Link[] {
    return this.links.filter((link) => this.#deviceOf.get(link) === device);
  }

  /** Lets go of links that are over. */
  forgetLinks(): void {
    const kept = this.links.filter(({ isOver }) => !isOver);
    this.links.splice(0, this.links.length, ...kept);
  }

  /** A client whose token is the user's name, on a device of its own unless it is given one. */
  client(
    user: string,
    options: ClientOptions = {},
    device = new Device(this.clock),
    random: Random = this.dice,
  ): Client {
    return new Client(
      "ws://node/tailwire",
      { getToken: () => user, ...options },
      this.#clientPorts(device, random),
    );
  }

  advance(ms: number): Promise<void> {
    return this.clock.advance(ms);
  }

  until(condition: () => boolean, withinMs?: number): Promise<void> {
    return this.clock.until(condition, withinMs);
  }

  /** Resolves or rejects as the promise does, and advances the time until then. */
  async outcome<Value>(promise: Promise<Value>, withinMs?: number): Promise<Value> {
    let settled = false;
    const settle = (): void => {
      settled = true;
    };
    promise.then(settle, settle);
    await this.until(() => settled, withinMs);
    return promise;
  }

  #serverPorts({ clock }: Device): ServerPorts {
    return {
      clock,
      random: this.dice,
      digest: (text) => `id-${text.replaceAll(/[^A-Za-z0-9_-]/g, "_").slice(0, 60)}`,
      encodeInto: (text, target) => encoder.encodeInto(text, target),
      abort: () => new AbortController(),
      // Links carry messages, so a frame is its payload; it is copied, as real framing does.
      frame: (payload) => payload.slice(),
    };
  }

  #clientPorts(device: Device, random: Random): ClientPorts {
    return {
      clock: device.clock,
      random,
      life: device.life,
      base64url: (text) => text,
      warn: () => undefined,
      abort: () => new AbortController(),
      connect: (_url, subprotocols, events) => this.dial(device, subprotocols, events),
    };
  }

  /** A socket of a device; clients make theirs by it. */
  dial(device: Device, subprotocols: readonly string[], events: SocketEvents): Link {
    if (this.cannotConnect !== null) throw this.cannotConnect;
    const { delayMs = 10, delayOf = () => delayMs, kernelBytes = 65_536 } = this.#options;
    const { clock, watch } = this;
    const tap: Tap = (direction, text, own) => this.tap(direction, text, own);
    const decode = (frame: Uint8Array, subprotocol: string) => this.#decode(frame, subprotocol);
    const link = new Link({ clock, delayOf, kernelBytes, tap, decode, watch }, events);
    this.links.push(link);
    this.#deviceOf.set(link, device);
    clock.after(delayOf(0), () => this.#answer(link, subprotocols));
    return link;
  }

  #decode(frame: Uint8Array, subprotocol: string): string | Uint8Array {
    if (subprotocol !== jsonCodec.subprotocol) return frame;
    let text = this.#texts.get(frame);
    if (text === undefined) {
      text = decoder.decode(frame);
      this.#texts.set(frame, text);
    }
    return text;
  }

  #answer(link: Link, subprotocols: readonly string[]): void {
    const user = subprotocols.at(-1)?.split(".").at(-1) ?? "anonymous";
    const host = this.unreachable ? null : this.route();
    if (host === null || !host.isUp) return link.refuse(1006, "");
    if (user === BAD_TOKEN) return link.refuse(CLOSE_CODES.unauthenticated.code, "unauthenticated");
    // A machine that stands still accepts nobody, and refuses nobody.
    host.device.run(() => this.#judge(link, host, user, subprotocols));
  }

  #judge(link: Link, host: Host, user: string, subprotocols: readonly string[]): void {
    const codec = chooseSubprotocol(subprotocols, CODECS) ?? jsonCodec;
    const judged = this.#authenticate(user);
    if (!(judged instanceof Promise)) return this.#admit(link, host, codec, judged);
    // A node that can't judge in time refuses with a status, which a client can't read.
    const { node } = host;
    node
      .callHook("authenticate", () => judged)
      .then(
        (authenticated) => {
          if (node === host.node) this.#admit(link, host, codec, authenticated);
        },
        () => link.refuse(1006, ""),
      );
  }

  /** Lets in or refuses, as the driver of upgrades does. */
  #admit(link: Link, host: Host, codec: Codec, authenticated: Authenticated | null): void {
    if (!host.isUp) return link.refuse(1006, "");
    const { device, node } = host;
    let admitted: Admitted | null;
    try {
      admitted = Admitted.by("authenticate", authenticated);
    } catch {
      // A misfit is the application's mistake, and a status that no client can read.
      return link.refuse(1006, "");
    }
    if (admitted === null || node.hasEnded(admitted)) {
      const name = admitted === null ? "unauthenticated" : "token_expired";
      return link.refuse(CLOSE_CODES[name].code, name);
    }
    const somebody = admitted;
    this.#hostOf.set(link, host);
    const atServer = (callback: () => void): void => device.run(callback);
    link.open(codec.subprotocol, atServer, (transport) => node.connect(transport, somebody, codec));
  }

  #authenticate(token: string): ReturnType<Authenticate> {
    const { authenticate = (name: string) => ({ user: { id: name } }) } = this.#options;
    return authenticate(token);
  }

  #logger(): Logger {
    const keep = (fields: object): void => void this.errors.push(fields);
    return { debug: ignore, info: ignore, warn: keep, error: keep };
  }
}
