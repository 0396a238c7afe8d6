/**
 * A connection's subscriptions, by channel: reserved while a subscribe is in progress, then a cursor.
 *
 * It doesn't know messages: its callers say what has begun and ended.
 */
import { SparseMap, SparseSet } from "../support/sparse.ts";

/** A cursor, as far as it is ended from here. */
interface Closable {
  close(): void;
}

export class Subscriptions {
  /** Null while the subscribe is in progress. */
  readonly #cursors = new SparseMap<string, Closable | null>();
  /** Channels that the server subscribed, and the client hasn't asked for. */
  readonly #byServer = new SparseSet<string>();

  /** Subscriptions, those in progress included. */
  get size(): number {
    return this.#cursors.size;
  }

  has(channel: string): boolean {
    return this.#cursors.has(channel);
  }

  channels(): readonly string[] {
    return [...this.#cursors.keys()];
  }

  /** Takes the channel's place while a subscribe is in progress. */
  reserve(channel: string): void {
    this.#cursors.set(channel, null);
  }

  /** A subscribe came to nothing. */
  release(channel: string): void {
    this.#cursors.delete(channel);
    this.#byServer.delete(channel);
  }

  begin(channel: string, cursor: Closable): void {
    this.#cursors.set(channel, cursor);
  }

  /** The subscription that begins is the server's own. */
  markByServer(channel: string): void {
    this.#byServer.add(channel);
  }

  /** A subscription that the server began is the client's to take over, from wherever it wants [SUB-10]. */
  handOver(channel: string): void {
    if (this.#byServer.delete(channel)) this.end(channel);
  }

  /** Ends a subscription. False: there is none, or its subscribe is still in progress. */
  end(channel: string): boolean {
    const cursor = this.#cursors.get(channel);
    if (cursor === undefined || cursor === null) return false;
    this.release(channel);
    cursor.close();
    return true;
  }

  /** Stops all deliveries. */
  closeAll(): void {
    for (const cursor of this.#cursors.values()) cursor?.close();
  }

  clear(): void {
    this.closeAll();
    this.#cursors.clear();
    this.#byServer.clear();
  }
}
