/** The page's account of what was missed and duplicated, from positions alone. */
import type { Gap } from "@tailwire/client";
import { beforeEach, describe, expect, test } from "vitest";
import { Counters, Tally } from "../page/counters.ts";

let tally: Tally;

beforeEach(() => {
  tally = new Tally();
  tally.begin({ epoch: "a", offset: 10, id: null });
});

/** Receives these offsets, each under an id of its own. */
function receive(offsets: readonly number[], epoch = "a"): void {
  for (const offset of offsets) {
    const id = `${epoch}.${offset}`;
    tally.receive(id, { epoch, offset, id });
  }
}

function account(): Record<string, number> {
  const { received, missed, duplicated, toldMissing, toldUncounted } = tally;
  return { received, missed, duplicated, toldMissing, toldUncounted };
}

const clean = { missed: 0, duplicated: 0, toldMissing: 0, toldUncounted: 0 };

function gap(details: Partial<Gap> & { readonly after: number; readonly epoch?: string }): Gap {
  const { after, epoch = "a", ...rest } = details;
  const from = { epoch: "a", offset: 12, id: null };
  const to = { epoch, offset: after, id: null };
  return { reason: "trimmed", from, to, continuesAfter: to, lost: after - 12, ...rest };
}

describe("what arrives in order", () => {
  test("is neither missed nor duplicated", () => {
    receive([11, 12, 13]);
    expect(account()).toEqual({ ...clean, received: 3 });
  });

  test("begins anywhere, where nobody said where it starts", () => {
    tally = new Tally();
    receive([501, 502]);
    expect(account()).toEqual({ ...clean, received: 2 });
  });
});

describe("missed", () => {
  test("is a hole between two offsets", () => {
    receive([11, 15]);
    expect(account()).toEqual({ ...clean, received: 2, missed: 3 });
  });

  test("is a hole before the first publication", () => {
    receive([13]);
    expect(account()).toEqual({ ...clean, received: 1, missed: 2 });
  });

  test("is no more when it comes late, and that isn't a duplicate", () => {
    receive([11, 15, 13]);
    expect(account()).toEqual({ ...clean, received: 3, missed: 2 });
    receive([12, 14]);
    expect(account()).toEqual({ ...clean, received: 5 });
  });

  test("is what lies before the beginning of a gap that was told", () => {
    receive([11]);
    tally.tell(gap({ after: 20 }));
    receive([21]);
    expect(account()).toEqual({ ...clean, received: 2, missed: 1, toldMissing: 8 });
  });

  test("is what a gap said it goes on after, and didn't bring", () => {
    receive([11, 12]);
    tally.tell(gap({ after: 20 }));
    receive([23]);
    expect(account()).toEqual({ ...clean, received: 3, missed: 2, toldMissing: 8 });
  });

  test("is at least one, when an epoch begins that nobody told of", () => {
    receive([11, 12]);
    receive([1], "b");
    expect(account()).toEqual({ ...clean, received: 3, missed: 1 });
  });

  test("is nothing, when another epoch simply goes on", () => {
    receive([11, 12]);
    receive([13, 14], "b");
    expect(account()).toEqual({ ...clean, received: 4 });
  });

  test("is nothing, when a gap tells of the other epoch", () => {
    receive([11, 12]);
    tally.tell(gap({ after: 0, epoch: "b", reason: "epoch", lost: null }));
    receive([1, 2], "b");
    expect(account()).toEqual({ ...clean, received: 4, toldUncounted: 1 });
  });
});

describe("duplicated", () => {
  test("is the same offset again", () => {
    receive([11, 12, 12, 11]);
    expect(account()).toEqual({ ...clean, received: 4, duplicated: 2 });
  });

  test("is an offset from before the beginning", () => {
    receive([10]);
    expect(account()).toEqual({ ...clean, received: 1, duplicated: 1 });
  });

  test("is the same publication at another offset: it is in the log twice", () => {
    tally.receive("ada/1", { epoch: "a", offset: 11, id: "ada/1" });
    tally.receive("ada/1", { epoch: "a", offset: 12, id: "ada/1" });
    expect(account()).toEqual({ ...clean, received: 2, duplicated: 1 });
  });

  test("is not what takes the place of publications that were withdrawn", () => {
    receive([11, 12]);
    const to = { epoch: "a", offset: 11, id: null };
    tally.tell(gap({ after: 11, reason: "diverged", lost: 0, continuesAfter: to }));
    tally.receive("another", { epoch: "a", offset: 12, id: "another" });
    expect(account()).toEqual({ ...clean, received: 3 });
  });

  test("is a late publication that comes a second time", () => {
    receive([11, 13, 12, 12]);
    expect(account()).toEqual({ ...clean, received: 4, duplicated: 1 });
  });
});

describe("on the way", () => {
  test("is what was acknowledged and hasn't come", () => {
    tally.expect({ epoch: "a", offset: 11, id: null });
    tally.expect({ epoch: "a", offset: 12, id: null });
    receive([11]);
    expect(tally.onTheWay).toBe(1);
    receive([12]);
    expect(tally.onTheWay).toBe(0);
  });

  test("is not what came before its acknowledgement", () => {
    receive([11]);
    tally.expect({ epoch: "a", offset: 11, id: null });
    expect(tally.onTheWay).toBe(0);
  });
});

test("the page's counters are the sum of all tallies", () => {
  const counters = new Counters();
  for (const tally of [counters.tally(), counters.tally()]) {
    for (const offset of [1, 3, 3]) tally.receive(`id.${offset}`, { epoch: "a", offset, id: null });
  }
  counters.sent = 5;
  expect(counters.totals).toEqual({
    ...clean,
    sent: 5,
    acknowledged: 0,
    received: 6,
    missed: 2,
    duplicated: 2,
  });
});

test("what somebody else has counted is added to the page's counters", () => {
  const counters = new Counters();
  for (const offset of [1, 3]) {
    counters.tally().receive(`id.${offset}`, { epoch: "a", offset, id: null });
  }
  counters.elsewhere = { missed: 4, duplicated: 5, toldMissing: 6 };
  expect(counters.totals).toMatchObject({ received: 2, missed: 4, duplicated: 5, toldMissing: 6 });
});
