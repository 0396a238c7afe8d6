/** An application's signal: listening to it, and no longer, and why it was aborted. */
import type { AbortSignalLike, Cancel } from "@tailwire/protocol";

/** Calls back with why the signal was aborted, until taken back; never where there is none. */
export function onAbort(
  signal: AbortSignalLike | undefined,
  callback: (reason: unknown) => void,
): Cancel {
  const listener = (): void => callback(reasonOf(signal));
  signal?.addEventListener("abort", listener);
  return () => signal?.removeEventListener("abort", listener);
}

/** @throws the reason of a signal that is aborted already. */
export function throwIfAborted(signal: AbortSignalLike | undefined): void {
  if (signal?.aborted) throw reasonOf(signal);
}

/** Why it was aborted, where the platform says so: React Native has no reasons. */
function reasonOf(signal: AbortSignalLike | undefined): unknown {
  return signal?.reason ?? new Error("aborted");
}
