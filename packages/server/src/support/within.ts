/**
 * The one place where the server awaits something that isn't its own: the broker, or a function
 * of the application. Everything awaited has a deadline, and whoever awaits must look again, when
 * it goes on, whether what it works for still stands.
 */
import type { Clock } from "@tailwire/protocol";
import { errorOf } from "./thrown.ts";

/** The promise's outcome, or `late()` as a rejection when it takes more than `ms` milliseconds. */
export function within<Value>(
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
