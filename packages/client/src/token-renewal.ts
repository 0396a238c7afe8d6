/**
 * Brings the server a fresh token before the one that a connection was made with ends, so that
 * the connection and its subscriptions go on [AUTH-8]. It doesn't know sockets.
 */
import type { Ack, Cancel, Clock, ErrorMessage } from "@tailwire/protocol";

/** How long before its end a token is renewed at the latest half of its life, in milliseconds. */
const BEFORE_END_MS = 30_000;

/** How soon a renewal that failed is tried again, in milliseconds. */
const AGAIN_MS = 5_000;

export interface RenewalOptions {
  readonly clock: Clock;
  readonly getToken: () => Promise<string>;
  /** Says `authenticate` on the connection as it is; `answered` is called unless it is lost. */
  readonly authenticate: (token: string, answered: (answer: Ack | ErrorMessage) => void) => void;
}

export class TokenRenewal {
  readonly #options: RenewalOptions;
  #cancel: Cancel | null = null;
  /** Rises with each connection, so that a token that comes late isn't brought to the next one. */
  #turn = 0;

  constructor(options: RenewalOptions) {
    this.#options = options;
  }

  /** The server has named the end of a token: in its own time, and what that time is now. */
  schedule({
    expiresAt,
    timestamp,
  }: {
    readonly expiresAt?: number;
    readonly timestamp: number;
  }): void {
    this.stop();
    if (expiresAt === undefined) return;
    const leftMs = Math.max(0, expiresAt - timestamp);
    this.#after(leftMs - Math.min(BEFORE_END_MS, leftMs / 2));
  }

  /** The connection is lost: the next one begins with a token of its own. */
  stop(): void {
    this.#turn += 1;
    this.#cancel?.();
    this.#cancel = null;
  }

  #after(ms: number): void {
    this.#cancel = this.#options.clock.after(ms, () => this.#renew(this.#turn));
  }

  #renew(turn: number): void {
    this.#options.getToken().then(
      (token) => {
        if (turn === this.#turn) this.#bring(token);
      },
      () => {
        if (turn === this.#turn) this.#after(AGAIN_MS);
      },
    );
  }

  #bring(token: string): void {
    this.#options.authenticate(token, (answer) => {
      if (answer.type === "ack") this.schedule(answer);
      else this.#after(AGAIN_MS);
    });
  }
}
