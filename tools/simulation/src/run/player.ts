/**
 * A player: an application on a device of its own, with a client. It publishes, follows, reads and
 * asks, by both of the client's faces, and tells the witness what it did and was told.
 */
import type { Client, Gap, Publication, Subscription } from "@tailwire/client/core";
import { type Position, type Start, TailwireError } from "@tailwire/protocol";
import { msgpackCodec } from "@tailwire/protocol/msgpack";
import { abortedAfter } from "../clock.ts";
import { Device } from "../device.ts";
import { type Dice, withSession } from "../dice.ts";
import type { World } from "../world.ts";
import type { Weather } from "./weather.ts";
import { dataOf, entryOfPublication, EVENT, type Witness } from "./witness.ts";

/** Objects that all players share. */
export interface Scene {
  readonly world: World;
  readonly witness: Witness;
  readonly weather: Weather;
  readonly dice: Dice;
  /** A wall clock was set. */
  noteJump(device: Device, ms: number): void;
}

/** One of its subscriptions. */
interface Followed {
  readonly id: string;
  readonly channel: string;
  readonly subscription: Subscription;
  started: boolean;
  ended: boolean;
  /** Whether the application is in the middle of handling what it was given last. */
  working: boolean;
}

/** An interest in a channel. */
interface Interest {
  readonly start: Start;
  /** Whose publications aren't. */
  readonly without?: string | null;
  readonly begun?: boolean;
}

/** A position that a player keeps for its successor. */
interface Kept {
  readonly channel: string;
  readonly position: Position;
}

/** Codes after which nobody knows whether it was appended. */
const MAYBE: ReadonlySet<string> = new Set(["indeterminate", "taken back", "killed"]);

/** Codes that say nothing about whether a channel exists. */
const PASSING: ReadonlySet<string> = new Set(
  "unavailable internal indeterminate closed timeout unauthenticated disconnected superseded session_in_use ttl_expired limit_exceeded too_large".split(
    " ",
  ),
);

export class Player {
  readonly name: string;
  readonly user: string;
  readonly device: Device;
  readonly client: Client;
  /** The session's secret, for who clones it. */
  readonly session: string;
  readonly #scene: Scene;
  readonly #followed = new Map<string, Followed>();
  readonly #unresolved = new Set<string>();
  /** Listeners that hang, and how they end. */
  readonly #stuck: (() => void)[] = [];
  /** Pages and requests that aren't answered. */
  readonly #asking = new Set<number>();
  #count = 0;
  #ended = false;

