/**
 * Rules about subscribers: each is told a run of the log without a hole, from where it began, or a
 * gap. Rules 6, 7, 11, 12, 13, 15, 16, 21, 26 of the checker.
 *
 * It knows what was told, and the truth; not how it was told.
 */
import type { Gaps } from "./gaps.ts";
import type { Entry, HistoryEvent, Place, SubscriberEvent } from "./history.ts";
import type { Starts } from "./starts.ts";
import type { Timeline } from "./timeline.ts";
import type { Publications } from "./publishing.ts";
import { fold, type Incarnation, type Truth } from "./truth.ts";
import type { Report } from "./violation.ts";

type Told<Type extends SubscriberEvent["type"]> = Extract<SubscriberEvent, { type: Type }>;

interface Subscriber {
  readonly told: Told<"subscribe">;
  at: Place | null;
  /** Where it was before what it was given last. */
  before: Place | null;
  /** It may begin where the log was in this turn, or later. */
  readonly since: number;
  /** Whether it was told that it has everything, since it began or was told a gap. */
  caughtUp: boolean;
  /** A snapshot has to come before anything else. */
  owed: boolean;
  ended: boolean;
}

/** How long a subscribe may go unanswered before its connection is given up. */
const QUESTION_MS = 60_000;

/** Everything that subscribers are held against. */
interface Known {
  readonly truth: Truth;
  readonly timeline: Timeline;
  readonly gaps: Gaps;
  readonly publications: Publications;
  readonly starts: Starts;
}

export class Subscribers {
  readonly #truth: Truth;
  readonly #timeline: Timeline;
  readonly #gaps: Gaps;
  readonly #starts: Starts;
  readonly #publications: Publications;
  readonly #report: Report;
  readonly #all = new Map<string, Subscriber>();
  readonly #acknowledged = new Set<string>();

  constructor({ truth, timeline, gaps, publications, starts }: Known, report: Report) {
    this.#truth = truth;
    this.#timeline = timeline;
    this.#gaps = gaps;
    this.#publications = publications;
    this.#starts = starts;
    this.#report = report;
  }

