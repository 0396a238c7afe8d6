/**
 * Something real to look at: how this process is doing, four times a second. It doesn't know who
 * follows it, nor where it is published.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";

const INTERVAL_MS = 250;
/** How long after the last connection it goes on: a log on disk isn't written for nobody. */
const ALONE_MS = 60_000;
/** How finely the event loop is watched; what is measured includes it. */
const RESOLUTION_MS = 10;

/** One sample, as `page/machine.ts` reads it. */
export interface MachineSample {
  /** Share of one core that this process used, in percent. */
  readonly cpuPercent: number;
  readonly memoryBytes: number;
  /** How late the event loop was at worst since the last sample. */
  readonly loopDelayMs: number;
  readonly connections: number;
}

/** Publishes samples until it is stopped. */
export class DemoFeed {
  readonly #publish: (sample: MachineSample) => Promise<unknown>;
  readonly #connections: () => number;
  readonly #delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #timer: NodeJS.Timeout;
  #cpu = process.cpuUsage();
  #at = performance.now();
  #aloneSince = this.#at;

  constructor(publish: (sample: MachineSample) => Promise<unknown>, connections: () => number) {
    this.#publish = publish;
    this.#connections = connections;
    this.#delays.enable();
    this.#timer = setInterval(() => {
      const now = performance.now();
      if (connections() > 0) this.#aloneSince = now;
      if (now - this.#aloneSince > ALONE_MS) return;
      // A sample that can't be logged is not worth more than the next one.
      this.#publish(this.#sample()).catch(() => undefined);
    }, INTERVAL_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#delays.disable();
  }

  #sample(): MachineSample {
    const now = performance.now();
    const { user, system } = process.cpuUsage(this.#cpu);
    const cpuPercent = (user + system) / 10 / (now - this.#at);
    const loopDelayMs = Math.max(0, this.#delays.max / 1e6 - RESOLUTION_MS);
    this.#cpu = process.cpuUsage();
    this.#at = now;
    this.#delays.reset();
    return {
      cpuPercent: rounded(cpuPercent),
      memoryBytes: process.memoryUsage.rss(),
      loopDelayMs: rounded(loopDelayMs),
      connections: this.#connections(),
    };
  }
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
