/** Listening to an application's signal, and no longer. */
import type { AbortSignalLike, Cancel } from "@tailwire/protocol";

/** Calls back when the signal is aborted, until it is taken back; never where there is none. */
export function onAbort(signal: AbortSignalLike | undefined, callback: () => void): Cancel {
  signal?.addEventListener("abort", callback);
  return () => signal?.removeEventListener("abort", callback);
}
