/**
 * The one place where the server awaits something that isn't its own: the broker, or a function
 * of the application. Everything awaited has a deadline, and whoever awaits must look again, when
 * it goes on, whether what it works for still stands.
 */
import { type Clock, type TailwireError, wordsOf } from "@tailwire/protocol";

/** The promise's outcome, or `late()` as a rejection when it takes more than `ms` milliseconds. */
export function within<Value>(
  clock: Clock,
  ms: number,
  promise: Promise<Value>,
  late: () => TailwireError,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () => reject(late()));
    promise.then(
      (value) => {
        cancel();
        resolve(value);
      },
      (error: unknown) => {
        cancel();
        reject(error instanceof Error ? error : new Error(wordsOf(error)));
      },
    );
  });
}
