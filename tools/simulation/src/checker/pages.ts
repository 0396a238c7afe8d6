/**
 * Rules about pages: each is a piece of the log as it was at some moment between question and
 * answer, no shorter than it has to be, and says truly whether there is more. Rule 14 of the checker.
 */
import type { Gaps } from "./gaps.ts";
import type { HistoryEvent, PageEvent, Place, ReadEvent } from "./history.ts";
import { isThere, type Moment, type Timeline } from "./timeline.ts";
import type { Incarnation, Truth } from "./truth.ts";
import type { Report } from "./violation.ts";

type Direction = "after" | "before" | "newest";

interface Known {
  readonly truth: Truth;
  readonly timeline: Timeline;
  readonly gaps: Gaps;
}

export class Pages {
  readonly #truth: Truth;
  readonly #timeline: Timeline;
  readonly #gaps: Gaps;
  readonly #report: Report;
  readonly #bytesMax: number;
  /** Questions, and the turns in which they were asked. */
  readonly #asked = new Map<string, ReadEvent & { readonly turn: number }>();

  constructor({ truth, timeline, gaps }: Known, bytesMax: number, report: Report) {
    this.#truth = truth;
    this.#timeline = timeline;
    this.#gaps = gaps;
    this.#bytesMax = bytesMax;
    this.#report = report;
  }

  take(event: HistoryEvent, turn: number): void {
    if (event.type === "read") this.#asked.set(event.page, { ...event, turn });
    if (event.type !== "page") return;
    const asked = this.#asked.get(event.page);
    const fault = asked === undefined ? "nobody asked for it" : this.#faultOf(asked, event, turn);
    if (fault !== null) this.#report("R14", `${event.page} of ${asked?.channel}: ${fault}`);
  }

  #faultOf(
    asked: ReadEvent & { readonly turn: number },
    page: PageEvent,
    turn: number,
  ): string | null {
    const { channel, after, before, count } = asked;
    const { entries, gap } = page;
    const gapFault = gap === null ? null : this.#gaps.faultOf(channel, gap, after === null);
    if (gapFault !== null) return `its gap isn't true: ${gapFault}`;
    const [first] = entries;
    // An entry that was never appended is another rule's concern.
    const read = this.#truth.find(channel, page.epoch ?? "");
    if (entries.some(({ offset }) => read?.at(offset) === undefined)) return null;
    for (const [index, { offset }] of entries.entries()) {
      const expected = (first?.offset ?? 0) + index;
      if (offset !== expected) return `${offset} is at ${expected}`;
    }
    // Behind a gap, what precedes a place is read from the end of the log.
    const at = gap === null ? (after ?? before) : after === null ? null : gap.continuesAfter;
    const direction = at === null ? "newest" : after === null ? "before" : "after";
    const piece: Piece = { page, at, direction, count, bytesMax: this.#bytesMax };
    const some = (holds: (moment: Moment) => boolean): boolean =>
      this.#timeline.some(channel, asked.turn, turn, holds);
    if (!some((moment) => isPiece(moment, piece))) return `it is no piece ${direction} ${word(at)}`;
    const says = some((moment) => saysMore(moment, piece) === page.more);
    return says ? null : `it says that there is ${page.more ? "" : "no "}more`;
  }
}

/** A page, and what it was to be. */
interface Piece {
  readonly page: PageEvent;
  /** The place that it follows or precedes; null at the end of the log. */
  readonly at: Place | null;
  readonly direction: Direction;
  readonly count: number;
  readonly bytesMax: number;
}

/** Whether the log had it there and then, and whether it is as long as it has to be. */
function isPiece(moment: Moment, { page, at, direction, count, bytesMax }: Piece): boolean {
  const { log, last, edge } = moment;
  const { epoch, entries } = page;
  if (epoch !== null && log.epoch !== epoch) return false;
  if (at !== null && !isThere(moment, at)) return false;
  const from = direction === "after" ? (at?.offset ?? 0) : edge;
  const to = direction === "before" ? Math.max(edge, (at?.offset ?? 1) - 1) : last;
  if (from < edge) return false;
  const length = Math.min(count, Math.max(0, to - from));
  if (entries.length > length) return false;
  const begins = direction === "after" ? from + 1 : to - entries.length + 1;
  if (entries[0] !== undefined && entries[0].offset !== begins) return false;
  if (entries.length === length) return true;
  const next = direction === "after" ? begins + entries.length : begins - 1;
  return entries.length > 0 && sizeOf(log, Math.min(begins, next), entries.length + 1) > bytesMax;
}

/** Bytes of so many publications, from an offset on. */
function sizeOf(log: Incarnation, first: number, count: number): number {
  let bytes = 0;
  for (let offset = first; offset < first + count; offset += 1) bytes += log.bytesAt(offset);
  return bytes;
}

/** Whether there was more in the page's direction. */
function saysMore({ log, last, edge }: Moment, { page, direction }: Piece): boolean {
  const { epoch, entries } = page;
  const [first] = entries;
  const end = entries.at(-1);
  if (first === undefined || end === undefined) return false;
  const isOther = epoch !== null && !log.continues({ epoch, offset: end.offset });
  if (direction !== "after") return !isOther && first.offset - 1 > edge;
  // A log that has become another goes on with a gap, and that is more.
  return isOther || last > end.offset;
}

function word(place: Place | null): string {
  return place === null ? "at the end" : `${place.epoch} ${place.offset}`;
}
