/** The demo's feed: it goes on for a while when nobody is connected, and then falls silent. */
import { expect, onTestFinished, test, vi } from "vitest";
import { DemoFeed } from "../src/demo-feed.ts";

test("the feed falls silent a minute after the last connection, until there is another", () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  let samples = 0;
  let connections = 0;
  const feed = new DemoFeed(
    async () => void (samples += 1),
    () => connections,
  );
  onTestFinished(() => feed.stop());
  const samplesIn = (ms: number): number => {
    const before = samples;
    vi.advanceTimersByTime(ms);
    return samples - before;
  };
  expect(samplesIn(60_000)).toBe(240);
  expect(samplesIn(60_000)).toBe(0);
  connections = 1;
  expect(samplesIn(120_000)).toBe(480);
  connections = 0;
  expect(samplesIn(60_000)).toBe(240);
  expect(samplesIn(60_000)).toBe(0);
});
