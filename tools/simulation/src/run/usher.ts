/**
 * An usher stands at the ends of links: it notes what is asked and answered, who is sent what, and
 * how links end, and lies in wait for messages that the weather has plans for.
 */
import { CLOSE_CODES, type Encoded } from "@tailwire/protocol";
import type { TailwireNode } from "@tailwire/server/core";
import type { Direction, Fate, Link, LinkWatch } from "../link.ts";
import type { Place } from "../checker/history.ts";
import type { Bearer, Stage } from "./stage.ts";
import { Proofreader } from "./proofreader.ts";
import { STRANGER } from "./stranger.ts";
import { askedIn, type Heard, sentIn } from "./wire-reader.ts";

/** Types of a client's messages that have no answer. */
const UNANSWERED: ReadonlySet<string> = new Set(["pong", "cancel", "ping"]);

const CLOSES = new Map<number, string>(
  Object.entries(CLOSE_CODES).map(([name, { code }]) => [code, name]),
);

export class Usher implements LinkWatch {
  readonly #stage: Stage;
  readonly #names = new WeakMap<Link, string>();
  readonly #proofreader = new Proofreader();
  /** Counts of what each node has written, by type. */
  readonly #written = new WeakMap<TailwireNode, Map<string, number>>();
  /** Channels of pages that are asked for. */
  readonly #pages = new Map<string, string>();
  /** How much lies behind the gaps of the write in progress that nothing follows yet, by channel. */
  readonly #gaps = new Map<string, number>();
  #links = 0;

  constructor(stage: Stage) {
    this.#stage = stage;
    stage.world.watch = this;
    stage.world.tap = (direction, text, link) => this.tap(direction, text, link);
  }

  tap(direction: Direction, text: string, link: Link): Fate {
    const { weather, witness } = this.#stage;
    witness.mix(`${direction} ${text.length}`);
    const { ambush } = weather;
    let fate: Fate = "arrives";
    if (ambush !== null && ambush.to === direction && text.includes(ambush.word)) {
      weather.ambush = null;
      fate = ambush.fate;
    }
    if (direction === "toServer" && fate !== "cut before" && this.#isOurs(link)) {
      this.#asked(link, text);
    }
    return fate;
  }

  sent(link: Link, wire: Encoded): void {
    if (!this.#isOurs(link)) return;
    const { world, witness } = this.#stage;
    const at = world.clock.monotonic();
    const connection = this.#nameOf(link);
    for (const sent of sentIn(wire)) witness.note({ type: "wrote", connection, at, ...sent });
  }

  written(link: Link, wire: Encoded): void {
    const { faults, channel, heard } = this.#proofreader.read(wire);
    for (const detail of faults) this.#unreadable(link, detail);
    if (channel !== null) {
      this.#noteGap(link, channel, true);
      return this.#show(link, channel);
    }
    for (const one of heard) this.#heard(link, one);
  }

  flushed(link: Link): void {
    for (const channel of this.#gaps.keys()) this.#noteGap(link, channel, false);
  }

  /** Notes the gap that was written before, if there was one, and whether something followed it. */
  #noteGap(link: Link, channel: string, followed: boolean): void {
    const behind = this.#gaps.get(channel);
    if (behind === undefined) return;
    this.#gaps.delete(channel);
    const connection = this.#nameOf(link);
    this.#stage.witness.note({ type: "gapped", connection, channel, behind, followed });
  }

  /** How many publications a node's tail has behind a place; none where a state waits to be followed. */
  #behind(link: Link, name: string, { epoch, offset, id }: Place): number {
    const channel = this.#stage.world.hostOf(link)?.node.channel(name);
    if (channel === undefined || channel.log.epoch !== epoch) return 0;
    // A state is all that there was at its place, which may have been passed since.
    const isPassed = channel.snapshots !== null && channel.log.tail?.holds(offset, id) !== true;
    return isPassed ? 0 : channel.log.lastOffset - offset;
  }

