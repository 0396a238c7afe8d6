/**
 * Tickets: what lets somebody in once, soon, without a token in an address [AUTH-13].
 *
 * The application hands them out to whom it has identified by its own means. They live in this
 * node's memory: another node doesn't know them.
 */
import { type Clock, type Random, tailwireError } from "@tailwire/protocol";
import type { Authenticated } from "./access.ts";
import type { Limits } from "./limits.ts";

interface Ticket {
  readonly authenticated: Authenticated;
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

  /** A new ticket. @throws `unavailable` when too many aren't used. */
  issue(authenticated: Authenticated, origin: string | null): string {
    this.#forgetEnded();
    if (this.#tickets.size >= this.#limits.ticketsMax) {
      throw tailwireError("unavailable", "too many tickets wait to be used");
    }
    const ticket = this.#random.token();
    const endsAt = this.#clock.monotonic() + this.#limits.ticketMs;
    this.#tickets.set(ticket, { authenticated, origin, endsAt });
    return ticket;
  }

  /** Whom a ticket is for, once; null where it is unknown, used, over, or another page's. */
  take(ticket: string, origin: string | null): Authenticated | null {
    this.#forgetEnded();
    const known = this.#tickets.get(ticket);
    // Whoever shows it at the wrong place has it nevertheless: it is good for nothing any more.
    this.#tickets.delete(ticket);
    if (known === undefined) return null;
    return known.origin === null || known.origin === origin ? known.authenticated : null;
  }

  #forgetEnded(): void {
    const now = this.#clock.monotonic();
    for (const [ticket, { endsAt }] of this.#tickets) {
      if (endsAt > now) return;
      this.#tickets.delete(ticket);
    }
  }
}
