/**
 * Missed and doubled publications, worked out from positions alone.
 *
 * A tally watches one subscription. It believes offsets and ids and not what the library says of
 * itself, with one exception: a gap that was told is counted as told, apart from what was missed.
 * Offsets rise by one [DEL-3], so each one that is passed over is a loss.
 */
import type { Gap, Position } from "@tailwire/client";

/** The positions that were passed over: from and to, both included. */
interface Hole {
  from: number;
  to: number;
}

/** The knowledge of one incarnation of a log. */
interface Ledger {
  highest: number;
  holes: Hole[];
}

/** Publications whose ids are remembered, to notice one that is in the log twice. */
const IDS_MAX = 20_000;

/** One subscription's account. */
export class Tally {
  /** Publications received, those that came twice included. */
  received = 0;
  /** Publications received that had been received before, at this offset or at another. */
  duplicated = 0;
  /** Publications that a gap said were lost. */
  toldMissing = 0;
  /** Gaps that couldn't say how many. */
  toldUncounted = 0;
  #missedForGood = 0;
  #epoch: string | null = null;
  readonly #ledgers = new Map<string, Ledger>();
  readonly #ids = new Map<string, number>();
  readonly #awaited = new Set<number>();

  /** Publications that were passed over in silence, and haven't come since. */
  get missed(): number {
    let missed = this.#missedForGood;
    for (const { holes } of this.#ledgers.values()) {
      for (const { from, to } of holes) missed += to - from + 1;
    }
    return missed;
  }

  /** Publications that are acknowledged to their publisher and haven't come here yet. */
  get onTheWay(): number {
    return this.#awaited.size;
  }

  /** Where the subscription starts: everything after it is owed. Only the first call counts. */
  begin({ epoch, offset }: Position): void {
    if (this.#epoch === null) this.#open(epoch, offset);
  }

  /** A publication has come. */
  receive(id: string, { epoch, offset }: Position): void {
    this.received += 1;
    this.#awaited.delete(offset);
    const ledger = this.#ledgers.get(epoch) ?? this.#openUntold(epoch, offset);
    const again = offset <= ledger.highest && !fill(ledger, offset);
    if (offset > ledger.highest) {
      if (offset > ledger.highest + 1)
        ledger.holes.push({ from: ledger.highest + 1, to: offset - 1 });
      ledger.highest = offset;
    }
    const known = this.#ids.get(id);
    if (again || (known !== undefined && known !== offset)) this.duplicated += 1;
    this.#remember(id, offset);
  }

  /** A gap was told. */
  tell({ from, continuesAfter, lost }: Gap): void {
    const ledger = this.#ledgers.get(from.epoch);
    // It accounts for what follows `from`; what lies before that was passed over in silence.
    if (ledger !== undefined && from.offset > ledger.highest) {
      ledger.holes.push({ from: ledger.highest + 1, to: from.offset });
    }
    if (lost === null) this.toldUncounted += 1;
    else this.toldMissing += lost;
    this.#awaited.clear();
    // Withdrawn offsets will come again, as something else.
    this.#open(continuesAfter.epoch, continuesAfter.offset);
  }

  /** A publication was acknowledged to its publisher, so that it has to come here as well. */
  expect({ epoch, offset }: Position): void {
    const ledger = this.#ledgers.get(epoch);
    if (ledger !== undefined && offset > ledger.highest) this.#awaited.add(offset);
  }

  #open(epoch: string, offset: number): Ledger {
    const holes = (this.#ledgers.get(epoch)?.holes ?? []).filter(({ to }) => to <= offset);
    const ledger = { highest: offset, holes };
    this.#ledgers.set(epoch, ledger);
    this.#epoch = epoch;
    return ledger;
  }

  /** An epoch that nobody told of: fine at the start, or where the offsets simply go on. */
  #openUntold(epoch: string, offset: number): Ledger {
    const before = this.#epoch === null ? undefined : this.#ledgers.get(this.#epoch);
    if (before !== undefined && offset !== before.highest + 1) {
      this.#missedForGood += Math.max(1, offset - before.highest - 1);
    }
    return this.#open(epoch, offset - 1);
  }

  #remember(id: string, offset: number): void {
    this.#ids.set(id, offset);
    if (this.#ids.size <= IDS_MAX) return;
    for (const oldest of this.#ids.keys()) {
      this.#ids.delete(oldest);
      return;
    }
  }
}

/** Takes an offset out of the holes. False: it wasn't in one, so that it has come before. */
function fill(ledger: Ledger, offset: number): boolean {
  const hole = ledger.holes.find(({ from, to }) => from <= offset && offset <= to);
  if (hole === undefined) return false;
  const parts = [
    { from: hole.from, to: offset - 1 },
    { from: offset + 1, to: hole.to },
  ];
  ledger.holes = ledger.holes.flatMap((one) =>
    one === hole ? parts.filter(({ from, to }) => from <= to) : [one],
  );
  return true;
}

/** The whole page's account. */
export interface Totals {
  readonly sent: number;
  readonly acknowledged: number;
  readonly received: number;
  readonly missed: number;
  readonly duplicated: number;
  readonly toldMissing: number;
  readonly toldUncounted: number;
}

/** Adds up what all of the page's publishers and subscriptions have seen. */
export class Counters {
  sent = 0;
  acknowledged = 0;
  /** Counts by somebody else, of a subscription that isn't this page's. */
  elsewhere = { missed: 0, duplicated: 0, toldMissing: 0 };
  readonly #tallies: Tally[] = [];

  /** A new account for one more subscription. */
  tally(): Tally {
    const tally = new Tally();
    this.#tallies.push(tally);
    return tally;
  }

  get totals(): Totals {
    const sum = (of: (tally: Tally) => number): number =>
      this.#tallies.reduce((total, tally) => total + of(tally), 0);
    return {
      sent: this.sent,
      acknowledged: this.acknowledged,
      received: sum((tally) => tally.received),
      missed: this.elsewhere.missed + sum((tally) => tally.missed),
      duplicated: this.elsewhere.duplicated + sum((tally) => tally.duplicated),
      toldMissing: this.elsewhere.toldMissing + sum((tally) => tally.toldMissing),
      toldUncounted: sum((tally) => tally.toldUncounted),
    };
  }
}
