/**
 * Rules about outcomes: what publishers were told of their publications, on the wire and beyond it, and
 * how they went on, held against the logs. Rules 1, 4, 9 and 10 of the checker.
 */
import type { HistoryEvent, Place, PublishingEvent } from "./history.ts";
import type { Publications } from "./publishing.ts";
import { isThere, type Timeline } from "./timeline.ts";
import type { Truth } from "./truth.ts";
import type { Send, Wire } from "./wire.ts";
import type { Report } from "./violation.ts";

interface Known {
  readonly truth: Truth;
  readonly timeline: Timeline;
  readonly publications: Publications;
  readonly wire: Wire;
}

type Outcome = Extract<PublishingEvent, { type: "published" | "unpublished" }>;

/** By how much a client may be wrong about the age of what it repeats, in milliseconds. */
const AGE_MS = 1;

export function checkOutcomes(
  history: readonly HistoryEvent[],
  known: Known,
  report: Report,
): void {
  const { truth, timeline, publications, wire } = known;
  for (const { tag, turn, answer, answeredAt } of wire.exchanges) {
    if (tag === null || answer === null || answer.position === null) continue;
    checkAck(known, { tag, position: answer.position, from: turn, to: answeredAt }, report);
  }
  for (const send of wire.sends()) checkRepeat(send, wire, report);
  const appended = new Map<string, Set<number>>();
  for (const [, log] of truth.all()) {
    for (const { tag, offset } of log.own.values()) {
      appended.set(tag, (appended.get(tag) ?? new Set()).add(offset));
    }
  }
  const outcomes = new Map<string, string>();
  for (const [turn, event] of history.entries()) {
    if (event.type !== "published" && event.type !== "unpublished") continue;
    const { tag } = event;
    const before = outcomes.get(tag);
    const outcome = event.type === "published" ? "published" : event.code;
    if (before !== undefined) report("R10", `${tag} was ${before}, and then ${outcome}`);
    outcomes.set(tag, outcome);
    if (event.type === "published") {
      const from = publications.get(tag)?.turn ?? turn;
      checkAck(known, { tag, position: event.position, from, to: turn }, report);
    } else if (event.code === "overtaken") {
      // It may have been in the log's end that was lost. From now on it isn't there.
      const channel = publications.get(tag)?.channel ?? "";
      const places = [...(appended.get(tag) ?? [])];
      const stands = timeline.some(channel, turn, Infinity, ({ log, last }) =>
        places.some((offset) => offset <= last && log.at(offset)?.tag === tag),
      );
      if (stands) report("R4", `${tag} was refused with overtaken, and stands in the log`);
    } else if (!event.may && appended.has(tag)) {
      report("R4", `${tag} was refused with ${event.code}, and is in the log`);
    }
    if (isOver(event, wire) && wire.sendsOf(tag).some((send) => send.turn > turn)) {
      report("R10", `${tag} was ${outcome}, and was sent again`);
    }
  }
}

/** Whether it isn't sent any more: what was taken back is, until its fate is sure, as is what is held. */
function isOver(event: Outcome, wire: Wire): boolean {
  if (event.type === "unpublished") return event.code !== "taken back";
  return wire.sendsOf(event.tag).every(({ exchange }) => exchange?.answer?.retry !== true);
}

/** A publication that may have been sent before says so, and for how long [PUB-5]. */
function checkRepeat(send: Send, wire: Wire, report: Report): void {
  const [first] = wire.doubtsBefore(send);
  if (first === undefined) return;
  const { tag, at, ageMs } = send.wrote;
  const trueMs = at - first.wrote.at;
  if (ageMs === null) report("R10", `${tag} was sent as if it never had been`);
  else if (ageMs < trueMs - AGE_MS) report("R10", `${tag} was ${trueMs} ms old, and said ${ageMs}`);
}

interface Ack {
  readonly tag: string;
  readonly position: Place;
  /** It was asked for and answered in these turns. */
  readonly from: number;
  readonly to: number;
}

/** An ack names a place that the log had, as it was at some moment between question and answer. */
function checkAck({ truth, timeline, publications }: Known, ack: Ack, report: Report): void {
  const { tag, position, from, to } = ack;
  const { epoch, offset, id } = position;
  const channel = publications.get(tag)?.channel ?? "";
  const isIts = (there: { readonly tag: string; readonly id: string } | undefined): boolean =>
    there?.tag === tag && there.id === id;
  const stood = timeline.some(
    channel,
    from,
    to,
    (moment) => isThere(moment, position) && isIts(moment.log.at(offset)),
  );
  if (stood) return;
  const log = truth.find(channel, epoch);
  const elsewhere = [...(log?.own.values() ?? [])].find((entry) => entry.tag === tag);
  const where = `${tag} was acknowledged at ${epoch} ${offset}`;
  if (isIts(log?.at(offset))) report("R1", `${where}, when that was over`);
  else if (elsewhere === undefined) report("R1", `${where}, and isn't in the log`);
  else report("R9", `${where}, and is at ${elsewhere.offset}`);
}
