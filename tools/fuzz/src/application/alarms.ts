/**
 * Alarms: what a process shows when something in it went wrong that nobody caught, or asked its
 * platform for a time that it can't keep.
 *
 * While they are on, nothing else hears of what was thrown: an exception doesn't end the process.
 */

/** The longest delay of Node's timers: with a longer one, or no number at all, they fire at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export interface Alarm {
  readonly kind: "unhandled rejection" | "uncaught exception" | "timer";
  readonly error: unknown;
}

const EVENTS = {
  unhandledRejection: "unhandled rejection",
  uncaughtException: "uncaught exception",
} as const;

export class Alarms {
  #heard: Alarm[] = [];
  #wake: (() => void) | null = null;
  readonly #restore: (() => void)[] = [];

  constructor() {
    for (const [event, kind] of Object.entries(EVENTS)) this.#listen(event, kind);
    const real = globalThis.setTimeout;
    const watched = (callback: (...given: unknown[]) => void, ms?: number, ...given: unknown[]) => {
      if (ms === undefined || (typeof ms === "number" && ms <= TIMER_MS_MAX))
        return real(callback, ms, ...given);
      const words = `a timer of ${typeof ms === "number" ? `${ms} ms` : typeof ms} would fire at once`;
      this.#ring({ kind: "timer", error: new RangeError(words) });
      return real(callback, TIMER_MS_MAX, ...given);
    };
    globalThis.setTimeout = Object.assign(watched, real);
    this.#restore.push(() => (globalThis.setTimeout = real));
  }

  /** Alarms that rang since they were last asked for. */
  take(): readonly Alarm[] {
    const heard = this.#heard;
    this.#heard = [];
    return heard;
  }

  get rang(): boolean {
    return this.#heard.length > 0;
  }

  /** Called once, when something rings: whoever waits need not wait on. */
  onRing(wake: () => void): void {
    this.#wake = wake;
  }

  /** Gives everything back to whom it was taken from. */
  [Symbol.dispose](): void {
    for (const restore of this.#restore) restore();
  }

  #listen(event: string, kind: Alarm["kind"]): void {
    const others = process.listeners(event as "exit") as (() => void)[];
    const own = (error: unknown): void => this.#ring({ kind, error });
    process.removeAllListeners(event);
    process.on(event, own);
    this.#restore.push(() => {
      process.off(event, own);
      for (const other of others) process.on(event, other);
    });
  }

  #ring(alarm: Alarm): void {
    this.#heard.push(alarm);
    this.#wake?.();
    this.#wake = null;
  }
}

/** An error in words, whatever it is. */
export function wordsOf(error: unknown): string {
  try {
    return error instanceof Error
      ? `${error.name}: ${error.message}`.slice(0, 300)
      : `thrown: ${typeof error}`;
  } catch {
    return "an error that can't be told";
  }
}

/** Resolves when whatever was rejected by now has been told. */
export function alarmsRung(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => setImmediate(resolve));
  });
}
