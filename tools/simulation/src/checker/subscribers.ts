/**
 * Rules about subscribers: each is told a run of the log without a hole, from where it began, or a
 * gap. Rules 6, 7, 11, 12, 13, 15, 16, 21, 26 of the checker.
 *
 * It knows what was told, and the truth; not how it was told.
 */
import type { Gaps } from "./gaps.ts";
import type { Entry, HistoryEvent, Place, Report, SubscriberEvent } from "./history.ts";
import type { Publications } from "./publishing.ts";
import { fold, type Incarnation, type Truth } from "./truth.ts";

type Told<Type extends SubscriberEvent["type"]> = Extract<SubscriberEvent, { type: Type }>;

interface Subscriber {
  readonly told: Told<"subscribe">;
  at: Place | null;
  /** A snapshot has to come before anything else. */
  owed: boolean;
  ended: boolean;
}

export class Subscribers {
  readonly #truth: Truth;
  readonly #gaps: Gaps;
  readonly #publications: Publications;
  readonly #report: Report;
  readonly #all = new Map<string, Subscriber>();
  /** Per epoch and offset, the latest turn of a publish up to there. */
  readonly #turns = new Map<Incarnation, number[]>();
  readonly #acknowledged = new Set<string>();

  constructor(truth: Truth, gaps: Gaps, publications: Publications, report: Report) {
    this.#truth = truth;
    this.#gaps = gaps;
    this.#publications = publications;
    this.#report = report;
  }

  /** Takes the next event; `turn` is its place in the history. */
  take(event: HistoryEvent, turn: number): void {
    switch (event.type) {
      case "subscribe":
        this.#all.set(event.sub, { told: event, at: null, owed: false, ended: false });
        return;
      case "published":
        this.#acknowledged.add(event.tag);
        return;
      case "started":
      case "delivery":
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
    for (const { told, at, ended } of this.#all.values()) {
      if (ended) continue;
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
        if (one.told.start === "latest") this.#checkBoundary(one.told, event.position, turn);
        return;
      case "delivery":
        return this.#deliver(one, event);
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

  /** What lies between must be its own publications, which it doesn't want. */
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

  /** What was published after the start was acknowledged stands behind it. */
  #checkBoundary(
    { sub, channel }: Told<"subscribe">,
    { epoch, offset }: Place,
    turn: number,
  ): void {
    const log = this.#truth.find(channel, epoch);
    if (log === undefined) return;
    if ((this.#turnsOf(log)[offset] ?? -1) > turn) {
      this.#report("R16", `${sub} begins at ${epoch} ${offset}, behind what was published later`);
    }
  }

  #turnsOf(log: Incarnation): readonly number[] {
    const known = this.#turns.get(log);
    if (known !== undefined) return known;
    const turns = [-1];
    for (let offset = 1; offset <= log.last; offset += 1) {
      const turn = this.#publications.get(log.at(offset)?.tag ?? "")?.turn ?? -1;
      turns.push(Math.max(turn, turns[offset - 1] ?? -1));
    }
    this.#turns.set(log, turns);
    return turns;
  }

  #settleOne(told: Told<"subscribe">, at: Place, log: Incarnation): void {
    if (!log.continues(at)) {
      return this.#report("R21", `${told.sub} is at ${word(at)}, and the log at ${log.epoch}`);
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
