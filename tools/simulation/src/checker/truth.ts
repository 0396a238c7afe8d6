/**
 * The truth about logs: for each channel its epochs, what each of them continues, and what was
 * appended where. It is built in one pass, and then asked; it judges nobody.
 */
import type { Entry, HistoryEvent, Place } from "./history.ts";

/** One incarnation of a log. */
export class Incarnation {
  readonly epoch: string;
  readonly parent: Incarnation | null;
  /** The last offset that it shares with its parent. */
  readonly sharedEnd: number;
  readonly #own = new Map<number, Entry>();
  readonly #bytes = new Map<number, number>();
  readonly #turns = new Map<number, number>();
  /** The highest offset. */
  last: number;

  constructor(epoch: string, parent: Incarnation | null, sharedEnd: number) {
    this.epoch = epoch;
    this.parent = parent;
    this.sharedEnd = parent === null ? 0 : sharedEnd;
    this.last = this.sharedEnd;
  }

  /** Entries appended under this epoch, without those of its parents. */
  get own(): ReadonlyMap<number, Entry> {
    return this.#own;
  }

  add(entry: Entry, bytes: number, turn: number): void {
    this.#own.set(entry.offset, entry);
    this.#bytes.set(entry.offset, bytes);
    this.#turns.set(entry.offset, turn);
    this.last = Math.max(this.last, entry.offset);
  }

  at(offset: number): Entry | undefined {
    return offset > this.sharedEnd ? this.#own.get(offset) : this.parent?.at(offset);
  }

  /** The turn of the history in which one of its own was appended; -1 where none was. */
  turnOf(offset: number): number {
    return this.#turns.get(offset) ?? -1;
  }

  /** An entry's share of a page's size. */
  bytesAt(offset: number): number {
    const log = offset > this.sharedEnd ? this : this.parent;
    return (log === this ? this.#bytes.get(offset) : log?.bytesAt(offset)) ?? 0;
  }

  /** Up to which offset it has what an epoch has: 0 where they have nothing to do with each other. */
  sharedWith(epoch: string): number {
    if (epoch === this.epoch) return Infinity;
    if (this.parent === null) return 0;
    return Math.min(this.sharedEnd, this.parent.sharedWith(epoch));
  }

  /** Whether a position in another epoch, or in this, is a place in this log's past. */
  continues({ epoch, offset }: Pick<Place, "epoch" | "offset">): boolean {
    if (epoch === this.epoch) return true;
    if (!this.descendsFrom(epoch)) return false;
    return offset <= this.sharedWith(epoch);
  }

  descendsFrom(epoch: string): boolean {
    return epoch === this.epoch || (this.parent?.descendsFrom(epoch) ?? false);
  }
}

export class Truth {
  readonly #logs = new Map<string, Map<string, Incarnation>>();
  /** Epochs that were begun twice. */
  readonly reused: string[] = [];

  constructor(history: readonly HistoryEvent[]) {
    for (const [turn, event] of history.entries()) {
      if (event.type === "epoch") this.#begin(event.channel, event.epoch, event.parent, event.at);
      else if (event.type === "appended") {
        this.find(event.channel, event.epoch)?.add(event.entry, event.bytes, turn);
      }
    }
  }

  find(channel: string, epoch: string): Incarnation | undefined {
    return this.#logs.get(channel)?.get(epoch);
  }

  /** The incarnation of now. */
  newest(channel: string): Incarnation | undefined {
    return [...(this.#logs.get(channel)?.values() ?? [])].at(-1);
  }

  *all(): Generator<readonly [channel: string, log: Incarnation]> {
    for (const [channel, epochs] of this.#logs) {
      for (const log of epochs.values()) yield [channel, log];
    }
  }

  #begin(channel: string, epoch: string, parent: string | null, at: number): void {
    const epochs = this.#logs.get(channel) ?? new Map<string, Incarnation>();
    this.#logs.set(channel, epochs);
    if (epochs.has(epoch)) {
      this.reused.push(`${channel}: epoch ${epoch}`);
      return;
    }
    const from = parent === null ? null : (epochs.get(parent) ?? null);
    epochs.set(epoch, new Incarnation(epoch, from, at));
  }
}

/** The state that an application makes of a log: how many there were, and a hash of their tags. */
export function fold(log: Incarnation, offset: number): string {
  let state = EMPTY_STATE;
  for (let at = 1; at <= offset; at += 1) {
    const entry = log.at(at);
    if (entry !== undefined) state = foldOne(state, entry.tag);
  }
  return state;
}

/** The state of an empty log. */
export const EMPTY_STATE = "0:0";

/** The state after one more publication. */
export function foldOne(state: string, tag: string): string {
  const [count = "0", hash = "0"] = state.split(":");
  let mixed = Number(hash) | 0;
  for (let index = 0; index < tag.length; index += 1) {
    mixed = Math.imul(mixed ^ tag.charCodeAt(index), 0x01000193);
  }
  return `${Number(count) + 1}:${mixed}`;
}
