/**
 * The costs of the server's process, by its own main thread's CPU time: a neighbour that keeps the
 * machine busy makes everything later, and nothing here larger.
 *
 * A timer looks every few milliseconds how much was used since it looked last. Timers run between
 * turns of the event loop, so a turn that lasts long is seen as a whole, and short ones together.
 */
import { openSync, readSync } from "node:fs";

/** The costs since the meter was set to nothing. */
export interface Paid {
  readonly wallMs: number;
  readonly cpuMs: number;
  /** The longest time that a turn of the event loop has held, up to {@link LOOK_MS} more. */
  readonly longestTurnMs: number;
}

/** How often it looks, in milliseconds: more often would itself cost a part of what is judged. */
const LOOK_MS = 4;

/** This process's main thread, in nanoseconds on a processor: the first number in there. */
const SCHEDSTAT = "/proc/self/schedstat";

export class Meter {
  readonly #cpuMs = cpuClock();
  #beganAt = performance.now();
  #cpuAtBegin = 0;
  #cpuAtLook = 0;
  #longestTurnMs = 0;

  start(): void {
    this.reset();
    setInterval(() => this.#look(), LOOK_MS).unref();
  }

  reset(): void {
    this.#beganAt = performance.now();
    this.#cpuAtBegin = this.#cpuMs();
    this.#cpuAtLook = this.#cpuAtBegin;
    this.#longestTurnMs = 0;
  }

  get paid(): Paid {
    this.#look();
    return {
      wallMs: performance.now() - this.#beganAt,
      cpuMs: this.#cpuAtLook - this.#cpuAtBegin,
      longestTurnMs: this.#longestTurnMs,
    };
  }

  #look(): void {
    const now = this.#cpuMs();
    this.#longestTurnMs = Math.max(this.#longestTurnMs, now - this.#cpuAtLook);
    this.#cpuAtLook = now;
  }
}

/** The main thread's CPU time in milliseconds; the whole process's where no system tells it apart. */
function cpuClock(): () => number {
  try {
    const file = openSync(SCHEDSTAT, "r");
    const bytes = Buffer.alloc(64);
    return () =>
      Number(bytes.toString("latin1", 0, readSync(file, bytes, 0, 64, 0)).split(" ")[0]) / 1e6;
  } catch {
    return () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1_000;
    };
  }
}