  /** Takes the next event; `turn` is its place in the history. */
  take(event: HistoryEvent, turn: number): void {
    switch (event.type) {
      case "subscribe":
        this.#all.set(event.sub, {
          told: event,
          since: this.#sinceOf(event, turn),
          at: null,
          before: null,
          owed: false,
          caughtUp: false,
          ended: false,
        });
        return;
      case "published":
        this.#acknowledged.add(event.tag);
        return;
      case "started":
      case "delivery":
      case "kept":
      case "caughtup":
      case "gap":
      case "snapshot":
      case "ended": {
        const subscriber = this.#all.get(event.sub);
        if (subscriber !== undefined) this.#told(subscriber, event, turn);
        return;
      }
      default:
    }
  }

  /** At the end, after all was healed: is everybody where the log is? */
  settle(): void {
    for (const { told, at, ended, owed, caughtUp } of this.#all.values()) {
      if (ended) continue;
      if (!caughtUp) this.#report("R21", `${told.sub} was never told that it has everything`);
      if (owed) this.#report("R12", `${told.sub} was never given the state that it is owed`);
      const log = this.#truth.newest(told.channel);
      if (at === null) this.#report("R21", `${told.sub} was never started`);
      else if (log !== undefined) this.#settleOne(told, at, log);
    }
  }

  #told(one: Subscriber, event: Exclude<SubscriberEvent, Told<"subscribe">>, turn: number): void {
    switch (event.type) {
      case "started":
        one.at = event.position;
        one.owed = one.told.hasState && one.told.start === "latest";
        one.before = event.position;
        return this.#begin(one, event, turn);
      case "caughtup":
        return this.#catchUp(one, turn);
      case "delivery":
        one.before = one.at;
        return this.#deliver(one, event);
      case "kept":
        return this.#kept(one.told, event, event.working ? one.before : one.at);
      case "gap":
        return this.#gap(one, event);
      case "snapshot":
        return this.#snapshot(one, event);
      case "ended":
        one.ended = true;
        return;
      default:
        event satisfies never;
    }
  }

  /**
   * From when on its start may be: it may share what another of its client has asked for and has no
   * answer to; and one that wants what comes from now on may join others, who may lie behind a little.
   */
  #sinceOf(event: Told<"subscribe">, turn: number): number {
    const { client, channel, start, begun, at: now } = event;
    if (begun) return this.#starts.begunBefore(client, channel, turn);
    let since = turn;
    for (const one of this.#all.values()) {
      const { told, at, ended } = one;
      if (told.client !== client || told.channel !== channel) continue;
      if (at === null) {
        // Its question is on its way still, even where nobody wants the answer any more.
        const isShared = told.start === start || start === "latest";
        if (isShared && now - told.at <= QUESTION_MS) since = Math.min(since, one.since);
      } else if (!ended && start === "latest") {
        since = Math.min(since, this.#timeline.endedAt(channel, at, turn));
      }
    }
    return since;
  }

  #begin({ told, since }: Subscriber, { position, at }: Told<"started">, turn: number): void {
    const { channel, start, hasState, without } = told;
    if (typeof start === "object" && "offset" in start) return;
    const times = { from: since, to: turn, fromAt: told.at, toAt: at };
    const wanted = { channel, start, hasState, without, joins: true, ...times };
    if (this.#starts.isPlaced(position, wanted)) return;
    this.#report(start === "latest" ? "R16" : "R6", `${told.sub} began at ${word(position)}`);
  }

  /** It has everything that there was at some time since it began. */
  #catchUp(one: Subscriber, turn: number): void {
    one.caughtUp = true;
    const { told, since, at } = one;
    if (at === null) return;
    const { channel, without } = told;
    const from = Math.min(since, this.#starts.saidBefore(since));
    const isEnd = this.#timeline.some(channel, from, turn, ({ log, last }) => {
      if (!log.continues(at)) return false;
      return last <= at.offset || (without !== null && this.#hasNone(told, log, at, last));
    });
    if (!isEnd) this.#report("R6", `${told.sub} at ${word(at)} was told that it has everything`);
  }

  #deliver(one: Subscriber, { sub, epoch, entry }: Told<"delivery">): void {
    const { channel } = one.told;
    if (one.owed) this.#report("R12", `${sub} got ${entry.offset} before the snapshot`);
    one.owed = false;
    const log = this.#truth.find(channel, epoch);
    const at = one.at ?? { epoch, offset: entry.offset - 1, id: null };
    if (log === undefined || !log.continues(at)) {
      this.#report(
        "R15",
        `${sub} went from ${word(at)} to ${epoch} ${entry.offset}, without a gap`,
      );
    } else if (entry.offset <= at.offset) {
      this.#report("R7", `${sub} got ${entry.offset} at ${word(at)}`);
    } else {
      this.#checkHole(one, log, at.offset, entry.offset - 1);
    }
    one.at = { epoch, offset: entry.offset, id: entry.id };
  }

  #gap(one: Subscriber, event: Told<"gap">): void {
    const { sub, from, continuesAfter, reason } = event;
    const { channel, hasState } = one.told;
    const at = one.at ?? from;
    const log = this.#truth.find(channel, from.epoch);
    if (log !== undefined && (!log.continues(at) || from.offset < at.offset)) {
      this.#report("R11", `${sub} at ${word(at)} was told a gap from ${word(from)}`);
    } else {
      const fault = this.#gaps.faultOf(channel, event, hasState);
      if (fault !== null) {
        this.#report("R11", `${sub} was told ${reason} from ${word(from)}, but ${fault}`);
      }
      if (log !== undefined) this.#checkHole(one, log, at.offset, Math.min(from.offset, log.last));
    }
    one.at = continuesAfter;
    one.owed = hasState;
    one.caughtUp = false;
  }

  #snapshot(one: Subscriber, { sub, position, state }: Told<"snapshot">): void {
    const { channel } = one.told;
    const at = one.at ?? position;
    const log = this.#truth.find(channel, position.epoch);
    if (log?.continues(at) !== true || at.offset > position.offset) {
      this.#report("R12", `${sub} at ${word(at)} got a snapshot of ${word(position)}`);
    } else {
      this.#checkHole(one, log, at.offset, position.offset);
    }
    one.at = position;
    one.owed = false;
    const truth = log === undefined ? null : fold(log, position.offset);
    if (truth !== state) {
      this.#report("R13", `${sub} got ${state} for ${word(position)}, which is ${truth}`);
    }
  }

  /** A position is kept of exactly what was handled: less would come twice, and more never. */
  #kept(told: Told<"subscribe">, { sub, position }: Told<"kept">, handled: Place | null): void {
    const { epoch, offset, id } = position;
    const log = this.#truth.find(told.channel, epoch);
    const at = handled ?? position;
    const isSame = epoch === at.epoch && offset === at.offset && id === at.id;
    const isPassed = log?.continues(at) === true && this.#hasNone(told, log, at, offset);
    if (isSame || isPassed) return;
    this.#report("R7", `${sub} has handled ${word(at)}, and kept ${epoch} ${offset}`);
  }

  /** Whether what lies behind a place, up to an offset, is nothing that it wants. */
  #hasNone(told: Told<"subscribe">, log: Incarnation, { offset }: Place, last: number): boolean {
    if (last <= offset) return false;
    for (let at = offset + 1; at <= last; at += 1) {
      if (!this.#isUnwanted(told, log.at(at))) return false;
    }
    return true;
  }

  /** The offsets between must be publications that the subscriber doesn't want: its own client's. */
  #checkHole({ told }: Subscriber, log: Incarnation, after: number, last: number): void {
    for (let offset = after + 1; offset <= last; offset += 1) {
      if (this.#isUnwanted(told, log.at(offset))) continue;
      this.#report("R6", `${told.sub} wasn't given ${told.channel} ${log.epoch} ${offset}`);
      return;
    }
  }

  #isUnwanted({ without }: Told<"subscribe">, entry: Entry | undefined): boolean {
    if (without === null || entry === undefined) return false;
    return this.#publications.get(entry.tag)?.publisher === without;
  }

  #settleOne(told: Told<"subscribe">, at: Place, log: Incarnation): void {
    if (!log.continues(at)) {
      return this.#report("R21", `${told.sub} is at ${word(at)}, and the log at ${log.epoch}`);
    }
    if (at.offset > log.last) {
      return this.#report("R21", `${told.sub} is at ${word(at)}, and the log ends at ${log.last}`);
    }
    for (let offset = at.offset + 1; offset <= log.last; offset += 1) {
      const entry = log.at(offset);
      if (entry === undefined || !this.#acknowledged.has(entry.tag)) continue;
      if (this.#isUnwanted(told, entry)) continue;
      this.#report("R26", `${told.sub} is at ${word(at)}, and ${entry.tag} at ${offset}`);
      return;
    }
  }
}

function word({ epoch, offset }: Place): string {
  return `${epoch} ${offset}`;
}
