/** Timers in the order in which they are due, and of those due at once in that in which they were set. */
import type { Cancel } from "@tailwire/protocol";

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
  wanted: boolean;
}

export class Timers {
  /** A binary heap: each is before the two at twice its place. */
  readonly #heap: Timer[] = [];
  #order = 0;
  #size = 0;

  /** Timers that are still wanted. */
  get size(): number {
    return this.#size;
  }

  /** When the next is due; Infinity where there is none. */
  get nextAt(): number {
    this.#dropUnwanted();
    return this.#heap[0]?.at ?? Infinity;
  }

  add(at: number, callback: () => void): Cancel {
    this.#order += 1;
    const timer = { at, order: this.#order, callback, wanted: true };
    this.#size += 1;
    this.#heap.push(timer);
    this.#rise(this.#heap.length - 1);
    return () => {
      if (timer.wanted) this.#size -= 1;
      timer.wanted = false;
    };
  }

  /** The next one, if it is due by then. */
  takeDue(until: number): Pick<Timer, "at" | "callback"> | null {
    if (this.nextAt > until) return null;
    const timer = this.#pop();
    timer.wanted = false;
    this.#size -= 1;
    return timer;
  }

  #dropUnwanted(): void {
    while (this.#heap[0]?.wanted === false) this.#pop();
  }

  #pop(): Timer {
    const [first] = this.#heap;
    const last = this.#heap.pop() as Timer;
    if (this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#sink();
    }
    return first as Timer;
  }

  #rise(from: number): void {
    const heap = this.#heap;
    const timer = heap[from] as Timer;
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as Timer;
      if (isBefore(above, timer)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = timer;
  }

  #sink(): void {
    const heap = this.#heap;
    const timer = heap[0] as Timer;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      const left = heap[child];
      if (left === undefined) break;
      const right = heap[child + 1];
      if (right !== undefined && isBefore(right, left)) child += 1;
      const below = heap[child] as Timer;
      if (isBefore(timer, below)) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = timer;
  }
}

function isBefore(one: Timer, other: Timer): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
