/**
 * The server's waits: for time to pass, and for a promise that isn't the server's own, that is the
 * broker's or one of the application. The second kind has a deadline. After either, the code that
 * waited looks again whether its connection, channel or subscription still stands.
 */
import type { Clock } from "@tailwire/protocol";
import { errorOf } from "./thrown.ts";

/** Settles after so many milliseconds. */
export function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.after(ms, resolve));
}

/** The promise's outcome, or `late()` as a rejection when it takes more than `ms` milliseconds. */
export function withDeadline<Value>(
  clock: Clock,
  ms: number,
  promise: Promise<Value>,
  late: () => Error,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () => reject(late()));
    // A broker's promise may be any thenable, and settle with another.
    Promise.resolve(promise).then(
      (value) => {
        cancel();
        resolve(value);
      },
      (thrown: unknown) => {
        cancel();
        reject(errorOf(thrown));
      },
    );
  });
}
