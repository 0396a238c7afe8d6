/**
 * The sweep: how publications get out to many connections without blocking any.
 *
 * A channel that grew is marked; its cursors that lie behind put their connections in line; turns
 * of about a millisecond serve the line, each connection from its own positions to the end of the
 * log as it is then. Between turns, waiting input and output have their say. Measured against one
 * atomic flush per publication it costs the same and never holds the event loop.
 */
import type { Clock } from "@tailwire/protocol";

/** How long a turn may serve before it yields, in milliseconds. */
const TURN_MS = 1;

/** Channels with more cursors than this are marked once per sweep, smaller ones each turn. */
const LARGE_CHANNEL = 256;

/** A sweep that takes longer counts as two, in milliseconds. */
const LONG_SWEEP_MS = 10;

/** The longest pause between sweeps, in milliseconds: what batching may cost in latency. */
const PAUSE_MS = 5;

/** One in line: a connection. */
export interface Served {
  /** Whether it stands in line. Only the sweep touches it. */
  inLine: boolean;
  /** Sends what one write may carry. True when there is more, and it can be written now. */
  serve(): boolean;
}

/** What grows: a channel, of which only the number of cursors matters here. */
export interface Grown {
  readonly size: number;
}

export class Sweep<C extends Grown> {
  readonly #clock: Clock;
  readonly #mark: (channel: C) => void;
  /** How many connections there are, to tell a broadcast from traffic of a few. */
  readonly #population: () => number;
  readonly #dirty = new Set<C>();
  #line: Served[] = [];
  #head = 0;
  #scheduled = false;
  #sweepBeganAt = -Infinity;
  #busyMs = 0;
  #served = 0;

  /** `mark` puts the connections of a channel's cursors in line, by {@link enqueue}. */
  constructor(clock: Clock, mark: (channel: C) => void, population: () => number) {
    this.#clock = clock;
    this.#mark = mark;
    this.#population = population;
  }

  /** A channel has grown. */
  grew(channel: C): void {
    this.#dirty.add(channel);
    this.#schedule();
  }

  /** A connection has something to send, and its socket allows it. */
  enqueue(served: Served): void {
    if (served.inLine) return;
    served.inLine = true;
    this.#line.push(served);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#clock.soon(() => this.#turn());
  }

  #turn(): void {
    this.#scheduled = false;
    const began = this.#clock.monotonic();
    this.#markDirty();
    while (this.#head < this.#line.length) {
      const served = this.#line[this.#head] as Served;
      this.#head += 1;
      served.inLine = false;
      this.#served += 1;
      if (served.serve()) this.enqueue(served);
      if (this.#clock.monotonic() - began >= TURN_MS) break;
    }
    this.#busyMs += this.#clock.monotonic() - began;
    if (this.#head < this.#line.length) this.#schedule();
    else this.#endSweep();
  }

  #markDirty(): void {
    const now = this.#clock.monotonic();
    // A line that never empties, as in a storm of replays, must not keep a channel waiting.
    const newSweep = this.#head === this.#line.length || now - this.#sweepBeganAt >= LONG_SWEEP_MS;
    if (newSweep) this.#sweepBeganAt = now;
    for (const channel of this.#dirty) {
      if (!newSweep && channel.size > LARGE_CHANNEL) continue;
      this.#dirty.delete(channel);
      this.#mark(channel);
    }
    // What was served is let go of before the line has grown much.
    if (this.#head > 4_096) {
      this.#line.splice(0, this.#head);
      this.#head = 0;
    }
  }

  /**
   * After a broadcast, rests for about as long as it took: publications that come meanwhile share
   * one write per connection, and a write is what everything costs.
   */
  #endSweep(): void {
    const broadcast = this.#served * 2 > this.#population();
    const pauseMs = broadcast ? Math.min(PAUSE_MS, 2 * this.#busyMs) : 0;
    this.#line = [];
    this.#head = 0;
    this.#busyMs = 0;
    this.#served = 0;
    if (pauseMs >= 1) {
      this.#scheduled = true;
      this.#clock.after(pauseMs, () => this.#turn());
    } else if (this.#dirty.size > 0) {
      this.#schedule();
    }
  }
}
