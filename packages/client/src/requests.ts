/**
 * Requests to the application on the server, each with its answer, its deadline and its way back.
 *
 * A request is sent once, since the application may not bear to run it twice: when its connection is
 * lost, it is `indeterminate` [REQ-4]. One that wasn't sent yet waits for the next connection.
 */
import {
  type AbortSignalLike,
  type Ack,
  type Clock,
  localError,
  type Outgoing,
  type ReadMessage,
  type RequestMessage,
  TailwireError,
} from "@tailwire/protocol";
import { onAbort, throwIfAborted } from "./support/abort.ts";
import type { Connection } from "./connection/connection.ts";
import * as CLIENT_LIMITS from "./limits.ts";

export interface RequestOptions {
  /** Takes the request back: the promise rejects with the signal's reason, the server is told. */
  readonly signal?: AbortSignalLike | undefined;
  /** Milliseconds to wait for the answer, reconnects included, before `timeout`; 30,000 where left out. */
  readonly timeoutMs?: number | undefined;
}

/** A request or a read, before it has an id and a timestamp. */
type Question =
  | Pick<Outgoing<RequestMessage>, "type" | "name" | "data">
  | Pick<ReadMessage, "type" | "channel" | "count" | "after" | "before">;

interface Asked {
  readonly id: string;
  readonly question: Question;
  readonly resolve: (answer: Ack) => void;
  readonly reject: (error: unknown) => void;
  /** Whether it may have reached the server. */
  sent: boolean;
  /** Ends timer and listener. */
  forget: () => void;
}

export class Requests {
  readonly #clock: Clock;
  readonly #connection: Connection;
  readonly #settled: () => void;
  readonly #asked = new Map<string, Asked>();

  constructor(clock: Clock, connection: Connection, settled: () => void) {
    this.#clock = clock;
    this.#connection = connection;
    this.#settled = settled;
  }

  /** Requests and reads that aren't answered. */
  get size(): number {
    return this.#asked.size;
  }

  /** Asks, and resolves with the answer. See `Client.request` and `Channel.read`. */
  ask(question: Question, options: RequestOptions): Promise<Ack> {
    const { signal, timeoutMs = CLIENT_LIMITS.requestMs } = options;
    return new Promise((resolve, reject) => {
      throwIfAborted(signal);
      const id = this.#connection.nextId();
      const giveUp = (why: unknown): void => this.#giveUp(asked, why);
      const cancel = this.#clock.after(timeoutMs, () =>
        giveUp(localError("timeout", this.#connection.status.reason ?? undefined)),
      );
      const stopListening = onAbort(signal, giveUp);
      const forget = (): void => {
        cancel();
        stopListening();
        this.#asked.delete(id);
        this.#connection.answers.delete(id);
        this.#settled();
      };
      const asked: Asked = { id, question, resolve, reject, sent: false, forget };
      this.#asked.set(id, asked);
      this.#connection.use();
      if (this.#connection.isOpen) this.#send(asked);
    });
  }

  /** A new connection: what wasn't sent yet is sent. */
  opened(): void {
    for (const asked of this.#asked.values()) this.#send(asked);
  }

  /**
   * The connection is lost, and with it the answers to what was sent. A page is asked for again:
   * reading does nothing.
   */
  lost(): void {
    for (const asked of this.#asked.values()) {
      const isOnce = asked.question.type === "request";
      if (asked.sent && isOnce) this.#settle(asked, localError("indeterminate"));
    }
  }

  /** Rejects what is left. Requests that may have run were settled when their connection was lost. */
  close(why: TailwireError): void {
    for (const asked of this.#asked.values()) this.#settle(asked, why);
  }

  #send(asked: Asked): void {
    const answered = (answer: Ack | TailwireError): void => {
      if (answer instanceof TailwireError) return this.#settle(asked, answer);
      asked.forget();
      asked.resolve(answer);
    };
    this.#connection.say(asked.question, answered, asked.id, () => {
      asked.sent = true;
    });
  }

  /** Nobody waits for the answer any more: the server may stop working on it. */
  #giveUp(asked: Asked, why: unknown): void {
    this.#settle(asked, why);
    if (!asked.sent || !this.#connection.isOpen) return;
    this.#connection.say({ type: "cancel", re: asked.id });
  }

  #settle(asked: Asked, error: unknown): void {
    asked.forget();
    asked.reject(error);
  }
}
