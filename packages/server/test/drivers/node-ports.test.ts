// The server's clock: a wait is as long as it says, whatever a platform's timer makes of it.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { nodePorts } from "../../src/drivers/node-ports.ts";

const DAY_MS = 86_400_000;
const { clock } = nodePorts;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Waits, and gives how often it was called back. */
function waiting(ms: number): { readonly calls: () => number; readonly cancel: () => void } {
  const callback = vi.fn<() => void>();
  const cancel = clock.after(ms, callback);
  return { calls: () => callback.mock.calls.length, cancel };
}

describe("after", () => {
  test.each([1, 250, DAY_MS, 2 ** 31 - 1, 2 ** 31, 2 ** 32 + 5, 365 * DAY_MS])(
    "%d ms calls back then, once, and not before",
    (ms) => {
      const { calls } = waiting(ms);
      vi.advanceTimersByTime(ms - 1);
      expect(calls()).toBe(0);
      vi.advanceTimersByTime(1);
      expect(calls()).toBe(1);
      vi.advanceTimersByTime(ms);
      expect([calls(), vi.getTimerCount()]).toEqual([1, 0]);
    },
  );

  test.each([Infinity, Number.NaN])("%d ms is never over, and no storm", (ms) => {
    const { calls, cancel } = waiting(ms);
    vi.advanceTimersByTime(1_000 * DAY_MS);
    expect([calls(), vi.getTimerCount()]).toEqual([0, 1]);
    cancel();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("a fraction of a millisecond isn't cut off", () => {
    const { calls } = waiting(1.5);
    vi.advanceTimersByTime(1);
    expect(calls()).toBe(0);
    vi.advanceTimersByTime(1);
    expect(calls()).toBe(1);
  });

  test.each([0, -1, -Infinity])("%d ms is over at once", (ms) => {
    const { calls } = waiting(ms);
    vi.advanceTimersByTime(1);
    expect(calls()).toBe(1);
  });

  test("what is taken back after months doesn't call back", () => {
    const { calls, cancel } = waiting(100 * DAY_MS);
    vi.advanceTimersByTime(60 * DAY_MS);
    cancel();
    vi.advanceTimersByTime(60 * DAY_MS);
    expect([calls(), vi.getTimerCount()]).toEqual([0, 0]);
  });
});
