/**
 * A stage: a world with nodes that share a broker, the application on them, and who may do what.
 *
 * It notes its application's calls and answers. Weather and mischief make its faults.
 */
import { type Position, PROTOCOL_LIMITS, TailwireError } from "@tailwire/protocol";
import type {
  Application,
  Authenticated,
  AuthorizeQuestion,
  ChannelOptions,
  Limits,
  SnapshotHook,
  User,
} from "@tailwire/server/core";
import { DEFAULT_LIMITS } from "@tailwire/server/core";
import { SimulatedClock } from "../clock.ts";
import { BrokerLine } from "../broker/broker-line.ts";
import { SharedBroker } from "../broker/shared-broker.ts";
import type { StoringBroker } from "../broker/stored-log.ts";
import { TappedBroker } from "../broker/tapped-broker.ts";
import { Device } from "../device.ts";
import { Dice } from "../dice.ts";
import type { Host } from "../host.ts";
import { World } from "../world.ts";
import type { Scene } from "./player.ts";
import type { FaultClass, Regime } from "./regime.ts";
import { Weather } from "./weather.ts";
import { tagOf, Witness } from "./witness.ts";

/** Channels that there are. To `secret:1` only ada may go; `nowhere:1` isn't declared. */
export const CHANNELS = ["room:1", "room:2", "tiny:1", "state:1", "begun:1", "secret:1"] as const;

/** A channel that isn't declared. */
export const NOWHERE = "nowhere:1";

/** A user with the name of what its token allowed it. */
export interface Bearer extends User {
  readonly grant: string;
}

/** Errors that are made on purpose begin like this. */
export const ON_PURPOSE = "on purpose";

const TINY: Partial<Limits> = {
  flushBytesMax: 400,
  tailBytesMax: 1_000,
  controlBytesMax: 400,
  requestBytesMax: 1_500,
  window: 8,
  messagesPerSecond: 20,
  bytesPerSecond: 20_000,
  burstSeconds: 1,
  subscriptionsMax: 4,
  messageBytesMax: 4_096,
  appendMs: 4_000,
};

/** Bytes that a request counts for, and that the shortest answers take. */
const REQUEST_BYTES = 512;
const ANSWER_BYTES = 80;

/** Faults after which a node doesn't know for a while what has become of its logs, and how long. */
const MAKES_STALE: readonly FaultClass[] = [
  "node pause",
  "node cut from broker",
  "broker cut from node",
  "broker slow",
  "broker restart",
  "log loses its end",
  "broker wiped",
  "trim",
  "push late",
  "push lost",
];
const STALE_MS = 120_000;

export class Stage implements Scene {
  readonly world: World;
  readonly witness: Witness;
  readonly weather: Weather;
  readonly dice: Dice;
  readonly regime: Regime;
  readonly broker: StoringBroker;
  /** The broker's own machine. */
  readonly brokerDevice: Device;
  readonly lines = new Map<Device, BrokerLine>();
  readonly #chance: Dice;
  readonly #forbidden = new Set<string>();
  #grants = 0;

  constructor(regime: Regime, users: readonly string[]) {
    const { seed, isTiny, isShipped, dedupeMs, hosts } = regime;
    this.regime = regime;
    this.dice = new Dice(seed * 7_919 + 1);
    this.#chance = new Dice(seed * 104_729 + 2);
    this.weather = new Weather(regime.delayMs);
    const clock = new SimulatedClock();
    this.witness = new Witness(clock);
    this.brokerDevice = new Device(clock, "broker");
    const limits = { ...(isTiny ? TINY : {}), dedupeMs };
    const stored = {
      clock: this.brokerDevice.clock,
      random: new Dice(seed * 17 + 4),
      dedupeMs,
      window: limits.window ?? DEFAULT_LIMITS.window,
      producersMax: DEFAULT_LIMITS.producersMax,
      witness: this.witness,
    };
    this.broker = isShipped ? new TappedBroker(stored) : new SharedBroker(stored);
    this.world = new World({
      seed: seed * 13 + 3,
      clock,
      hosts,
      limits,
      kernelBytes: isTiny ? 300 : 65_536,
      delayOf: (bytes) => this.#delayOf(bytes),
      channels: this.#channels(),
      authenticate: (token) => this.#authenticate(token),
      application: this.#application(),
      brokerOf: (device) => this.#newLine(device),
    });
    this.#noteSetting();
    this.world.route = () => this.#route();
    for (const user of users) {
      for (const channel of CHANNELS) this.#policy(user, channel, this.mayFollow(user, channel));
      this.#policy(user, NOWHERE, false);
    }
  }

