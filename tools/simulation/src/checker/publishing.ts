/**
 * Rules about publishing: what publishers were told, held against the logs.
 *
 * It knows no subscriber. Rules 1, 2, 4, 5, 8, 9, 10 of the checker.
 */
import type { HistoryEvent, Place, PublishingEvent, Report } from "./history.ts";
import type { Incarnation, Truth } from "./truth.ts";

type Publish = Extract<PublishingEvent, { type: "publish" }>;

interface Spot {
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

/** Judges what publishers were told. */
export function checkPublishing(
  history: readonly HistoryEvent[],
  truth: Truth,
  publications: Publications,
  report: Report,
): void {
  const spots = new Map<string, Spot[]>();
  const lost = new Set<string>();
  for (const [channel, log] of truth.all()) {
    checkLog(channel, log, { publications, lost }, report);
    for (const { id } of log.own.values()) lost.add(id);
    for (const { offset, id, tag } of log.own.values()) {
      const known = spots.get(tag);
      if (known === undefined) spots.set(tag, [{ log, offset, id }]);
      else known.push({ log, offset, id });
    }
  }
  for (const [tag, places] of spots) checkPlaces(tag, places, report);
  const outcomes = new Map<string, string>();
  for (const event of history) {
    if (event.type !== "published" && event.type !== "unpublished") continue;
    const before = outcomes.get(event.tag);
    const outcome = event.type === "published" ? "published" : event.code;
    if (before !== undefined) report("R10", `${event.tag} was ${before}, and then ${outcome}`);
    outcomes.set(event.tag, outcome);
    if (event.type === "published") {
      const channel = publications.get(event.tag)?.channel ?? "";
      checkAck(truth.find(channel, event.position.epoch), event.tag, event.position, report);
    } else if (!event.may && spots.has(event.tag)) {
      report("R4", `${event.tag} was refused with ${event.code}, and is in the log`);
    }
  }
}

interface Known {
  readonly publications: Publications;
  /** Ids that were in a log before: what was lost before it was acknowledged keeps no place. */
  readonly lost: ReadonlySet<string>;
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
function checkLog(
  channel: string,
  log: Incarnation,
  { publications, lost }: Known,
  report: Report,
): void {
  const turns = new Map<string, Turns>();
  for (const { tag, offset, id } of log.own.values()) {
    const published = publications.get(tag);
    if (published === undefined || published.channel !== channel) {
      report("R5", `${tag} at ${channel} ${log.epoch} ${offset} was never published there`);
      continue;
    }
    if (lost.has(id)) continue;
    const { publisher, turn } = published;
    const latest = turns.get(publisher) ?? { first: -1, repeat: -1 };
    turns.set(publisher, latest);
    const isRepeat = log.repeats.has(offset);
    if (turn < latest.repeat || (!isRepeat && turn < latest.first)) {
      report("R8", `${tag} of ${publisher} is behind a later one, at ${channel} ${offset}`);
    }
    if (isRepeat) latest.repeat = Math.max(latest.repeat, turn);
    else latest.first = Math.max(latest.first, turn);
  }
}

/** One publication at several places. In a log that was lost up to there, it isn't any more. */
function checkPlaces(tag: string, places: readonly Spot[], report: Report): void {
  for (const [index, one] of places.entries()) {
    for (const other of places.slice(index + 1)) {
      const withdrawn = one.log !== other.log && isWithdrawn(one, other);
      if (withdrawn) continue;
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
function isWithdrawn(one: Spot, { log, offset }: Spot): boolean {
  if (log.descendsFrom(one.log.epoch)) return one.offset > log.sharedWith(one.log.epoch);
  return !log.repeats.has(offset);
}

function checkAck(
  log: Incarnation | undefined,
  tag: string,
  { epoch, offset, id }: Place,
  report: Report,
): void {
  const there = log?.at(offset);
  if (there?.tag === tag && there.id === id) return;
  const elsewhere = [...(log?.own.values() ?? [])].find((entry) => entry.tag === tag);
  if (elsewhere === undefined) {
    report("R1", `${tag} was acknowledged at ${epoch} ${offset}, and isn't in the log`);
  } else {
    report("R9", `${tag} was acknowledged at ${offset}, and is at ${elsewhere.offset}`);
  }
}
