/**
 * A play: one client and one scripted server, for one check. It gives what checks say again and
 * again: a welcome, an ack, a publication; and what the client has told.
 */
import { setTimeout as delay } from "node:timers/promises";
import { Broken, CannotJudge, must, quote } from "../verdict.ts";
import type { News, Order, Program, Starts } from "./program.ts";
import { type Caller, type Fields, type Of, ScriptedServer } from "./scripted-server.ts";

export const CHANNEL = "room:conf";
export const EPOCH = "conf-epoch";

const LIMITS = {
  messageBytesMax: 65_536,
  subscriptionsMax: 256,
  dedupeMs: 120_000,
  appendMs: 10_000,
  window: 256,
};

export interface Place {
  readonly epoch: string;
  readonly offset: number;
  readonly id: string | null;
}

export const place = (offset: number, epoch = EPOCH): Place => ({
  epoch,
  offset,
  id: offset === 0 ? null : `p/${offset}`,
});

/** @throws Broken unless a client names just this place. */
export function mustBe(found: unknown, expected: Place, what = "it goes on from"): void {
  const { epoch, offset, id } = Object(found) as Partial<Place>;
  const same = epoch === expected.epoch && offset === expected.offset && id === expected.id;
  must(same, `${what} ${quote(found)}, not ${quote(expected)}`);
}

/** A publication of the script: its data is its offset, unless it is said to be another. */
export const publication = (offset: number, data: unknown = offset): Fields => ({
  type: "publication",
  id: `p/${offset}`,
  channel: CHANNEL,
  offset,
  event: "conf",
  publisher: null,
  data,
});

export class Play {
  readonly server: ScriptedServer;
  readonly news: News[] = [];
  readonly #program: Program;
  readonly #starts: Starts;
  readonly #others: Play[] = [];
  readonly #patienceMs: number;

  private constructor(server: ScriptedServer, starts: Starts, patienceMs: number) {
    this.server = server;
    this.#starts = starts;
    this.#patienceMs = patienceMs;
    this.#program = starts(server.url, (news) => this.news.push(news));
  }

  static async begin(starts: Starts, patienceMs: number): Promise<Play> {
    return new Play(await ScriptedServer.start(patienceMs), starts, patienceMs);
  }

  /** One more client with a server of its own. It ends with this play. */
  async another(): Promise<Play> {
    const other = await Play.begin(this.#starts, this.#patienceMs);
    this.#others.push(other);
    return other;
  }

  // The client

  order(order: Order): void {
    this.#program.order(order);
  }

  subscribe(start: unknown = "earliest"): void {
    this.order({ do: "subscribe", channel: CHANNEL, start });
  }

  publish(...all: readonly unknown[]): void {
    for (const data of all) this.order({ do: "publish", channel: CHANNEL, data });
  }

  /** The data of the publications that the client has shown. */
  get shown(): unknown[] {
    return this.news.flatMap((one) => (one.event === "publication" ? [one.data] : []));
  }

  /** Waits for news. @throws Broken, CannotJudge when the client can't do what it was told. */
  async until(test: (news: News) => boolean, what: string): Promise<News> {
    const deadline = performance.now() + this.#patienceMs;
    while (performance.now() < deadline) {
      const found = this.news.find(test);
      if (found !== undefined) return found;
      this.#mustBeAble();
      await delay(5);
    }
    throw new Broken(`the client didn't tell ${what}`);
  }

  /** Waits for the effect of an order. @throws CannotJudge as soon as the client can't carry it out. */
  async able<T>(effect: Promise<T>): Promise<T> {
    const over = new AbortController();
    const watch = async (): Promise<T> => {
      while (!over.signal.aborted) {
        this.#mustBeAble();
        await delay(5);
      }
      return effect;
    };
    try {
      return await Promise.race([effect, watch()]);
    } finally {
      over.abort();
    }
  }

  #mustBeAble(): void {
    const cannot = this.news.find((news) => news.event === "cannot");
    if (cannot !== undefined) throw new CannotJudge(`the client can't ${cannot.do}`);
  }

  /** Rejects: as soon as the client says that it can't do what it was told, or in the end. */
  async inability(): Promise<never> {
    const news = await this.until(() => false, "what it can't");
    throw new Broken(`it told ${quote(news)}`);
  }

  /** Waits until the client has shown just these, and nothing else. */
  async shows(...expected: readonly unknown[]): Promise<void> {
    const last = expected.at(-1);
    await this.until(
      (news) => news.event === "publication" && news.data === last,
      `publication ${quote(last)}`,
    );
    must(quote(this.shown) === quote(expected), `it showed ${quote(this.shown)}`);
  }

  // The server

  /** The next connection after hello, before it is welcomed. */
  async hello(index: number): Promise<{ readonly caller: Caller; readonly hello: Of<"hello"> }> {
    const caller = await this.server.caller(index);
    const hello = await caller.message("hello");
    must(caller.messages[0] === hello, `${caller.messages[0]?.type} came before hello`);
    return { caller, hello };
  }

  /** The same, welcomed. */
  async welcomed(index: number, changes: Fields = {}): Promise<Caller> {
    const { caller, hello } = await this.hello(index);
    this.welcome(caller, hello, changes);
    return caller;
  }

  welcome(caller: Caller, hello: Of<"hello">, { limits = {}, ...changes }: Fields = {}): void {
    caller.say({
      type: "welcome",
      re: hello.id,
      client: "conf-client",
      node: "conf",
      heartbeat: { intervalMs: 25_000, timeoutMs: 10_000 },
      limits: { ...LIMITS, ...(limits as object) },
      features: [],
      ...changes,
    });
  }

  /** A connection whose subscription stands at an offset. */
  async following(index: number, offset: number, changes: Fields = {}): Promise<Caller> {
    const caller = await this.welcomed(index, changes);
    await this.acknowledge(caller, place(offset));
    return caller;
  }

  /** Acknowledges a subscribe, by default the first. */
  async acknowledge(caller: Caller, position: Place, behind = 0): Promise<Of<"subscribe">> {
    const subscribe = await caller.message("subscribe", behind);
    const fromPlace = typeof subscribe.start === "object" && "epoch" in subscribe.start;
    const recovered = fromPlace ? { recovered: true } : {};
    caller.say({ type: "ack", re: subscribe.id, position, ...recovered });
    return subscribe;
  }

  /** Where the client goes on from on a later connection. */
  async startOn(index: number): Promise<unknown> {
    const caller = await this.welcomed(index);
    return (await caller.message("subscribe")).start;
  }

  /** Cuts a connection, and keeps the next one waiting. Gives when that was let in. */
  async away(caller: Caller, ms: number): Promise<number> {
    const admit = this.server.hold();
    caller.cut();
    await delay(ms);
    const admittedAt = performance.now();
    admit();
    return admittedAt;
  }

  end(): void {
    for (const other of this.#others) other.end();
    this.#program.stop();
    this.server.stop();
  }
}

/** The check of a clause. It returns a remark, or nothing, and throws what it finds. */
export type ClientCheck = (play: Play) => Promise<string | void>;
