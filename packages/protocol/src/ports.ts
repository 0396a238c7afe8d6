/**
 * Ports: the interfaces through which the cores use the platform's time, timers and randomness.
 *
 * Drivers implement them for Node and browsers. A simulator implements them with its own clock and
 * dice, so that its runs can be repeated.
 */

/** Cancels a call that is due. It does nothing once that was made. */
export type Cancel = () => void;

/** The port for time. */
export interface Clock {
  /** Unix milliseconds, for timestamps. It may jump, in either direction. */
  now(): number;
  /** Milliseconds that never go back, for durations. The zero is arbitrary. */
  monotonic(): number;
  /**
   * Calls back once after `ms` milliseconds, never sooner. The wait may be longer than a platform's
   * timers take (24.8 days); NaN never ends.
   */
  after(ms: number, callback: () => void): Cancel;
  /** Calls back soon, after the input and output that is already waiting. It can't be cancelled. */
  soon(callback: () => void): void;
}

/** The port for randomness. */
export interface Random {
  /** A number in [0, 1). For jitter, never for secrets. */
  fraction(): number;
  /** An unguessable name of 22 characters or more from `A-Z a-z 0-9 _ -`. */
  token(): string;
}

/** The part of an `AbortSignal` that tailwire uses, so that any platform's can be passed. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  /** React Native has none. */
  readonly reason?: unknown;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

declare global {
  /** The platform's types merge their members into it. Without such types it is empty. */
  interface AbortSignal {}
}

/**
 * A signal that tailwire gives to an application: the platform's own, so that `fetch` takes it. The
 * global interface above merges with React Native's class too, which `typeof globalThis` doesn't show.
 */
export type PlatformSignal = AbortSignal & AbortSignalLike;
