/** Seeded randomness: the same seed gives the same run. */
import type { Random } from "@tailwire/protocol";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

/** Mulberry32: small, and good enough for dice. */
export class Dice implements Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  token(): string {
    let token = "";
    for (let index = 0; index < 22; index += 1) token += ALPHABET[this.below(64)] ?? "";
    return token;
  }

  /** An integer in [0, limit). */
  below(limit: number): number {
    return Math.floor(this.fraction() * limit);
  }
}

/** Dice whose first name is the session's secret, which a client asks for first. */
export function withSession(session: string, dice: Random): Random {
  let first = true;
  return {
    fraction: () => dice.fraction(),
    token: () => {
      if (!first) return dice.token();
      first = false;
      return session;
    },
  };
}
