// A subscription and a gap that was told of the cursor it shares with others.
import { expect, test } from "vitest";
import { Subscription } from "../../src/following/subscription.ts";
import type { Gap } from "../../src/types.ts";

const at = (offset: number, epoch = "old") => ({ epoch, offset, id: `p${offset}` });

/** A subscription at an offset of the old epoch, and the gaps that it was told. */
function standingAt(offset: number) {
  const feed = { reconsider: () => undefined, leave: () => undefined, unheard: () => undefined };
  const subscription = new Subscription(feed, { start: at(offset) });
  const gaps: Gap[] = [];
  subscription.onGap((gap) => gaps.push(gap));
  const take = (gap: Omit<Gap, "to">): boolean =>
    subscription.accept({ type: "gap", to: gap.continuesAfter, ...gap }, gap.from);
  return { subscription, gaps, take };
}

test("[DEL-4] what one ahead of the cursor has lost in another epoch isn't guessed from what the cursor has", () => {
  const { subscription, gaps, take } = standingAt(10);
  const crossing = { from: at(7), continuesAfter: at(31, "new"), lost: 24 };
  expect(take({ reason: "trimmed", ...crossing })).toBe(true);
  expect([subscription.received, gaps]).toEqual([at(10), []]);
});

test("[DEL-4] within its epoch it is told the rest of the gap", () => {
  const { subscription, gaps, take } = standingAt(10);
  take({ reason: "trimmed", from: at(7), continuesAfter: at(31), lost: 24 });
  expect(subscription.received).toEqual(at(31));
  expect(gaps).toMatchObject([{ from: at(10), lost: 21 }]);
});

test("[DEL-4] who stands where the cursor stood is told its gap, into whatever epoch", () => {
  const { subscription, gaps, take } = standingAt(7);
  take({ reason: "trimmed", from: at(7), continuesAfter: at(31, "new"), lost: 24 });
  expect(subscription.received).toEqual(at(31, "new"));
  expect(gaps).toMatchObject([{ from: at(7), lost: 24 }]);
});
