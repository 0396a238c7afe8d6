/**
 * The deletion of a channel's old records, now and then: those that retention doesn't cover, and that no
 * producer may ask for. It goes by time that this process has seen, since a wall clock may jump.
 */
import type { BrokerHost } from "@tailwire/server/broker-contract";
import type { LogReader } from "./reader.ts";
import type { LogStream } from "./stream.ts";

/** Milliseconds between two deletions of one channel at least. */
const TRIM_EVERY_MS = 10_000;

/** The last record at an instant: all records before it are older. */
interface Mark {
  readonly instant: number;
  readonly sequence: number;
}

export class Trimming {
  readonly #token: string;
  readonly #host: BrokerHost;
  /** The oldest first. */
  #marks: readonly Mark[] = [];
  #trimmedBefore = 0;

  constructor(token: string, host: BrokerHost) {
    this.#token = token;
    this.#host = host;
  }

  /** Called after appends. `reader` knows the channel's last record. */
  run(stream: LogStream, reader: LogReader): void {
    const now = this.#host.clock.monotonic();
    const newest = this.#marks.at(-1);
    if (newest !== undefined && now - newest.instant < TRIM_EVERY_MS) return;
    this.#marks = [...this.#marks, { instant: now, sequence: reader.sequence }];
    const isOld = ({ instant }: Mark): boolean => now - instant > 2 * this.#host.dedupeMs;
    const old = this.#marks.findLast(isOld);
    if (old === undefined) return;
    this.#marks = this.#marks.filter((mark) => mark === old || !isOld(mark));
    if (old.sequence <= this.#trimmedBefore) return;
    // A deletion that fails is made up for by the next.
    this.#trim(stream, reader, old.sequence).catch(() => undefined);
  }

  async #trim(stream: LogStream, reader: LogReader, before: number): Promise<void> {
    const edge = await reader.sequenceOfEdge();
    const end = Math.min(edge, before);
    // To nats-server 2.9, deleting before the first sequence is deleting everything.
    if (end <= Math.max(1, this.#trimmedBefore)) return;
    this.#trimmedBefore = end;
    await stream.purge(this.#token, end);
  }
}
