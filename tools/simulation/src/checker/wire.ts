/**
 * The wire, as far as publications and requests went over it: how often each was sent, on which
 * connections, which of them came to a node, and what was answered. It believes nobody: that
 * something is sent again is seen, not said. It judges nobody either.
 */
import type { AnswerEvent, HistoryEvent, RequestEvent, WroteEvent } from "./history.ts";

/** A request that came to a node, and its answer, with their turns in the history. */
export interface Exchange {
  readonly request: RequestEvent;
  readonly turn: number;
  /** The publication's; null for anything else. */
  tag: string | null;
  answer: AnswerEvent | null;
  answeredAt: number;
}

/** One time that a publication was handed to a socket. */
export interface Send {
  readonly wrote: WroteEvent;
  readonly turn: number;
  /** Null where it never came to a node. */
  exchange: Exchange | null;
}

const NONE: readonly Send[] = [];

export class Wire {
  readonly #sends = new Map<string, Send[]>();
  readonly #clients = new Map<string, string>();
  /** Requests in the order in which they came, by connection and id. */
  readonly exchanges: Exchange[] = [];

  constructor(history: readonly HistoryEvent[]) {
    const onTheirWay = new Map<string, Send[]>();
    const open = new Map<string, Exchange[]>();
    for (const [turn, event] of history.entries()) {
      if (event.type === "link") this.#clients.set(event.connection, event.client);
      else if (event.type === "wrote") {
        const send: Send = { wrote: event, turn, exchange: null };
        push(this.#sends, event.tag, send);
        push(onTheirWay, `${event.connection} ${event.id}`, send);
      } else if (event.type === "request") {
        const key = `${event.connection} ${event.id}`;
        const send = onTheirWay.get(key)?.shift();
        const tag = send?.wrote.tag ?? null;
        const unanswered = { answer: null, answeredAt: Infinity };
        const exchange: Exchange = { request: event, turn, tag, ...unanswered };
        this.exchanges.push(exchange);
        push(open, key, exchange);
        if (send !== undefined) send.exchange = exchange;
      } else if (event.type === "answer") {
        const exchange = open.get(`${event.connection} ${event.re}`)?.shift();
        if (exchange === undefined) continue;
        exchange.answer = event;
        exchange.answeredAt = turn;
      }
    }
  }

  /** Whose connection it is. */
  clientOf(connection: string): string {
    return this.#clients.get(connection) ?? "";
  }

  /** All sends of all publications. */
  *sends(): Generator<Send, void> {
    for (const sends of this.#sends.values()) yield* sends;
  }

  /** All sends of a publication, the first first. */
  sendsOf(tag: string): readonly Send[] {
    return this.#sends.get(tag) ?? NONE;
  }

  /** Its sends that had come to a node by a turn. */
  arrivalsOf(tag: string, turn: number): readonly Send[] {
    return this.sendsOf(tag).filter(({ exchange }) => (exchange?.turn ?? Infinity) < turn);
  }

  /**
   * The sends before one that may have left something in the log: all but those that were refused
   * for now by then.
   */
  doubtsBefore({ wrote: { tag }, turn }: Send): readonly Send[] {
    return this.sendsOf(tag).filter((earlier) => {
      if (earlier.turn >= turn) return false;
      const { answer, answeredAt } = earlier.exchange ?? { answer: null, answeredAt: Infinity };
      return answer?.retry !== true || answeredAt > turn;
    });
  }
}

function push<Value>(lists: Map<string, Value[]>, key: string, value: Value): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
