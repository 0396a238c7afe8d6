/**
 * Brings the server a fresh token before the one that a connection was made with ends, so that
 * the connection and its subscriptions go on [AUTH-8]. It doesn't know sockets.
 */
import { type Cancel, TailwireError } from "@tailwire/protocol";
import { ceilingMs } from "./backoff.ts";
import * as CLIENT_LIMITS from "../limits.ts";
import type { Answered } from "./connection-options.ts";
import type { Scope } from "./scope.ts";
import type { AskToken } from "./token.ts";

/** Says `authenticate` on the connection as it is; `answered` is called unless it is lost. */
type Authenticate = (token: string, answered: Answered) => void;

export class TokenRenewal {
  readonly #scope: Pick<Scope, "after">;
  readonly #askToken: AskToken;
  readonly #authenticate: Authenticate;
  #cancel: Cancel | null = null;
  /** Renewals in a row that brought no time, whichever connections they were on. */
  #fruitless = 0;

  /** The scope's timers end with the connection: the next one begins with a token of its own. */
  constructor(scope: Pick<Scope, "after">, askToken: AskToken, authenticate: Authenticate) {
    this.#scope = scope;
    this.#askToken = askToken;
    this.#authenticate = authenticate;
  }

  /** The server has named the end of a token: in its own time, and what that time is now. */
  schedule({
    expiresAt,
    timestamp,
  }: {
    readonly expiresAt?: number;
    readonly timestamp: number;
  }): void {
    this.#cancel?.();
    if (expiresAt === undefined) return;
    const leftMs = expiresAt - timestamp;
    const ms = leftMs - Math.min(CLIENT_LIMITS.renewalMs, leftMs / 2);
    if (ms < CLIENT_LIMITS.backoffMinMs) return this.#again();
    this.#fruitless = 0;
    this.#after(ms);
  }

  #after(ms: number): void {
    this.#cancel = this.#scope.after(ms, () =>
      this.#askToken((token) => {
        if (token === null) return this.#again();
        this.#authenticate(token, (answer) => {
          if (answer instanceof TailwireError) this.#again();
          else this.schedule(answer);
        });
      }),
    );
  }

  /** An application that gives one token for ever, or ones that end at once, is asked with pauses. */
  #again(): void {
    this.#fruitless += 1;
    this.#after(ceilingMs(this.#fruitless));
  }
}
