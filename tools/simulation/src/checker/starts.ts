/**
 * Rules about where subscriptions begin, and what is said of it: a start lies where the log, at some
 * moment between question and answer, had it; nobody is asked where that is. Rules 6, 11 and 16 of the
 * checker.
 */
import type { Beginning, HistoryEvent, Place, ToldEvent } from "./history.ts";
import type { Setting } from "./setting.ts";
import type { Publications } from "./publishing.ts";
import { isHeld, isServed, isThere, type Moment, type Timeline } from "./timeline.ts";
import type { Exchange, Wire } from "./wire.ts";
import type { Report } from "./violation.ts";

interface Known {
  readonly timeline: Timeline;
  readonly wire: Wire;
  readonly publications: Publications;
}

/** A start that was asked for, between two turns, and by which clock. */
export interface Wanted {
  readonly channel: string;
  readonly start: Beginning;
  readonly hasState: boolean;
  /** Whose publications aren't wanted: a start may have passed them over already. */
  readonly without: string | null;
  /** Whether it may join another, which may not have heard of a new epoch that goes on from there. */
  readonly joins: boolean;
  readonly from: number;
  readonly to: number;
  readonly fromAt: number;
  readonly toAt: number;
}

/** Milliseconds that a state may take: three tries, each of a hook and a read, a second apart, and a second old. */
const STATE_MS = 48_000;

export class Starts {
  readonly #known: Known;
  readonly #setting: Setting;
  readonly #clock: Clock;
  readonly #withState = new Set<string>();
  readonly #told: { readonly event: ToldEvent; readonly turn: number }[] = [];

  constructor(history: readonly HistoryEvent[], known: Known, setting: Setting) {
    this.#known = known;
    this.#setting = setting;
    this.#clock = new Clock(history, setting.wall);
    for (const [turn, event] of history.entries()) {
      if (event.type === "subscribe" && event.hasState) this.#withState.add(event.channel);
      if (event.type === "told") this.#told.push({ event, turn });
    }
  }

  /** Judges what nodes have answered and told. */
  check(report: Report): void {
    const { exchanges } = this.#known.wire;
    for (const exchange of exchanges) {
      const { channel, start } = exchange.request;
      if (start !== null && channel !== null) this.#checkAnswer(exchange, channel, start, report);
    }
    /** When each subscription was asked for last. */
    const asked = new Map<string, number>();
    let next = 0;
    for (const { event, turn } of this.#told) {
      for (; (exchanges[next]?.turn ?? Infinity) < turn; next += 1) {
        const { request, turn: since } = exchanges[next] as Exchange;
        if (request.start !== null) asked.set(`${request.connection} ${request.channel}`, since);
      }
      if (event.what === "caughtup" || event.what === "subscribed") {
        const since = asked.get(`${event.connection} ${event.channel}`);
        this.#checkTold(event, event.what === "caughtup" ? (since ?? turn) : turn, turn, report);
      }
    }
  }

  /** Word of the end of a log is true of some moment since it was asked for. */
  #checkTold(event: ToldEvent, since: number, turn: number, report: Report): void {
    const { what, connection, channel, position } = event;
    if (position === null) return;
    const hasState = what === "subscribed" && this.#withState.has(channel);
    const from = what === "subscribed" ? this.saidBefore(since) : this.staleTurn(since);
    const times = { from, to: turn, fromAt: 0, toAt: 0 };
    const wanted = {
      channel,
      start: "latest",
      hasState,
      without: null,
      joins: false,
      ...times,
    } as const;
    if (this.#isPlaced(position, wanted)) return;
    const fault = `${connection} was told ${what} at ${word(position)} of ${channel}`;
    report(what === "caughtup" ? "R6" : "R16", `${fault}, which wasn't the end`);
  }

  /** Whether a place is where a start lay. */
  isPlaced(place: Place, wanted: Wanted): boolean {
    return this.#isPlaced(place, wanted);
  }

  /** The turn that was so long before another, by the setting. */
  staleTurn(turn: number): number {
    return this.#clock.turnBefore(turn, this.#setting.staleMs);
  }