  #noteSetting(): void {
    const { limits } = this.world;
    this.witness.note({
      type: "setting",
      pageBytes: limits.flushBytesMax,
      dedupeMs: limits.dedupeMs,
      appendMs: limits.appendMs,
      subscriptionsMax: limits.subscriptionsMax,
      messageBytesMax: limits.messageBytesMax,
      // Requests in progress, their answers, and a message that is taken whole.
      requestsMax:
        Math.ceil(limits.requestBytesMax / REQUEST_BYTES) +
        Math.ceil(limits.controlBytesMax / ANSWER_BYTES) +
        PROTOCOL_LIMITS.batchMax,
      window: limits.window,
      staleMs: this.mayBeStale ? STALE_MS : 0,
      wall: this.brokerDevice.clock.now(),
    });
    this.brokerDevice.onJump = (ms) => this.noteJump(this.brokerDevice, ms);
  }

  /** Whether nodes may not know for a while what has become of their logs. */
  get mayBeStale(): boolean {
    return MAKES_STALE.some((name) => this.regime.rates.has(name));
  }

  /** A wall clock was set. */
  noteJump({ name: device }: Device, ms: number): void {
    this.witness.note({ type: "jumped", device, ms, at: this.world.clock.monotonic() });
  }

  /** The line of the process that runs on a host. */
  lineOf({ device }: Host): BrokerLine {
    return this.lines.get(device) ?? this.#newLine(device);
  }

  mayFollow(user: string, channel: string): boolean {
    if (this.#forbidden.has(`${user} ${channel}`)) return false;
    return !channel.startsWith("secret:") || user === "ada";
  }

  /** Takes a channel from a user, or gives it back. It counts from the next token on. */
  forbid(user: string, channel: string, forbidden: boolean): void {
    if (forbidden) this.#forbidden.add(`${user} ${channel}`);
    else this.#forbidden.delete(`${user} ${channel}`);
    this.#policy(user, channel, this.mayFollow(user, channel));
  }

  allowAll(): void {
    for (const key of this.#forbidden) {
      const [user = "", channel = ""] = key.split(" ");
      this.forbid(user, channel, false);
    }
  }

  #policy(user: string, channel: string, allowed: boolean): void {
    this.witness.note({ type: "policy", user, channel, allowed });
  }

  #newLine(device: Device): BrokerLine {
    const line = new BrokerLine(this.broker, this.brokerDevice.clock, device.clock);
    this.lines.set(device, line);
    return line;
  }

  #delayOf(bytes: number): number {
    const { delayMs, jitterMs, bandwidth } = this.weather;
    const jitter = jitterMs === 0 ? 0 : this.#chance.below(jitterMs);
    return delayMs + jitter + (bandwidth === Infinity ? 0 : bytes / bandwidth);
  }

  #route(): Host | null {
    if (this.weather.refuses) return null;
    const up = this.world.hosts.filter(({ isUp }) => isUp);
    return up[this.#chance.below(Math.max(1, up.length))] ?? null;
  }

  // The application

  #authenticate(token: string): Authenticated | Promise<Authenticated | null> {
    const [id = ""] = token.split("~");
    const { auth, tokenMs, connectMs } = this.weather;
    const judge = (): Authenticated => {
      this.#grants += 1;
      const user: Bearer = { id, grant: `g${this.#grants}` };
      const expiresAt = tokenMs === null ? Infinity : this.world.clock.now() + tokenMs;
      const at = this.world.clock.monotonic();
      this.witness.note({ type: "token", connection: user.grant, user: id, expiresAt, at });
      return tokenMs === null ? { user } : { user, expiresAt };
    };
    if (auth === "well" && connectMs === 0) return judge();
    return this.#after(connectMs + (auth === "slow" ? this.#chance.below(7_000) : 0), () => {
      if (auth === "fails") throw this.#failure("nobody can judge tokens");
      return judge();
    });
  }

  #application(): Partial<Application> {
    return {
      authorize: (question: AuthorizeQuestion) => this.#authorize(question),
      requests: new Map([
        ["echo", (input: unknown) => this.#hook(() => input)],
        [
          "refuse",
          () =>
            this.#hook(() => {
              throw new TailwireError(NOPE);
            }),
        ],
      ]),
    };
  }

  #authorize({ user, channel }: AuthorizeQuestion): boolean | Promise<boolean> {
    const { auth } = this.weather;
    const judge = (): boolean => this.mayFollow(user.id, channel);
    if (auth === "well") return judge();
    if (auth === "fails") throw this.#failure("nobody can judge users");
    return this.#after(this.#chance.below(7_000), judge);
  }

  #channels(): Readonly<Record<string, ChannelOptions>> {
    const { isTiny } = this.regime;
    const count = isTiny ? 2 : 3 + this.dice.below(20);
    const ages = [20_000, 120_000, 600_000];
    const maxAgeMs = ages[this.dice.below(ages.length)] ?? 600_000;
    return {
      "room:{id}": { retention: { maxAgeMs }, onPublish: ({ data }) => this.#take(data) },
      "tiny:{id}": { retention: { count } },
      "state:{id}": { retention: { count: isTiny ? 4 : 60 }, snapshot: this.#snapshot },
      "begun:{id}": {},
      "secret:{id}": {},
    };
  }

  #take(data: unknown): unknown {
    if (this.weather.refused.delete(tagOf(data))) throw this.#failure("a publication is refused");
    return this.#hook(() => data);
  }

  /** The application's state is the witness's, of now or of shortly before. */
  readonly #snapshot: SnapshotHook = ({ channel, position }) =>
    this.#hook(() => {
      const ago = this.#chance.below(3) === 0 ? this.#chance.below(8) : 0;
      const known = this.witness.stateOf(channel, ago);
      if (known === null) return { data: { state: "0:0" }, position };
      const { epoch, offset, state } = known;
      const place: Position = { epoch, offset, id: null };
      return { data: { state }, position: place };
    });

  #hook<Value>(answer: () => Value): Value | Promise<Value> {
    switch (this.weather.hooks) {
      case "well":
        return answer();
      case "slow":
        return this.#after(this.#chance.below(7_000), answer);
      case "fails":
        throw this.#failure("a hook fails");
      case "hangs":
        return new Promise(() => undefined);
      default:
        return this.weather.hooks satisfies never;
    }
  }

  #failure(what: string): Error {
    this.witness.note({ type: "failed" });
    return new Error(`${ON_PURPOSE}: ${what}`);
  }

  #after<Value>(ms: number, answer: () => Value): Promise<Value> {
    return new Promise((resolve, reject) => {
      this.world.clock.after(ms, () => {
        try {
          resolve(answer());
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
    });
  }
}

/** The application's own code. */
const NOPE = { code: "nope", description: "No.", fault: "client", retry: false } as const;
