/** The clock and the dice that browsers and Node have in common. */
import { type Clock, type Random, toBase64, utf8Of } from "@tailwire/protocol";

/** The longest time that platforms' timers take, in milliseconds: a longer one runs out at once. */
const TIMER_MAX_MS = 2 ** 31 - 1;

export const clock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, callback) => {
    // No number is no time, so it never comes: platforms would make 1 ms of it.
    const dueAt = performance.now() + (Number.isNaN(ms) ? Infinity : ms);
    let timer: ReturnType<typeof setTimeout>;
    const wait = (): void => {
      const leftMs = Math.ceil(dueAt - performance.now());
      timer = setTimeout(look, Math.min(leftMs, TIMER_MAX_MS));
    };
    // A long wait goes in pieces, and platforms' timers come up to 1 ms too soon.
    const look = (): void => (performance.now() < dueAt ? wait() : callback());
    wait();
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
  return base64url(utf8Of(text));
}

function base64url(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
