/**
 * Holds of one connection: per channel, the publication that was refused for now and has to come
 * again before any that was sent behind it [PUB-12]. It knows ids only.
 */
import type { Clock } from "@tailwire/protocol";

/** Channels held at once: a client that brings more to a standstill isn't publishing any more. */
const CHANNELS_MAX = 1_024;

interface Hold {
  readonly id: string;
  /** Which of the connection's publications it was. */
  readonly turn: number;
  /** When it has lasted for too long, by the monotonic clock. */
  readonly until: number;
}

export class Holds {
  readonly #clock: Clock;
  readonly #forMs: number;
  #holds: Map<string, Hold> | null = null;
  #turn = 0;

  /** A hold is over after `forMs`: its client has given the publication up, or can't bring it. */
  constructor(clock: Clock, forMs: number) {
    this.#clock = clock;
    this.#forMs = forMs;
  }

  /** The number of the next publication: they come in their sender's order. */
  next(): number {
    this.#turn += 1;
    return this.#turn;
  }

  /** Whether a publication has to wait for another of its channel. */
  mustWait(channel: string, id: string): boolean {
    const hold = this.#holds?.get(channel);
    return hold !== undefined && hold.id !== id;
  }

  /** Whether it has waited for so long that nobody knows any more what comes first. */
  isOver(channel: string): boolean {
    const hold = this.#holds?.get(channel);
    return hold !== undefined && this.#clock.monotonic() >= hold.until;
  }

  /**
   * From now on this one has to come first, unless one before it has to already. The first that was
   * sent may be refused last: its turn says which. False: too many.
   */
  begin(channel: string, id: string, turn: number): boolean {
    const hold = this.#holds?.get(channel);
    if (hold !== undefined && hold.turn < turn && this.mustWait(channel, id)) return true;
    this.#holds ??= new Map();
    if (this.#holds.size >= CHANNELS_MAX && !this.#holds.has(channel)) return false;
    this.#holds.set(channel, { id, turn, until: this.#clock.monotonic() + this.#forMs });
    return true;
  }

  /** This one was dealt with for good. */
  end(channel: string, id: string): void {
    if (this.#holds?.get(channel)?.id === id) this.#holds.delete(channel);
  }
}
