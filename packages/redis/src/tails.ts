/**
 * The logs that this node follows: their subscriptions in Redis, and the probes by which a push that
 * was lost is noticed. It reads no publications.
 */
import type { BrokerHost, Tail, TailListener } from "@tailwire/server/broker-contract";
import type { Position } from "@tailwire/protocol";
import type { Connections } from "./connections.ts";
import { decodePush } from "./entries.ts";

/** Between two probes, in milliseconds. The second one after a lost push makes it suspect: within 2 s. */
const PROBE_MS = 900;

/** A log that can be followed. */
export interface Followable {
  /** The key of its meta hash, which is its channel in Redis, too. */
  readonly name: string;
  /** Milliseconds after which its keys expire where nobody uses them. */
  readonly expiryMs: number;
  /** Its last position. The call keeps its keys from expiring. */
  end(): Promise<Position>;
}

/** A place in a log, without an id. */
type Place = Pick<Position, "epoch" | "offset">;

interface Followed {
  readonly log: Followable;
  readonly listeners: Set<TailListener>;
  readonly subscribed: Promise<void>;
  /** The last place that a push or the log's end has shown. */
  seen: Place | null;
  /** A place that a probe has found, and no push has shown yet. */
  awaited: Place | null;
  keptAt: number;
}

export class Tails {
  readonly #host: BrokerHost;
  readonly #connections: Connections;
  readonly #followed = new Map<string, Followed>();
  #cancelProbe: () => void = () => undefined;
  #isClosed = false;

  constructor(host: BrokerHost, connections: Connections) {
    this.#host = host;
    this.#connections = connections;
    this.#probeLater();
  }

  async follow(log: Followable, given: TailListener): Promise<Tail> {
    // One object for each call, since the same listener may follow twice.
    const listener: TailListener = {
      push: (epoch, publications) => given.push(epoch, publications),
      suspect: () => given.suspect(),
    };
    const followed = this.#followed.get(log.name) ?? this.#begin(log);
    followed.listeners.add(listener);
    const close = (): void => this.#leave(followed, listener);
    try {
      await followed.subscribed;
      const position = await log.end();
      followed.seen ??= position;
      return { position, close };
    } catch (error) {
      close();
      throw error;
    }
  }

  pushed(name: string, message: Buffer): void {
    const followed = this.#followed.get(name);
    if (followed === undefined) return;
    const pushed = this.#decoded(message);
    if (pushed === null) return suspect(followed);
    const { epoch, publications } = pushed;
    followed.seen = { epoch, offset: publications.at(-1)?.offset ?? 0 };
    for (const listener of followed.listeners) listener.push(epoch, publications);
  }

  /** Pushes may have been lost, of every log. */
  missed(): void {
    for (const followed of this.#followed.values()) suspect(followed);
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelProbe();
    this.#followed.clear();
  }

  #begin(log: Followable): Followed {
    const followed: Followed = {
      log,
      listeners: new Set(),
      subscribed: this.#connections.subscribe(log.name),
      seen: null,
      awaited: null,
      keptAt: this.#host.clock.monotonic(),
    };
    this.#followed.set(log.name, followed);
    return followed;
  }

  #leave(followed: Followed, listener: TailListener): void {
    followed.listeners.delete(listener);
    const { name } = followed.log;
    if (followed.listeners.size > 0 || this.#followed.get(name) !== followed) return;
    this.#followed.delete(name);
    this.#connections.unsubscribe(name).catch(() => undefined);
  }

  #decoded(message: Buffer): ReturnType<typeof decodePush> | null {
    try {
      return decodePush(message);
    } catch (error) {
      this.#host.logger.error({ error }, "redis: a push can't be read");
      return null;
    }
  }

  /** One probe at a time, however long Redis takes to answer. */
  #probeLater(): void {
    if (this.#isClosed) return;
    this.#cancelProbe = this.#host.clock.after(PROBE_MS, () => {
      this.#probe().then(
        () => this.#probeLater(),
        () => this.#probeLater(),
      );
    });
  }

  async #probe(): Promise<void> {
    await this.#connections.check();
    if (!this.#connections.isUp) return;
    const all = [...this.#followed.values()].filter(({ seen }) => seen !== null);
    const names = all.map(({ log }) => log.name);
    const answers = await this.#connections.fields(names, "e", "o");
    for (const [index, followed] of all.entries()) {
      const [epoch, offset] = answers[index] ?? [];
      judge(followed, { epoch: epoch ?? "", offset: Number(offset ?? 0) });
      this.#keep(followed);
    }
  }

  /** A log that is followed doesn't expire, though nobody else uses it. */
  #keep(followed: Followed): void {
    const now = this.#host.clock.monotonic();
    if (now - followed.keptAt < followed.log.expiryMs / 4) return;
    followed.keptAt = now;
    followed.log.end().catch(() => undefined);
  }
}

/** Suspects where no push has shown by now what the probe before this one found. */
function judge(followed: Followed, found: Place): void {
  const { awaited, seen } = followed;
  followed.awaited = isBehind(seen, found) ? found : null;
  if (awaited === null || !isBehind(seen, awaited)) return;
  followed.seen = found;
  followed.awaited = null;
  suspect(followed);
}

function isBehind(seen: Place | null, found: Place): boolean {
  return seen?.epoch !== found.epoch || seen.offset < found.offset;
}

function suspect({ listeners }: Followed): void {
  for (const listener of listeners) listener.suspect();
}
