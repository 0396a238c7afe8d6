/** The clock and the dice that browsers and Node have in common. */
import type { Clock, Random } from "@tailwire/protocol";

export const clock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
  soon: (callback) => queueMicrotask(callback),
};

export const random: Random = {
  fraction: () => Math.random(),
  token: () => base64url(crypto.getRandomValues(new Uint8Array(16))),
};

/** The base64url form of a text, UTF-8 encoded. */
export function base64urlText(text: string): string {
  return base64url(new TextEncoder().encode(text));
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}