  #unreadable(link: Link, detail: string): void {
    const connection = this.#nameOf(link);
    this.#stage.witness.note({ type: "unreadable", connection, detail });
  }

  closed(link: Link, code: number): void {
    const { witness } = this.#stage;
    if (this.#isOurs(link)) witness.note({ type: "cut", connection: this.#nameOf(link), code });
    witness.see(`close: ${CLOSES.get(code) ?? code}`);
  }

  gone(link: Link): void {
    this.#stage.witness.note({ type: "closed", connection: this.#nameOf(link) });
  }

  /** Whether a client of this project made it: only such a one is owed that it is never blamed. */
  #isOurs(link: Link): boolean {
    return this.#stage.world.deviceOf(link)?.name !== STRANGER;
  }

  /** Something of a channel is written. */
  #show(link: Link, channel: string): void {
    const { world, witness } = this.#stage;
    const user = link.connection?.access.user as Bearer | undefined;
    if (user === undefined) return;
    const at = world.clock.monotonic();
    witness.note({ type: "sent", connection: user.grant, channel, wall: this.#wallOf(link), at });
  }

  #asked(link: Link, text: string): void {
    if (link.connection?.state === "closing" || link.connection?.state === "closed") return;
    if (link.isGone) return;
    const { world, witness } = this.#stage;
    const connection = this.#nameOf(link);
    const { grant = null } = (link.connection?.access.user ?? {}) as Partial<Bearer>;
    const [at, wall] = [world.clock.monotonic(), this.#wallOf(link)];
    for (const { type, ...asked } of askedIn(text)) {
      if (UNANSWERED.has(type)) continue;
      witness.note({ type: "request", connection, what: type, grant, wall, at, ...asked });
      if (type === "read" && asked.channel !== null) {
        this.#pages.set(`${connection} ${asked.id}`, asked.channel);
      }
    }
    if (text.includes('"repeat"')) witness.see("publication sent again");
  }

  /** One message of a node, that isn't a publication. */
  #heard(link: Link, heard: Heard): void {
    const { world, witness } = this.#stage;
    const { type, re, code, retry, position, recovered, channel } = heard;
    this.#count(link, type);
    if (!this.#isOurs(link)) return;
    const connection = this.#nameOf(link);
    if (re !== null && type !== "pong" && !link.isGone) {
      const at = world.clock.monotonic();
      witness.note({ type: "answer", connection, re, code, retry, position, recovered, at });
    } else if (type === "error") witness.note({ type: "complaint", connection, code: code ?? "" });
    const page = `${connection} ${re}`;
    if (heard.hasEntries) this.#show(link, this.#pages.get(page) ?? "");
    this.#pages.delete(page);
    const { continuesAfter } = heard;
    if (channel !== null && continuesAfter !== null) {
      this.#gaps.set(channel, this.#behind(link, channel, continuesAfter));
    }
    if (channel !== null && isTold(type)) {
      witness.note({ type: "told", connection, what: type, channel, code, retry, position });
    }
    if (type === "snapshot" && channel !== null) this.#show(link, channel);
    if (type === "error") witness.see(`error: ${code}`);
    if (type === "epoch") witness.see("epoch continued");
    if (type === "unsubscribed") witness.see("unsubscribed by the server");
    if (heard.duplicate) witness.see("duplicate suppressed");
    if (recovered !== null) witness.see(`resumed with ${recovered ? "nothing missed" : "a gap"}`);
  }

  /** How much of something a node has written. */
  writtenBy(node: TailwireNode, type: string): number {
    return this.#written.get(node)?.get(type) ?? 0;
  }

  #count(link: Link, type: string): void {
    const node = this.#stage.world.hostOf(link)?.node;
    if (node === undefined) return;
    const counts = this.#written.get(node) ?? new Map<string, number>();
    this.#written.set(node, counts);
    counts.set(type, (counts.get(type) ?? 0) + 1);
  }

  #wallOf(link: Link): number {
    return this.#stage.world.hostOf(link)?.device.clock.now() ?? 0;
  }

  #nameOf(link: Link): string {
    let name = this.#names.get(link);
    if (name === undefined) {
      this.#links += 1;
      name = `c${this.#links}`;
      this.#names.set(link, name);
      const { world, witness } = this.#stage;
      const client = world.deviceOf(link)?.name ?? "";
      witness.note({ type: "link", connection: name, client });
    }
    return name;
  }
}

const TOLD = ["subscribed", "unsubscribed", "gap", "caughtup"] as const;

function isTold(type: string): type is (typeof TOLD)[number] {
  return (TOLD as readonly string[]).includes(type);
}
