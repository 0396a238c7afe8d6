/** The connection's status in plain words. It knows neither the page nor the clock. */
import type { ConnectionStatus } from "@tailwire/client";

/** The status in as few words as will do. */
export function statusWords({ state }: ConnectionStatus): string {
  return state === "idle" ? "not connected yet" : state;
}

/** Words for a person while there is no connection, as of now; null while there is one. */
export function noticeWords(status: ConnectionStatus, now: number): string | null {
  const { state, attempt, retryAt, pending } = status;
  switch (state) {
    case "idle":
    case "connected":
      return null;
    case "connecting":
      return "Connecting.";
    case "reconnecting":
      return retryAt === null
        ? `Trying to connect, attempt ${attempt}.`
        : `No connection. Trying again ${inSeconds(retryAt - now)}.`;
    case "offline":
      return `Offline. ${waitingWords(pending)}`;
    case "closed":
      return "Closed for good.";
    default:
      return state satisfies never;
  }
}

/** Words to be said aloud. They have no countdown in them, which nobody could listen to. */
export function spokenWords(status: ConnectionStatus): string {
  const { state, pending } = status;
  return state === "offline" && pending > 0
    ? `offline. ${waitingWords(pending)}`
    : statusWords(status);
}

function waitingWords(pending: number): string {
  if (pending === 0) return "What is sent now will wait here.";
  return pending === 1 ? "1 message waits here." : `${pending} messages wait here.`;
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
