/**
 * Notices when a socket has been silent for as long as a live one never is [LIVE-3].
 *
 * A timer that fires late has slept, and so have the server's pings: then it asks before it gives
 * the socket up. It doesn't know sockets.
 */
import type { Cancel, Clock } from "@tailwire/protocol";

export interface SilenceOptions {
  readonly clock: Clock;
  /** The heartbeat that the server named. */
  readonly heartbeat: { readonly intervalMs: number; readonly timeoutMs: number };
  /** When something was last heard, by the monotonic clock. */
  readonly heardAt: () => number;
  /** Asks for a sign of life. */
  readonly probe: () => void;
  /** Nothing is expected of the socket any more. */
  readonly onSilent: () => void;
}

/** Watches until it is taken back, or the socket has fallen silent. */
export function watchSilence(options: SilenceOptions): Cancel {
  const { clock, heartbeat, heardAt, probe, onSilent } = options;
  const patienceMs = heartbeat.intervalMs + heartbeat.timeoutMs;
  let cancel: Cancel = () => undefined;

  const watch = (): void => {
    const dueAt = heardAt() + patienceMs;
    cancel = clock.after(Math.max(0, dueAt - clock.monotonic()), () => {
      const now = clock.monotonic();
      if (now < heardAt() + patienceMs) watch();
      else if (now - dueAt > heartbeat.timeoutMs / 2) ask(now);
      else onSilent();
    });
  };
  const ask = (askedAt: number): void => {
    probe();
    cancel = clock.after(heartbeat.timeoutMs, () => {
      if (heardAt() >= askedAt) watch();
      else onSilent();
    });
  };

  watch();
  return () => cancel();
}
