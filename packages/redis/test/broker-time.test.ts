// Instants of the node on the broker's clock: never later than they are, whatever that clock does.
import { expect, test } from "vitest";
import { BrokerTime } from "../src/broker-time.ts";

const DEDUPE_MS = 1_000;

test("an answer that was slow makes instants earlier, and the next one mends deadlines", () => {
  const time = new BrokerTime(DEDUPE_MS);
  // The broker's clock is 5,000 ahead. Its answer took 30.
  time.heard(5_100, 130);
  expect(time.deadline(200)).toBe(5_170);
  expect(time.past(100)).toBe(5_070);
  time.heard(5_200, 200);
  expect(time.deadline(300)).toBe(5_300);
  expect(time.past(100)).toBe(5_070);
});

test("a broker's clock that was set forward has forgotten earlier: the past is as much older", () => {
  const time = new BrokerTime(DEDUPE_MS);
  time.heard(5_000, 0);
  time.heard(5_900, 900);
  time.heard(15_950, 950);
  expect(time.deadline(1_000)).toBe(16_000);
  // At 15,950 it looks more than `dedupeMs` old, and is indeterminate.
  expect(time.past(900)).toBe(5_900);
  // Two periods later nothing is left that the step could have made it forget.
  for (const now of [1_900, 3_000]) time.heard(15_000 + now, now);
  expect(time.past(2_900)).toBe(17_900);
});

test("a broker's clock that was set back leaves ages as they are", () => {
  const time = new BrokerTime(DEDUPE_MS);
  time.heard(50_000, 0);
  time.heard(20_100, 100);
  expect(20_100 - time.past(50)).toBe(50);
});
