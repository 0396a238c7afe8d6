// The clock of browsers and Node: it takes any duration, and is never early.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { clock } from "../../src/drivers/clock.ts";

const DAY_MS = 86_400_000;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

test.each([
  ["the longest that platforms take", 2 ** 31 - 1],
  ["1 ms more than that", 2 ** 31],
  ["30 days", 30 * DAY_MS],
  ["a year", 365 * DAY_MS],
])("a wait of %s comes once, and not sooner", (_, ms) => {
  const callback = vi.fn<() => void>();
  clock.after(ms, callback);
  vi.advanceTimersByTime(ms - 1);
  expect(callback).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(callback).toHaveBeenCalledOnce();
  vi.advanceTimersByTime(ms);
  expect(callback).toHaveBeenCalledOnce();
  expect(vi.getTimerCount()).toBe(0);
});

test.each([NaN, Infinity, 2 ** 53, Number.MAX_VALUE])(
  "a wait of %d ms doesn't come, and costs a timer a month",
  (ms) => {
    const callback = vi.fn<() => void>();
    const set = vi.spyOn(globalThis, "setTimeout");
    const cancel = clock.after(ms, callback);
    vi.advanceTimersByTime(300 * DAY_MS);
    expect(callback).not.toHaveBeenCalled();
    expect(set.mock.calls.length).toBeLessThan(15);
    cancel();
    expect(vi.getTimerCount()).toBe(0);
  },
);

test.each([0, -1, -Infinity, 0.25])("a wait of %d ms comes later, never at once", (ms) => {
  const callback = vi.fn<() => void>();
  clock.after(ms, callback);
  expect(callback).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(callback).toHaveBeenCalledOnce();
});

test("a long wait can be taken back in any of its pieces", () => {
  const callback = vi.fn<() => void>();
  const cancel = clock.after(100 * DAY_MS, callback);
  vi.advanceTimersByTime(60 * DAY_MS);
  cancel();
  expect(vi.getTimerCount()).toBe(0);
  vi.advanceTimersByTime(100 * DAY_MS);
  expect(callback).not.toHaveBeenCalled();
});

test("a platform's timer that comes too soon is waited out", () => {
  const callback = vi.fn<() => void>();
  const now = performance.now.bind(performance);
  clock.after(50, callback);
  vi.spyOn(performance, "now").mockImplementation(() => now() - 0.7);
  vi.advanceTimersByTime(50);
  expect(callback).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(callback).toHaveBeenCalledOnce();
});