  constructor(scene: Scene, name: string, user: string, session?: string) {
    this.#scene = scene;
    this.name = name;
    this.user = user;
    const { world, dice } = scene;
    this.session = session ?? dice.token();
    this.device = new Device(world.clock, name);
    const codec = dice.below(4) === 0 ? { codec: msgpackCodec } : {};
    const getToken = (): Promise<string> | string => this.#token();
    const random = withSession(this.session, dice);
    this.client = world.client(user, { ...codec, getToken }, this.device, random);
    scene.witness.note({ type: "client", client: name, user, session: this.session });
    this.device.onJump = (ms) => scene.noteJump(this.device, ms);
    this.client.onSubscribed(({ channel, subscription }) => {
      if (this.#ended) return;
      const followed = this.#watch(channel.name, subscription, { start: "latest", begun: true });
      subscription.on("message", (one) => this.#take(followed, one));
      scene.witness.see("subscription that the server began");
    });
  }

  /** Subscriptions that aren't over. */
  get following(): number {
    return this.#followed.size;
  }

  /** Whether its connection has been refused for good: an application would start anew. */
  get isOut(): boolean {
    return this.#ended || this.client.status.state === "closed";
  }

  /** Publications that it has heard nothing of. */
  get unresolved(): number {
    return this.#unresolved.size;
  }

  /** Pages and requests that it waits for. */
  get waiting(): number {
    return this.#asking.size;
  }

  /** Its tag. */
  publish(
    channel: string,
    options: { readonly ttlMs?: number; readonly takeBackMs?: number },
  ): string {
    const { witness, dice, world } = this.#scene;
    const tag = this.#nextTag();
    const data = dataOf(tag, dice.below(20) === 0 ? dice.below(3_000) : 0, dice.below(5) === 0);
    const { ttlMs, takeBackMs } = options;
    const as = `${this.user} ${this.session}`;
    witness.notePublish({ tag, channel, publisher: this.name, as, ttlMs: ttlMs ?? null }, data);
    this.#unresolved.add(tag);
    const given = {
      ...(ttlMs === undefined ? {} : { ttlMs }),
      ...(takeBackMs === undefined ? {} : { signal: abortedAfter(world.clock, takeBackMs) }),
    };
    this.client
      .channel(channel)
      .publish(EVENT, data, given)
      .then(
        ({ position }) => {
          if (this.#unresolved.delete(tag)) witness.note({ type: "published", tag, position });
        },
        (error: unknown) => this.#unpublished(tag, channel, error),
      );
    return tag;
  }

  follow(channel: string, start: Start, face: "on" | "iterate", echo: boolean): void {
    if (this.isOut) return;
    const subscription = this.client.channel(channel).subscribe({ start, echo });
    const followed = this.#watch(channel, subscription, {
      start,
      without: echo ? null : this.name,
    });
    if (face === "on") subscription.on("message", (one) => this.#take(followed, one));
    else void this.#iterate(followed);
  }

  /** Ends one of its subscriptions. */
  unfollow(turn: number): void {
    const followed = [...this.#followed.values()][turn % Math.max(1, this.#followed.size)];
    if (followed === undefined) return;
    this.#end(followed);
    void followed.subscription.close();
  }

  read(channel: string, at: { readonly after?: Position; readonly before?: Position }): void {
    const { witness, dice } = this.#scene;
    const asked = this.#ask();
    const page = `${this.name} page ${asked}`;
    const count = 1 + dice.below(20);
    const { after = null, before = null } = at;
    witness.note({ type: "read", page, channel, after, before, count });
    this.client
      .channel(channel)
      .read({ ...at, limit: count })
      .then(
        ({ publications, more, gap }) => {
          if (!this.#asking.delete(asked)) return;
          const epoch = publications[0]?.position.epoch ?? null;
          const entries = publications.map(entryOfPublication);
          witness.note({ type: "page", page, epoch, entries, more, gap });
          witness.see(gap === null ? "page" : "page with a gap");
        },
        (error: unknown) => {
          this.#asking.delete(asked);
          this.#refused("read", channel, error);
        },
      );
  }

  request(name: string): void {
    const { witness, dice, world } = this.#scene;
    const asked = this.#ask();
    const takenBack =
      dice.below(6) === 0 ? { signal: abortedAfter(world.clock, dice.below(400)) } : {};
    this.client.request(name, { asked }, { ...takenBack, timeoutMs: 8_000 }).then(
      () => {
        this.#asking.delete(asked);
        witness.see("request answered");
      },
      (error: unknown) => {
        this.#asking.delete(asked);
        witness.see(`request: ${codeOf(error)}`);
      },
    );
  }

  /** Where its subscriptions are. */
  positions(): readonly Kept[] {
    return [...this.#followed.values()].flatMap((followed) => {
      const { id: sub, channel, started, working, subscription } = followed;
      const { position } = subscription;
      if (position === null) return [];
      if (started) this.#scene.witness.note({ type: "kept", sub, position, working });
      return [{ channel, position }];
    });
  }

  /** Listeners that hang come to an end. */
  unstick(): void {
    for (const done of this.#stuck.splice(0)) done();
  }

  /** Tells how its client says that it is. */
  noteStatus(): void {
    const { state, pending } = this.client.status;
    this.#scene.witness.note({ type: "status", client: this.name, state, pending });
  }

  /** It is done, and closes its client. Resolves when that is closed. */
  close(): Promise<void> {
    this.#scene.witness.note({ type: "quit", client: this.name });
    return this.client.close();
  }

  /** The application is killed: nothing it waits for will come. */
  kill(): void {
    this.#ended = true;
    this.#scene.witness.note({ type: "quit", client: this.name });
    this.device.end();
    for (const link of this.#scene.world.linksFrom(this.device)) link.cut();
    for (const followed of this.#followed.values()) this.#end(followed);
    for (const tag of this.#unresolved) this.#unpublished(tag, "", new Error("killed"));
    this.#asking.clear();
  }

  /** The application's answer when its client asks for a token. */
  #token(): Promise<string> | string {
    switch (this.#scene.weather.tokens) {
      case "hangs":
        return new Promise(() => undefined);
      case "fails":
        throw new Error("no token");
      default:
        return `${this.user}~${this.name}`;
    }
  }

  // Events of its client

  #watch(
    channel: string,
    subscription: Subscription,
    { start, without = null, begun = false }: Interest,
  ): Followed {
    const { witness, world } = this.#scene;
    const id = `${this.name} ${this.#nextTag()}`;
    const hasState = channel.startsWith("state:");
    const [client, at] = [this.name, world.clock.monotonic()];
    const told = { sub: id, client, channel, start, without, hasState, begun, at } as const;
    witness.note({ type: "subscribe", ...told });
    const followed = { id, channel, subscription, started: false, ended: false, working: false };
    this.#followed.set(id, followed);
    if (typeof start === "object" && !("rewind" in start)) this.#begin(followed, start);
    void subscription.ready.then(
      () => this.#begin(followed, subscription.position),
      (error: unknown) => this.#refused("subscribe", channel, error),
    );
    subscription.onGap((gap) => this.#gap(followed, gap));
    subscription.onSnapshot(({ data, position }) => {
      if (followed.ended) return;
      this.#begin(followed, position);
      const state = String((data as { readonly state?: unknown }).state);
      witness.note({ type: "snapshot", sub: id, position, state, at: world.clock.monotonic() });
      witness.see("snapshot");
    });
    subscription.onCaughtUp(() => {
      if (!followed.ended) witness.note({ type: "caughtup", sub: id });
    });
    subscription.onEnd((error) => {
      if (error !== null) witness.see(`subscription ended: ${error.code}`);
      this.#end(followed, { asked: false, code: error?.code ?? null });
    });
    return followed;
  }

  #begin(followed: Followed, position: Position | null): void {
    if (followed.started || followed.ended || position === null) return;
    followed.started = true;
    const { witness, world } = this.#scene;
    witness.note({ type: "started", sub: followed.id, position, at: world.clock.monotonic() });
  }

  #take(followed: Followed, publication: Publication): Promise<void> | void {
    if (followed.ended) return;
    this.#begin(followed, followed.subscription.position);
    const { epoch } = publication.position;
    const { witness, weather, world } = this.#scene;
    const at = world.clock.monotonic();
    witness.note({
      type: "delivery",
      sub: followed.id,
      epoch,
      entry: entryOfPublication(publication),
      at,
    });
    const isStuck = weather.stuck.has(followed.channel);
    if (weather.dripMs === 0 && !isStuck) return;
    followed.working = true;
    return new Promise((resolve) => {
      const done = (): void => {
        followed.working = false;
        resolve();
      };
      if (isStuck) this.#stuck.push(done);
      else world.clock.after(weather.dripMs, done);
    });
  }

  async #iterate(followed: Followed): Promise<void> {
    try {
      for await (const publication of followed.subscription) {
        followed.working = true;
        await this.#take(followed, publication);
        followed.working = false;
      }
    } catch {
      // Why it ended is told by `onEnd`.
    }
  }

  #gap(followed: Followed, gap: Gap): void {
    if (followed.ended) return;
    this.#begin(followed, gap.from);
    const { witness, world } = this.#scene;
    witness.note({ type: "gap", sub: followed.id, ...gap, at: world.clock.monotonic() });
    witness.see(`gap: ${gap.reason}`);
  }

  /** It takes no more: because the application wants it so, where nothing else is said. */
  #end(
    followed: Followed,
    why: { readonly asked: boolean; readonly code: string | null } = { asked: true, code: null },
  ): void {
    if (followed.ended) return;
    followed.ended = true;
    this.#followed.delete(followed.id);
    this.#scene.witness.note({ type: "ended", sub: followed.id, ...why });
  }

  #unpublished(tag: string, channel: string, error: unknown): void {
    if (!this.#unresolved.delete(tag)) return;
    const code = codeOf(error);
    const { witness, world } = this.#scene;
    const at = world.clock.monotonic();
    witness.note({ type: "unpublished", tag, code, may: MAYBE.has(code), at });
    this.#refused("publish", channel, error);
  }

  #refused(action: string, channel: string, error: unknown): void {
    const { witness } = this.#scene;
    const code = codeOf(error);
    witness.see(`${action}: ${code}`);
    const exists = channel.startsWith("secret:");
    if (PASSING.has(code) || (!exists && !channel.startsWith("nowhere:"))) return;
    if (exists && this.user === "ada") return;
    if (!(error instanceof TailwireError)) return;
    const answer = `${code} ${error.description} ${error.retry}`;
    witness.note({ type: "denied", action, exists, answer });
  }

  #ask(): number {
    this.#count += 1;
    this.#asking.add(this.#count);
    return this.#count;
  }

  #nextTag(): string {
    this.#count += 1;
    return `${this.name}.${this.#count}`;
  }
}

/** An error's code; its message where it has none. */
export function codeOf(error: unknown): string {
  if (error instanceof TailwireError) return error.code;
  return error instanceof Error ? error.message : String(error);
}
