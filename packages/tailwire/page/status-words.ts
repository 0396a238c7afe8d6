/** The connection's status in plain words. It knows neither the page nor the clock. */
import type { ConnectionStatus } from "@tailwire/client";

/** What to show as the status, as of now. */
export function statusWords(status: ConnectionStatus, now: number): string {
  const { state, attempt, retryAt, pending } = status;
  switch (state) {
    case "idle":
      return "not connected yet";
    case "connecting":
      return "connecting";
    case "connected":
      return "connected";
    case "reconnecting":
      return retryAt === null
        ? `reconnecting, attempt ${attempt}`
        : `reconnecting ${inSeconds(retryAt - now)}`;
    case "offline":
      return pending === 0 ? "offline" : `offline, ${pending} waiting`;
    case "closed":
      return "closed";
    default:
      return state satisfies never;
  }
}

/** One change of status, as the journal tells it; null where it isn't worth a line. */
export function changeWords(
  before: ConnectionStatus,
  after: ConnectionStatus,
  now: number,
): string | null {
  if (after.state === before.state) {
    const failedAgain = after.retryAt !== null && before.retryAt === null;
    if (after.state !== "reconnecting" || !failedAgain) return null;
    return `couldn't connect (attempt ${after.attempt}), reconnecting ${inSeconds(after.retryAt - now)}`;
  }
  switch (after.state) {
    case "connected":
      return before.state === "connecting" ? "connected" : "is back";
    case "reconnecting":
      if (after.retryAt === null) return "goes online";
      return `lost the connection (${after.reason ?? "unknown"}), reconnecting ${inSeconds(after.retryAt - now)}`;
    case "offline":
      return "went offline";
    case "closed":
      return `is closed for good (${after.reason ?? "done"})`;
    case "idle":
    case "connecting":
      return null;
    default:
      return after.state satisfies never;
  }
}

function inSeconds(ms: number): string {
  return `in ${(Math.max(0, ms) / 1000).toFixed(1)} s`;
}
