/** A node's counters since it began: numbers that only rise. They know no names of metrics. */

/** The totals that `server.stats()` gives beside the counts of now. */
export interface Totals {
  /** Connections that were accepted. */
  readonly accepted: number;
  /** Upgrades that were refused, by the code of the refusal. */
  readonly refused: Readonly<Record<string, number>>;
  /** Connections that this node closed, by the reason. */
  readonly closed: Readonly<Record<string, number>>;
  /** Messages that came in, and the bytes of their WebSocket messages. */
  readonly messagesIn: number;
  readonly bytesIn: number;
  /** Publications that this node has appended, its own and those of clients. */
  readonly published: number;
  /** Publications handed to sockets: each counts once per subscriber. */
  readonly delivered: number;
  /** Gaps that subscribers were told of. */
  readonly gaps: number;
  /** Requests that were refused, by the code of the error. */
  readonly errors: Readonly<Record<string, number>>;
}

export class Counters {
  accepted = 0;
  messagesIn = 0;
  bytesIn = 0;
  published = 0;
  delivered = 0;
  gaps = 0;
  readonly #refused = new Map<string, number>();
  readonly #closed = new Map<string, number>();
  readonly #errors = new Map<string, number>();

  refused(code: string): void {
    count(this.#refused, code);
  }

  closed(reason: string): void {
    count(this.#closed, reason);
  }

  error(code: string): void {
    count(this.#errors, code);
  }

  get totals(): Totals {
    const { accepted, messagesIn, bytesIn, published, delivered, gaps } = this;
    return {
      accepted,
      refused: Object.fromEntries(this.#refused),
      closed: Object.fromEntries(this.#closed),
      messagesIn,
      bytesIn,
      published,
      delivered,
      gaps,
      errors: Object.fromEntries(this.#errors),
    };
  }
}

/** Names beyond this are counted together: an application's own codes may be many. */
const NAMES_MAX = 100;

function count(counts: Map<string, number>, name: string): void {
  const known = counts.has(name) || counts.size < NAMES_MAX ? name : "other";
  counts.set(known, (counts.get(known) ?? 0) + 1);
}
