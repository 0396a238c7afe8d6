/**
 * Logs over time: what each was at every moment of a history, so that something that was told can be
 * held against what was true while it was asked, carried out and answered. It judges nobody.
 */
import type { HistoryEvent, Place } from "./history.ts";
import type { Incarnation, Truth } from "./truth.ts";

/** A channel's log from one turn of the history on. */
export interface Moment {
  readonly turn: number;
  readonly log: Incarnation;
  readonly last: number;
  /** The offset right before the first that is retained. */
  readonly edge: number;
  /** The same of what nodes may still hold, where the broker was early. */
  readonly heldEdge: number;
}

export class Timeline {
  readonly #moments = new Map<string, Moment[]>();

  constructor(history: readonly HistoryEvent[], truth: Truth) {
    for (const [turn, event] of history.entries()) {
      if (event.type !== "epoch" && event.type !== "appended" && event.type !== "edge") continue;
      const log = truth.find(event.channel, event.epoch);
      if (log === undefined) continue;
      const moments = this.#moments.get(event.channel) ?? [];
      this.#moments.set(event.channel, moments);
      const { edge = 0, heldEdge = 0, last = 0 } = moments.at(-1) ?? {};
      if (event.type === "appended") {
        moments.push({ turn, log, last: event.entry.offset, edge, heldEdge });
      } else if (event.type === "edge") {
        const { offset, early = false } = event;
        moments.push({ turn, log, last, edge: offset, heldEdge: early ? heldEdge : offset });
      } else {
        const { at } = event;
        const edges = { edge: Math.min(edge, at), heldEdge: Math.min(heldEdge, at) };
        moments.push({ turn, log, last: at, ...edges });
      }
    }
  }

  /** Moments of a channel's log between two turns, beginning with what was at the first of them. */
  *between(channel: string, from: number, to: number): Generator<Moment, void> {
    const moments = this.#moments.get(channel) ?? [];
    for (let index = Math.max(0, lastUpTo(moments, from)); index < moments.length; index += 1) {
      const moment = moments[index] as Moment;
      if (moment.turn > to) return;
      yield moment;
    }
  }

  /** Whether something held of a channel's log at some moment between two turns. */
  some(channel: string, from: number, to: number, holds: (moment: Moment) => boolean): boolean {
    for (const moment of this.between(channel, from, to)) if (holds(moment)) return true;
    return false;
  }

  /** The latest turn, up to one, at which a place was the end of its channel's log; -1 for never. */
  endedAt(channel: string, place: Place, upTo: number): number {
    const moments = this.#moments.get(channel) ?? [];
    for (let index = lastUpTo(moments, upTo); index >= 0; index -= 1) {
      const { log, last } = moments[index] as Moment;
      // It was the end until the next moment.
      const until = Math.min(upTo, (moments[index + 1]?.turn ?? Infinity) - 1);
      if (log.continues(place) && last <= place.offset) return until;
    }
    return -1;
  }
}

/** The index of the last moment up to a turn; -1 where there is none. */
function lastUpTo(moments: readonly Moment[], turn: number): number {
  let low = 0;
  let high = moments.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((moments[middle] as Moment).turn <= turn) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Whether a position was a place of the log, retained or not. */
export function isThere({ log, last }: Moment, { epoch, offset, id }: Place): boolean {
  if (!log.continues({ epoch, offset }) || offset > last) return false;
  const there = log.at(offset);
  return id === null || there === undefined || there.id === id;
}

/** Whether the log could go on from a position without a gap. */
export function isServed(moment: Moment, place: Place): boolean {
  return isThere(moment, place) && place.offset >= moment.edge;
}

/** Whether a node could, of what it holds. */
export function isHeld(moment: Moment, place: Place): boolean {
  return isThere(moment, place) && place.offset >= moment.heldEdge;
}
