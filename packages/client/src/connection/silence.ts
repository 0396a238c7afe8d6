/**
 * Notices when a socket has been silent for as long as a live one never is [LIVE-3].
 *
 * A machine that slept has missed the server's pings: then it asks before it gives the socket up.
 * Sleep shows in a timer that comes late, by whichever clock went on meanwhile: on some platforms
 * the monotonic one sleeps with the machine. It doesn't know sockets.
 */
import type { Cancel } from "@tailwire/protocol";
import * as CLIENT_LIMITS from "../limits.ts";
import { ageMs, momentOf } from "../support/moment.ts";
import type { Scope } from "./scope.ts";

/**
 * Watches until the scope ends, or the socket has fallen silent. The result asks for a sign of
 * life at once, unless an answer is awaited already.
 *
 * @param heartbeat - what the server named.
 * @param heardAt - when something was last heard, by the monotonic clock.
 * @param probe - asks for a sign of life.
 * @param onSilent - nothing is expected of the socket any more.
 */
export function watchSilence(
  scope: Pick<Scope, "clock" | "after">,
  heartbeat: { readonly intervalMs: number; readonly timeoutMs: number },
  heardAt: () => number,
  probe: () => void,
  onSilent: () => void,
): () => void {
  const { clock } = scope;
  const timeoutMs = Math.max(CLIENT_LIMITS.heartbeatMinMs, heartbeat.timeoutMs);
  const patienceMs = Math.max(CLIENT_LIMITS.heartbeatMinMs, heartbeat.intervalMs) + timeoutMs;
  let stop: Cancel = () => undefined;
  let asking = false;

  const after = (ms: number, callback: (slept: boolean) => void): void => {
    const begun = momentOf(clock);
    stop = scope.after(ms, () => callback(ageMs(clock, begun) - ms > timeoutMs / 2));
  };
  const watch = (): void => {
    asking = false;
    const leftMs = heardAt() + patienceMs - clock.monotonic();
    // Looks at the clocks more often than it has to, so that sleep is noticed soon after it.
    after(Math.min(leftMs, timeoutMs), (slept) => {
      if (slept) ask(2);
      else if (clock.monotonic() < heardAt() + patienceMs) watch();
      else onSilent();
    });
  };
  const ask = (times: number): void => {
    const askedAt = clock.monotonic();
    asking = true;
    probe();
    after(timeoutMs, (slept) => {
      if (heardAt() >= askedAt) watch();
      // An answer may be there and not yet read. Where every timer comes late, twice is enough.
      else if (slept && times > 1) ask(times - 1);
      else onSilent();
    });
  };

  watch();
  return () => {
    if (asking) return;
    stop();
    ask(2);
  };
}