  /** The turn, or one before it, in which the server had told a client that it has begun something. */
  begunBefore(client: string, channel: string, turn: number): number {
    const told = this.#told.findLast(
      ({ event, turn: at }) =>
        at <= turn &&
        event.what === "subscribed" &&
        event.channel === channel &&
        this.#known.wire.clientOf(event.connection) === client,
    );
    return this.saidBefore(told?.turn ?? turn);
  }

  /** The turn in which something may have been true that was written in another, unasked. */
  saidBefore(turn: number): number {
    return this.#clock.turnBefore(turn, Math.max(this.#setting.staleMs, BLOCKED_MS));
  }

  #checkAnswer(exchange: Exchange, channel: string, start: Beginning, report: Report): void {
    const { answer, turn: from, answeredAt: to, request } = exchange;
    if (answer === null || answer.position === null) return;
    const { position, recovered } = answer;
    const who = `${request.connection} asked for ${wordOf(start)} of ${channel}`;
    if (typeof start === "object" && "offset" in start) {
      const moments = [...this.#known.timeline.between(channel, this.staleTurn(from), to)];
      const fault = resumeFault(start, position, recovered, moments);
      if (fault !== null) report(recovered === false ? "R11" : "R6", `${who}, and ${fault}`);
      return;
    }
    const hasState = this.#withState.has(channel);
    const times = { fromAt: request.at, toAt: answer.at };
    const wanted = { channel, start, hasState, without: null, joins: false, from, to, ...times };
    if (this.#isPlaced(position, wanted)) return;
    report(start === "latest" ? "R16" : "R6", `${who}, and began at ${word(position)}`);
  }

  #isPlaced(place: Place, wanted: Wanted): boolean {
    const { channel, start, hasState, to, fromAt, toAt } = wanted;
    const isState = start === "latest" && hasState;
    // A state that is being taken is shared by those who ask meanwhile, and lies where it was begun.
    const from = isState ? this.#clock.turnBefore(wanted.from, STATE_MS) : wanted.from;
    const range = this.#clock.range(fromAt, toAt);
    return this.#known.timeline.some(channel, from, to, (moment) => {
      if (!isThere(moment, place)) return false;
      if (!wanted.joins && moment.log.epoch !== place.epoch) return false;
      return this.#candidates(moment, wanted, range, place.offset);
    });
  }

  /** Whether a start lay at an offset at a moment, or lies there when what isn't wanted is passed over. */
  #candidates(moment: Moment, wanted: Wanted, range: Range, offset: number): boolean {
    const { start, hasState, without } = wanted;
    for (let at = offset; at >= 0; at -= 1) {
      if (liesAt(moment, start, hasState, range, at)) return true;
      const entry = moment.log.at(at);
      const { publisher = "" } = this.#known.publications.get(entry?.tag ?? "") ?? {};
      if (without === null || publisher !== without) return false;
    }
    return false;
  }
}

function liesAt(
  { log, last, edge }: Moment,
  start: Beginning,
  hasState: boolean,
  { least, most }: Range,
  offset: number,
): boolean {
  if (start === "latest") return hasState ? offset >= edge : offset === last;
  if (start === "earliest") return offset === edge;
  if (!("rewind" in start)) return offset === start.offset;
  const { rewind } = start;
  if ("count" in rewind) return offset === Math.max(edge, last - rewind.count);
  const timeOf = (at: number): number => log.at(at)?.timestamp ?? 0;
  const begins = offset === edge || timeOf(offset) < most - rewind.ageMs;
  return (
    offset >= edge && begins && (offset === last || timeOf(offset + 1) >= least - rewind.ageMs)
  );
}

/** The fault in the answer to a subscribe from a place; null where there is none. */
function resumeFault(
  start: Place,
  position: Place,
  recovered: boolean | null,
  moments: readonly Moment[],
): string | null {
  if (recovered === null) return "wasn't told whether it was recovered";
  if (!recovered) {
    const isAlways = moments.every((moment) => isServed(moment, start));
    return isAlways ? "was told of a gap where there is none" : null;
  }
  const served = moments.filter((moment) => isHeld(moment, start));
  if (served.length === 0) return "was told that it was recovered, and it wasn't";
  const isSame = ({ log }: Moment): boolean =>
    log.epoch === position.epoch && start.offset === position.offset && start.id === position.id;
  return served.some(isSame) ? null : `goes on from ${word(position)}`;
}

/** Times that the broker's wall clock may have shown between two others. */
interface Range {
  readonly least: number;
  readonly most: number;
}

/** The broker's wall clock, and when the turns of a history were. */
class Clock {
  readonly #wall: number;
  readonly #jumps: { readonly at: number; readonly ms: number }[] = [];
  readonly #times: { readonly at: number; readonly turn: number }[] = [];

  constructor(history: readonly HistoryEvent[], wall: number) {
    this.#wall = wall;
    let latest = -Infinity;
    for (const [turn, event] of history.entries()) {
      if (event.type === "jumped" && event.device === "broker") this.#jumps.push(event);
      if (!("at" in event) || event.type === "epoch" || event.at < latest + TICK_MS) continue;
      latest = event.at;
      this.#times.push({ at: latest, turn });
    }
  }

  range(fromAt: number, toAt: number): Range {
    let wall = this.#wall;
    const seen: number[] = [];
    for (const { at, ms } of this.#jumps) {
      if (at > toAt) break;
      if (at >= fromAt) seen.push(wall + at);
      wall += ms;
      if (at >= fromAt) seen.push(wall + at);
      else seen.length = 0;
    }
    const before = this.#jumps.filter(({ at }) => at < fromAt).reduce((sum, { ms }) => sum + ms, 0);
    seen.push(this.#wall + before + fromAt, wall + toAt);
    return { least: Math.min(...seen) - 1, most: Math.max(...seen) + 1 };
  }

  /** A turn that was so many milliseconds before another, or a little more. */
  turnBefore(turn: number, ms: number): number {
    if (ms === 0) return turn;
    let index = this.#times.findLastIndex((time) => time.turn <= turn);
    const now = this.#times[index]?.at ?? 0;
    while (index > 0 && (this.#times[index]?.at ?? 0) > now - ms) index -= 1;
    return this.#times[index]?.turn ?? 0;
  }
}

/** How long an answer may wait for its socket: then the connection is closed. */
const BLOCKED_MS = 20_000;

/** How exactly it is known when a turn was, in milliseconds. */
const TICK_MS = 500;

function word({ epoch, offset }: Place): string {
  return `${epoch} ${offset}`;
}

function wordOf(start: Beginning): string {
  return typeof start === "string" ? start : JSON.stringify(start);
}
