// The watch over a silent socket: whatever heartbeat a server names, it neither storms nor spins.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { clock } from "../../src/drivers/clock.ts";
import { watchSilence } from "../../src/connection/silence.ts";

const MINUTE_MS = 60_000;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

test.each([
  [{ intervalMs: 1, timeoutMs: 1 }, 0],
  [{ intervalMs: 1, timeoutMs: 1 }, 3],
  [{ intervalMs: 1, timeoutMs: 1 }, 900],
  [{ intervalMs: 25_000, timeoutMs: 1 }, 3],
  [{ intervalMs: 1, timeoutMs: 10_000 }, 3],
  [{ intervalMs: 2 ** 53 - 1, timeoutMs: 1 }, 3],
])("[LIVE-3] a heartbeat of %j, timers %d ms late: a minute has few pings", (heartbeat, lateMs) => {
  const set = vi.spyOn(globalThis, "setTimeout");
  let heardAt = 0;
  let pings = 0;
  let silent = 0;
  watchSilence(
    // As on a machine that is busy or asleep.
    { clock, after: (ms, callback) => clock.after(ms + lateMs, callback) },
    heartbeat,
    () => heardAt,
    // Answered at once.
    () => {
      pings += 1;
      heardAt = clock.monotonic();
    },
    () => (silent += 1),
  );
  for (let second = 0; second < 60; second += 1) {
    heardAt = clock.monotonic();
    vi.advanceTimersByTime(1_000);
  }
  expect(pings).toBeLessThanOrEqual(60);
  expect(set.mock.calls.length).toBeLessThanOrEqual(130);
  expect(silent).toBe(0);
});

test("[LIVE-3] a socket that says nothing is given up two seconds after, at the soonest", () => {
  const began = clock.monotonic();
  const silentAt: number[] = [];
  watchSilence(
    { clock, after: (ms, callback) => clock.after(ms, callback) },
    { intervalMs: 1, timeoutMs: 1 },
    () => began,
    () => undefined,
    () => silentAt.push(clock.monotonic() - began),
  );
  vi.advanceTimersByTime(MINUTE_MS);
  expect(silentAt).toEqual([2_000]);
});
