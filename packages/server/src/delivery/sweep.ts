/**
 * The sweep: how publications get out to many connections without blocking any.
 *
 * A channel that grew is marked; its cursors that lie behind put their connections in line; turns
 * of about a millisecond serve the line, each connection from its own positions to the end of the
 * log as it is then. Between turns, waiting input and output have their say. Measured against one
 * atomic flush per publication it costs the same and never holds the event loop.
 */
import type { Cancel, Clock } from "@tailwire/protocol";

/** How long a turn may serve before it yields, in milliseconds. */
const TURN_MS = 1;

/** Channels with more cursors than this are marked once per sweep, smaller ones each turn. */
const LARGE_CHANNEL = 256;

/** A sweep that takes longer counts as two, in milliseconds. */
const LONG_SWEEP_MS = 10;

/** Broadcasts begin this far apart, in milliseconds: what batching may cost in latency. */
const PACE_MS = 8;

/** The rest after a broadcast that takes longer than that, in milliseconds: input gets its turn. */
const REST_MS_MIN = 2;

/** A rest lasts this many times as long as its broadcast at most: small rooms gain little by it. */
const RESTS_PER_BROADCAST = 10;

/** One in line: a connection. */
export interface Served {
  /** Whether it stands in line. Only the sweep touches it. */
  inLine: boolean;
  /** Sends what one write may carry. True when there is more, and it can be written now. */
  serve(): boolean;
}

/** A thing that grows: a channel, as far as it matters here. */
export interface Grown {
  /** Cursors. */
  readonly size: number;
  /** Whether so much is new that it must not wait for more. */
  readonly isFull: boolean;
  /** Puts the connections of cursors that lie behind in line, by {@link Sweep.enqueue}. */
  tellCursors(): void;
}

export class Sweep {
  readonly #clock: Clock;
  /** How many connections there are, to tell a broadcast from traffic of a few. */
  readonly #population: () => number;
  readonly #dirty = new Set<Grown>();
  #line: Served[] = [];
  #head = 0;
  #scheduled = false;
  #cancelRest: Cancel | null = null;
  #sweepBeganAt = -Infinity;
  #busyMs = 0;
  #served = 0;

  constructor(clock: Clock, population: () => number) {
    this.#clock = clock;
    this.#population = population;
  }

  /** A channel has grown. */
  grew(channel: Grown): void {
    this.#dirty.add(channel);
    if (channel.isFull) this.#endRest();
    this.#schedule();
  }

  /** A connection has something to send, and its socket allows it. */
  enqueue(served: Served): void {
    if (served.inLine) return;
    served.inLine = true;
    this.#line.push(served);
    this.#schedule();
  }

  #endRest(): void {
    if (this.#cancelRest === null) return;
    this.#cancelRest();
    this.#cancelRest = null;
    this.#scheduled = false;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#clock.soon(() => this.#turn());
  }

  #turn(): void {
    // Still scheduled: whoever gets in line in a turn must not call for another, which would end
    // the rest that follows.
    const began = this.#clock.monotonic();
    try {
      this.#markDirty();
      this.#serveUntil(began + TURN_MS);
    } finally {
      // Also where an application survives what it shouldn't: everybody waits for the next turn.
      this.#busyMs += this.#clock.monotonic() - began;
      this.#scheduled = false;
      if (this.#head < this.#line.length) this.#schedule();
      else this.#endSweep();
    }
  }

  #serveUntil(end: number): void {
    while (this.#head < this.#line.length) {
      const served = this.#line[this.#head] as Served;
      this.#head += 1;
      served.inLine = false;
      this.#served += 1;
      if (served.serve()) this.enqueue(served);
      if (this.#clock.monotonic() >= end) return;
    }
  }

  #markDirty(): void {
    const now = this.#clock.monotonic();
    // A line that never empties, as in a storm of replays, must not keep a channel waiting.
    const newSweep = this.#served === 0 || now - this.#sweepBeganAt >= LONG_SWEEP_MS;
    if (newSweep) this.#sweepBeganAt = now;
    // To be marked is to get in line: nothing grows meanwhile, and what was marked leaves.
    for (const channel of this.#dirty) {
      if (!newSweep && channel.size > LARGE_CHANNEL) continue;
      this.#dirty.delete(channel);
      channel.tellCursors();
    }
    // Served entries are let go of before the line has grown much.
    if (this.#head > 4_096) {
      this.#line.splice(0, this.#head);
      this.#head = 0;
    }
  }

  /**
   * After a broadcast, rests until the next is due: publications that come meanwhile share one write
   * per connection, and a write is what everything costs. A publication right behind a broadcast has
   * to wait for the rest and for two broadcasts, so the longer they take, the shorter is the rest. A
   * channel that is full doesn't wait.
   */
  #endSweep(): void {
    const broadcast = this.#served * 2 > this.#population();
    const isFull = [...this.#dirty].some((channel) => channel.isFull);
    const pauseMs = broadcast && !isFull ? restAfter(this.#busyMs) : 0;
    this.#line = [];
    this.#head = 0;
    this.#busyMs = 0;
    this.#served = 0;
    if (pauseMs >= 1) {
      this.#scheduled = true;
      this.#cancelRest = this.#clock.after(pauseMs, () => {
        this.#cancelRest = null;
        this.#turn();
      });
    } else if (this.#dirty.size > 0) {
      this.#schedule();
    }
  }
}

/** How long to rest after a broadcast, both in milliseconds. */
function restAfter(busyMs: number): number {
  return Math.min(RESTS_PER_BROADCAST * busyMs, Math.max(PACE_MS - busyMs, REST_MS_MIN));
}
