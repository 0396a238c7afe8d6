// A broker's log that a test holds in its hands: pushes go out as the test says, or don't.
import { type Position, type Start, tailwireError } from "@tailwire/protocol";
import type {
  Append,
  AppendResult,
  BrokerLog,
  Publication,
  ReadResult,
  Tail,
  TailListener,
} from "@tailwire/server/broker-contract";
import { publicationAt } from "../harness.ts";

export const UNAVAILABLE = (): Error => tailwireError("unavailable");

/** Holds promises back until the test lets them go. */
class Gate {
  #waiting: (() => void)[] = [];
  closed = false;

  pass(): Promise<void> {
    return this.closed ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve();
  }

  open(): void {
    this.closed = false;
    for (const go of this.#waiting.splice(0)) go();
  }

  /** Lets the one that waits longest go. */
  openOnce(): void {
    this.#waiting.shift()?.();
  }
}

export class FakeLog implements BrokerLog {
  epoch = "e1";
  /** The log, which is never trimmed unless a test does it. */
  publications: Publication[] = [];
  /** The offset before the first. */
  edge = 0;
  /** Epochs that the present one continues. */
  readonly lineage = new Set<string>();
  readonly listeners = new Set<TailListener>();
  readonly gates = { append: new Gate(), read: new Gate(), tail: new Gate() };
  /** Batches of ids, as they came. */
  readonly batches: string[][] = [];
  readonly reads: Position[] = [];
  /** Appends in progress now, and the most there ever were. */
  inProgress = 0;
  mostInProgress = 0;
  /** Thrown by the next calls, one each. */
  failures: { readonly append: Error[]; readonly read: Error[]; readonly tail: Error[] } = {
    append: [],
    read: [],
    tail: [],
  };

  get last(): number {
    return this.publications.at(-1)?.offset ?? this.edge;
  }

  /** Adds so many publications without a push, and gives them. */
  grow(count: number): readonly Publication[] {
    const grown = Array.from({ length: count }, (_, index) => publicationAt(this.last + 1 + index));
    this.publications.push(...grown);
    return grown;
  }

  /** Pushes to everybody who follows. */
  push(publications: readonly Publication[], epoch = this.epoch): void {
    for (const listener of this.listeners) listener.push(epoch, publications);
  }

  /** Drops what is up to an offset. */
  trim(edge: number): void {
    this.edge = edge;
    this.publications = this.publications.filter(({ offset }) => offset > edge);
  }

  async append(batch: readonly Append[]): Promise<readonly AppendResult[]> {
    this.batches.push(batch.map(({ id }) => id));
    this.inProgress += 1;
    this.mostInProgress = Math.max(this.mostInProgress, this.inProgress);
    await this.gates.append.pass();
    this.inProgress -= 1;
    const failure = this.failures.append.shift();
    if (failure !== undefined) throw failure;
    return batch.map(({ id }) => {
      const offset = this.last + 1;
      this.publications.push(publicationAt(offset, { id }));
      const position = { epoch: this.epoch, offset, id };
      return { kind: "appended", position, duplicate: false };
    });
  }

  async read(after: Position, limit: { readonly count: number }): Promise<ReadResult> {
    this.reads.push(after);
    const result = this.#read(after, limit.count);
    await this.gates.read.pass();
    const failure = this.failures.read.shift();
    if (failure !== undefined) throw failure;
    return result;
  }

  async readBack(before: Position | null, limit: { readonly count: number }): Promise<ReadResult> {
    await this.gates.read.pass();
    const earlier = this.publications.filter(({ offset }) => offset < (before?.offset ?? Infinity));
    return {
      kind: "publications",
      epoch: this.epoch,
      publications: earlier.slice(-limit.count),
    };
  }

  async locate(start: Exclude<Start, Position>): Promise<Position> {
    return Promise.resolve(this.#position(start === "earliest" ? this.edge : this.last));
  }

  async tail(listener: TailListener): Promise<Tail> {
    const failure = this.failures.tail.shift();
    if (failure !== undefined) throw failure;
    this.listeners.add(listener);
    const position = this.#position(this.last);
    await this.gates.tail.pass();
    return { position, close: () => this.listeners.delete(listener) };
  }

  #read(after: Position, count: number): ReadResult {
    const known = after.epoch === this.epoch || this.lineage.has(after.epoch);
    const reason = !known
      ? "epoch"
      : after.offset > this.last
        ? "ahead"
        : after.offset < this.edge
          ? "trimmed"
          : null;
    if (reason === null) {
      const publications = this.publications.filter(({ offset }) => offset > after.offset);
      return {
        kind: "publications",
        epoch: this.epoch,
        publications: publications.slice(0, count),
      };
    }
    const to = this.#position(reason === "ahead" ? this.last : this.edge);
    const lost = reason === "trimmed" ? this.edge - after.offset : null;
    const publications = this.publications
      .filter(({ offset }) => offset > to.offset)
      .slice(0, count);
    return { kind: "gap", gap: { reason, to, continuesAfter: to, lost }, publications };
  }

  #position(offset: number): Position {
    const id = this.publications.find((publication) => publication.offset === offset)?.id ?? null;
    return { epoch: this.epoch, offset, id };
  }
}
