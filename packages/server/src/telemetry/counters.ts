/** A node's counters since it began. They only rise, and know no names of metrics. */

/** Totals of a node since it began. They only rise. */
export interface Totals {
  /** Connections that were accepted. */
  readonly accepted: number;
  /** Upgrades that were refused, by the code in the answer's body [CONN-7]. */
  readonly refused: Readonly<Record<string, number>>;
  /** Connections that this node closed, by the name of the close code. */
  readonly closed: Readonly<Record<string, number>>;
  /** Protocol messages received, malformed ones included. */
  readonly messagesIn: number;
  /** Bytes of the WebSocket messages received. */
  readonly bytesIn: number;
  /** Publications that this node has appended, its own and those of its clients. */
  readonly published: number;
  /** Publications written to sockets. Each counts once per subscriber. */
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

/** Codes that are counted apart. More, of an application's own, are counted together as `other`. */
const NAMES_MAX = 100;

function count(counts: Map<string, number>, name: string): void {
  const known = counts.has(name) || counts.size < NAMES_MAX ? name : "other";
  counts.set(known, (counts.get(known) ?? 0) + 1);
}
