/**
 * Rules about publishing: whose what is in the logs is, that it is there once, and in its publisher's
 * order. Rules 2, 5, 8 and 10 of the checker.
 *
 * That something was sent again is seen on the wire, where it can be; nobody is asked.
 */
import type { Entry, HistoryEvent, PublishingEvent } from "./history.ts";
import type { Incarnation, Truth } from "./truth.ts";
import type { Wire } from "./wire.ts";
import type { Report } from "./violation.ts";

type Publish = Extract<PublishingEvent, { type: "publish" }>;

interface Spot {
  readonly tag: string;
  readonly log: Incarnation;
  readonly offset: number;
  readonly id: string;
}

/** Publications by their tags: who published what where, and in which turn. */
export class Publications {
  readonly #byTag = new Map<string, Publish & { readonly turn: number }>();

  constructor(history: readonly HistoryEvent[]) {
    for (const [turn, event] of history.entries()) {
      if (event.type === "publish") this.#byTag.set(event.tag, { ...event, turn });
    }
  }

  get(tag: string): (Publish & { readonly turn: number }) | undefined {
    return this.#byTag.get(tag);
  }
}

/** Public ids: each user and session has its own, and nobody another's. */
class Publishers {
  readonly #ids = new Map<string, string>();
  readonly #owners = new Map<string, string>();

  /** In how far an entry isn't what was published; null where it is. */
  faultOf({ event, content, publisher }: Entry, published: Publish): string | null {
    if (event !== published.event) return `is ${event}, and was published as ${published.event}`;
    if (content !== published.content) return `is ${content}, and was ${published.content}`;
    const { as } = published;
    if (as === null || publisher === null) {
      return as === publisher ? null : `is ${publisher}'s, and was published as ${as}`;
    }
    const id = this.#ids.get(as) ?? publisher;
    const owner = this.#owners.get(publisher) ?? as;
    this.#ids.set(as, id);
    this.#owners.set(publisher, owner);
    return id === publisher && owner === as ? null : `is ${publisher}'s, which isn't ${as}`;
  }
}

/** Everything that the logs are held against. */
interface Known {
  readonly truth: Truth;
  readonly publications: Publications;
  readonly wire: Wire;
}

interface Judging extends Known {
  readonly publishers: Publishers;
  /** Ids that were in a log before: what was lost before it was acknowledged keeps no place. */
  readonly lost: Set<string>;
  readonly report: Report;
}

/** Judges the logs themselves. */
export function checkLogs(known: Known, report: Report): void {
  const spots = new Map<string, Spot[]>();
  const judging = { ...known, publishers: new Publishers(), lost: new Set<string>(), report };
  for (const [channel, log] of known.truth.all()) {
    checkLog(channel, log, judging);
    for (const { offset, id, tag } of log.own.values()) {
      judging.lost.add(id);
      const places = spots.get(tag);
      if (places === undefined) spots.set(tag, [{ tag, log, offset, id }]);
      else places.push({ tag, log, offset, id });
    }
  }
  for (const [tag, places] of spots) checkPlaces(tag, places, known.wire, report);
}

/** The latest of a publisher's so far: of those that came at their first send, and of repeats. */
interface Turns {
  first: number;
  repeat: number;
}

/**
 * One epoch's own entries: whose are they, and in their publishers' order?
 *
 * A repeat may stand behind what was sent after it and was taken then: its own first send ended for
 * good, in a refusal or a lost append, and nobody heard of it. Nobody remembers that, so it is
 * taken. Among first sends, and among repeats, there is no such excuse.
 */
function checkLog(channel: string, log: Incarnation, judging: Judging): void {
  const { publications, publishers, wire, lost, report } = judging;
  const turns = new Map<string, Turns>();
  let latestAt = log.parent === null ? 0 : (log.at(log.sharedEnd)?.timestamp ?? 0);
  for (const entry of log.own.values()) {
    const { tag, offset, id, timestamp } = entry;
    const published = publications.get(tag);
    if (published === undefined || published.channel !== channel) {
      report("R5", `${tag} at ${channel} ${log.epoch} ${offset} was never published there`);
      continue;
    }
    const fault = publishers.faultOf(entry, published) ?? arrivalFault(entry, log, wire);
    if (fault !== null) report("R5", `${tag} at ${channel} ${log.epoch} ${offset} ${fault}`);
    if (timestamp < latestAt)
      report("R5", `${tag} at ${channel} ${offset} is from before its time`);
    latestAt = Math.max(latestAt, timestamp);
    if (lost.has(id)) continue;
    const { publisher, turn } = published;
    const latest = turns.get(publisher) ?? { first: -1, repeat: -1 };
    turns.set(publisher, latest);
    // Where both have come, nobody sees which of them it was.
    const isRepeat = countsAt({ tag, log, offset, id }, wire).repeat > 0;
    if (turn < latest.repeat || (!isRepeat && turn < latest.first)) {
      report("R8", `${tag} of ${publisher} is behind a later one, at ${channel} ${offset}`);
    }
    if (isRepeat) latest.repeat = Math.max(latest.repeat, turn);
    else latest.first = Math.max(latest.first, turn);
  }
}

/** A client's publication has to come to a node before it is appended. */
function arrivalFault({ tag, offset }: Entry, log: Incarnation, wire: Wire): string | null {
  if (wire.sendsOf(tag).length === 0) return null;
  return wire.arrivalsOf(tag, log.turnOf(offset)).length > 0 ? null : "was there before it came";
}

/** The sends that had come when an entry was appended: how many were first ones, and repeats. */
function countsAt({ tag, log, offset }: Spot, wire: Wire): { first: number; repeat: number } {
  const counts = { first: 0, repeat: 0 };
  for (const send of wire.arrivalsOf(tag, log.turnOf(offset))) {
    counts[wire.doubtsBefore(send).length === 0 ? "first" : "repeat"] += 1;
  }
  return counts;
}

/** One publication at several places. In a log that was lost up to there, it isn't any more. */
function checkPlaces(tag: string, places: readonly Spot[], wire: Wire, report: Report): void {
  for (const [index, one] of places.entries()) {
    for (const other of places.slice(index + 1)) {
      if (one.log !== other.log && isWithdrawn(one, other, wire)) continue;
      const where = `${one.log.epoch} ${one.offset} and ${other.log.epoch} ${other.offset}`;
      if (one.id === other.id) report("R2", `${tag} (${one.id}) is at ${where}`);
      else report("R10", `${tag} was appended under two ids, at ${where}`);
    }
  }
}

/**
 * Whether the first place was lost before the second was taken: with the log's end, or with the whole
 * log. In the latter case a repeat must not be taken again, since nobody knows what was lost; what
 * was on its way for the first time can't be known for one.
 */
function isWithdrawn(one: Spot, other: Spot, wire: Wire): boolean {
  const { log } = other;
  if (log.descendsFrom(one.log.epoch)) return one.offset > log.sharedWith(one.log.epoch);
  const { repeat, first } = countsAt(other, wire);
  if (repeat === 0) return true;
  // Each that comes is appended once: the one that is there already came of a first send, if only
  // such had come then.
  const taken = countsAt(one, wire).repeat === 0 ? 1 : 0;
  return first > taken;
}
