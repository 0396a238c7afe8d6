/** An application's signal: listening to it, and no longer, and why it was aborted. */
import type { AbortSignalLike, Cancel } from "@tailwire/protocol";

/** Calls back when the signal is aborted, until it is taken back; never where there is none. */
export function onAbort(signal: AbortSignalLike | undefined, callback: () => void): Cancel {
  signal?.addEventListener("abort", callback);
  return () => signal?.removeEventListener("abort", callback);
}

/** Why it was aborted, where the platform says so: React Native has no reasons. */
export function reasonOf({ reason }: AbortSignalLike): unknown {
  return reason ?? new Error("aborted");
}
