/**
 * Ports: what the cores are given instead of a platform.
 *
 * Client and server logic see time, timers and randomness only through these, which is what lets
 * a simulator run them on its own clock and dice. Drivers implement them for Node and browsers.
 */

/** Takes back what was asked for; harmless when it already happened. */
export type Cancel = () => void;

export interface Clock {
  /** Unix milliseconds, for timestamps. It may jump, in either direction. */
  now(): number;
  /** Milliseconds that only go forward, for durations. Its zero means nothing. */
  monotonic(): number;
  /**
   * Calls back once after `ms` milliseconds: never sooner, however long that is, and never where it
   * is no number.
   */
  after(ms: number, callback: () => void): Cancel;
  /** Calls back soon, after the input and output that is already waiting. */
  soon(callback: () => void): void;
}

export interface Random {
  /** A number in [0, 1). For jitter, never for secrets. */
  fraction(): number;
  /** An unguessable name of 22 characters or more from `A-Z a-z 0-9 _ -`. */
  token(): string;
}

/** What the platform's `AbortSignal` has, as far as it is needed here: any that is handed in. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  /** React Native has none. */
  readonly reason?: unknown;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

declare global {
  /** Whatever the platform says of its own; nothing where a program has no platform's types. */
  interface AbortSignal {}
}

/**
 * A signal that is handed out: the platform's own, so that `fetch` takes it. Merging finds it where
 * it is a class, as in React Native, which `typeof globalThis` doesn't show.
 */
export type PlatformSignal = AbortSignal & AbortSignalLike;
