/**
 * The costs of the server's process, by its own main thread's CPU time, at the pace of a quiet core.
 *
 * A neighbour that keeps the machine busy makes everything later, and the same work takes up to twice the
 * CPU time, since two threads share a core. So a yardstick is run before and after what is measured, and
 * costs are given as a quiet core would have them.
 *
 * A timer looks every few milliseconds how much was used since it looked last. Timers run between
 * turns of the event loop, so a turn that lasts long is seen as a whole, and short ones together.
 */
import { openSync, readSync } from "node:fs";
import { yardstick, YARDSTICK_MS } from "./yardstick.ts";

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
  /** How many times as long the yardstick took as on a quiet core. */
  #pace = 1;

  start(): void {
    // Compiled by then, so that it isn't taken for a slow core.
    for (let round = 0; round < 3; round += 1) yardstick();
    this.reset();
    setInterval(() => this.#look(), LOOK_MS).unref();
  }

  reset(): void {
    this.#pace = this.#measurePace();
    this.#beganAt = performance.now();
    this.#cpuAtBegin = this.#cpuMs();
    this.#cpuAtLook = this.#cpuAtBegin;
    this.#longestTurnMs = 0;
  }

  /** The costs since the last {@link reset}. */
  paid(): Paid {
    this.#look();
    const wallMs = performance.now() - this.#beganAt;
    const cpuMs = this.#cpuAtLook - this.#cpuAtBegin;
    const longestTurnMs = this.#longestTurnMs;
    const pace = (this.#pace + this.#measurePace()) / 2;
    return { wallMs, cpuMs: cpuMs / pace, longestTurnMs: longestTurnMs / pace };
  }

  /** 1 on a quiet core and on any faster one. */
  #measurePace(): number {
    const before = this.#cpuMs();
    yardstick();
    const costMs = this.#cpuMs() - before;
    // The yardstick is nobody's cost.
    this.#cpuAtBegin += costMs;
    this.#cpuAtLook += costMs;
    return Math.max(1, costMs / YARDSTICK_MS);
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
