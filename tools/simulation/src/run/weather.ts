/**
 * The weather: what goes wrong at this moment, on the network and in the application's own code.
 * Mischief makes it, and everybody is in it.
 */
import type { Fate } from "../link.ts";

/** How somebody else's code behaves. */
type Manners = "well" | "slow" | "fails" | "hangs";

export class Weather {
  /** One way, in milliseconds. */
  delayMs: number;
  jitterMs = 0;
  /** Bytes per millisecond; Infinity where they cost no time. */
  bandwidth = Infinity;
  /** How long an upgrade takes beside that. */
  connectMs = 0;
  refuses = false;
  auth: Manners = "well";
  hooks: Manners = "well";
  /** How the clients' own applications behave when they are asked for a token. */
  tokens: Manners = "well";
  /** How long a token lives; null: for ever. */
  tokenMs: number | null = null;
  /** The fate of the next message in that direction that contains the word. */
  ambush: {
    readonly to: "toServer" | "toClient";
    readonly word: string;
    readonly fate: Fate;
  } | null = null;
  /** How long a consumer takes for one publication, in milliseconds. */
  dripMs = 0;
  /** Channels whose listeners don't come to an end. */
  readonly stuck = new Set<string>();
  /** Tags of publications that the application refuses once. */
  readonly refused = new Set<string>();
  readonly #calmDelayMs: number;

  constructor(delayMs: number) {
    this.delayMs = delayMs;
    this.#calmDelayMs = delayMs;
  }

  /** Messages take as long as they do on good days. */
  calmDelay(): void {
    this.delayMs = this.#calmDelayMs;
  }

  /** All is well again. */
  calm(): void {
    this.calmDelay();
    this.jitterMs = 0;
    this.bandwidth = Infinity;
    this.connectMs = 0;
    this.refuses = false;
    this.auth = "well";
    this.hooks = "well";
    this.tokens = "well";
    this.tokenMs = null;
    this.ambush = null;
    this.dripMs = 0;
    this.refused.clear();
  }
}
