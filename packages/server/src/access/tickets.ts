/**
 * Tickets: what lets somebody in once, soon, without a token in an address [AUTH-13].
 *
 * The application hands them out to whom it has identified by its own means. They live in this
 * node's memory: another node doesn't know them.
 */
import { type Clock, type Random, tailwireError } from "@tailwire/protocol";
import { Admitted } from "./admitted.ts";
import type { Limits } from "../limits.ts";
import { errorOf } from "../support/thrown.ts";

interface Ticket {
  readonly admitted: Admitted;
  /** The page that may use it; null where any may. */
  readonly origin: string | null;
  /** By the monotonic clock. */
  readonly endsAt: number;
}

export class Tickets {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #limits: Limits;
  /** By their text. All live equally long, so the oldest ends first. */
  readonly #tickets = new Map<string, Ticket>();

  constructor(clock: Clock, random: Random, limits: Limits) {
    this.#clock = clock;
    this.#random = random;
    this.#limits = limits;
  }

  /**
   * A new ticket.
   *
   * @throws TypeError when it is for nobody; `unavailable` when too many aren't used.
   */
  issue(given: unknown, origin: string | null): string {
    const admitted = holderOf(given);
    this.#forgetEnded();
    if (this.#tickets.size >= this.#limits.ticketsMax) {
      throw tailwireError("unavailable", "too many tickets wait to be used");
    }
    const ticket = this.#random.token();
    const endsAt = this.#clock.monotonic() + this.#limits.ticketMs;
    this.#tickets.set(ticket, { admitted, origin, endsAt });
    return ticket;
  }

  /** Whom a ticket is for, once; null where it is unknown, used, over, or another page's. */
  redeem(ticket: string, origin: string | null): Admitted | null {
    this.#forgetEnded();
    const known = this.#tickets.get(ticket);
    // A ticket shown at the wrong place was seen nevertheless: it is good for nothing any more.
    this.#tickets.delete(ticket);
    if (known === undefined) return null;
    return known.origin === null || known.origin === origin ? known.admitted : null;
  }

  #forgetEnded(): void {
    const now = this.#clock.monotonic();
    for (const [ticket, { endsAt }] of this.#tickets) {
      if (endsAt > now) return;
      this.#tickets.delete(ticket);
    }
  }
}

/** Here the application is right there to be told what is wrong. @throws TypeError. */
function holderOf(given: unknown): Admitted {
  try {
    const admitted = Admitted.by("ticket", given);
    if (admitted !== null) return admitted;
  } catch (mistake) {
    throw new TypeError(errorOf(mistake).message, { cause: mistake });
  }
  throw new TypeError("ticket: it is for nobody, expected { user: { id } }");
}
