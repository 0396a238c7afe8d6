// The handing over to the application: every taker meets every event, and what a loop is told at last.
import { TailwireError } from "@tailwire/protocol";
import { describe, expect, test } from "vitest";
import { Subscription } from "../../src/following/subscription.ts";
import {
  LIFE_STATES,
  type LifeEvent,
  type LifeState,
  PROGRESS_STATES,
  type ProgressEvent,
  type ProgressState,
  TAKER_STATES,
  type TakerEvent,
  type TakerState,
} from "../../src/following/subscription-states.ts";

const at = (offset: number) => ({ epoch: "log", offset, id: `p${offset}` });

const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

const gone = new TailwireError({
  code: "forbidden",
  description: "no more",
  fault: "client",
  retry: false,
});

/** A subscription at offset 0, what brings it items, and what its application was told. */
function subscribed() {
  const feed = { reconsider: () => undefined, leave: () => undefined };
  const subscription = new Subscription(feed, { start: at(0) });
  const told: string[] = [];
  subscription.onGap(() => told.push("gap"));
  subscription.onCaughtUp(() => told.push("caught up"));
  let last = 0;
  const publish = (): void => {
    last += 1;
    const position = at(last);
    const id = position.id;
    const publication = { id, event: "said", data: last, position, timestamp: 0, publisher: null };
    const item = { type: "publication", publication, own: false } as const;
    subscription.accept(item, at(last - 1));
  };
  const lose = (): void => {
    const from = at(last);
    last += 5;
    const gap = {
      reason: "trimmed",
      from,
      to: at(last),
      continuesAfter: at(last),
      lost: 5,
    } as const;
    subscription.accept({ type: "gap", ...gap }, from);
  };
  const reachEnd = (): void =>
    void subscription.accept({ type: "caughtup", position: at(last) }, at(last));
  return { subscription, told, publish, lose, reachEnd };
}

type Subject = ReturnType<typeof subscribed>;

describe("the taker", () => {
  const loop = (subject: Subject): AsyncIterator<unknown> =>
    subject.subscription[Symbol.asyncIterator]();
  const arrive: Record<TakerState, (subject: Subject) => void> = {
    nobody: () => undefined,
    listeners: ({ subscription }) => void subscription.on("said", () => undefined),
    loop,
    "asking loop": (subject) => {
      void loop(subject)
        .next()
        .then(() => subject.told.push("answer"));
    },
  };
  /** The fate of a publication and a gap behind it. */
  const handed: Record<TakerState, { waiting: number; told: readonly string[] }> = {
    nobody: { waiting: 2, told: [] },
    listeners: { waiting: 0, told: ["gap"] },
    loop: { waiting: 2, told: [] },
    // The loop is at work on the publication, so the gap waits.
    "asking loop": { waiting: 1, told: ["answer"] },
  };
  const events: Record<Exclude<TakerEvent, "ask">, (subject: Subject) => void> = {
    listen: ({ subscription }) => void subscription.on("other", () => undefined),
    iterate: (subject) => void loop(subject),
    // The loop is given what there is.
    answered: (subject) => subject.publish(),
  };
  for (const state of Object.keys(arrive) as TakerState[]) {
    for (const event of Object.keys(events) as (keyof typeof events)[]) {
      // Nothing is answered where nobody asks.
      if (event === "answered" && state !== "asking loop") continue;
      const expected = TAKER_STATES[state][event] ?? state;
      test(`${state}: after ${event} it is ${expected}`, async () => {
        const subject = subscribed();
        arrive[state](subject);
        events[event](subject);
        await settled();
        subject.told.length = 0;
        subject.publish();
        subject.lose();
        await settled();
        const { told, subscription } = subject;
        expect({ waiting: subscription.waiting, told }).toEqual(handed[expected]);
      });
    }
  }

  test("nobody: a notice is told at once", () => {
    const { told, lose } = subscribed();
    lose();
    expect(told).toEqual(["gap"]);
  });

  test("a loop that asks twice at once is given two, and stands at the second when it comes round", async () => {
    const { subscription, publish } = subscribed();
    const iterator = subscription[Symbol.asyncIterator]();
    const both = Promise.all([iterator.next(), iterator.next()]);
    publish();
    publish();
    publish();
    expect((await both).map(({ value }) => value?.data)).toEqual([1, 2]);
    expect([subscription.position?.offset, subscription.waiting]).toEqual([0, 1]);
    await iterator.next();
    expect(subscription.position?.offset).toBe(2);
  });
});

describe("the life", () => {
  const events: Record<LifeEvent, (subscription: Subscription) => void> = {
    acknowledged: (subscription) => subscription.acknowledge(at(0)),
    suspended: (subscription) => subscription.suspend(),
    ended: (subscription) => subscription.end(null),
  };
  const arrive: Record<LifeState, readonly LifeEvent[]> = {
    pending: [],
    active: ["acknowledged"],
    closed: ["ended"],
  };
  for (const state of Object.keys(LIFE_STATES) as LifeState[]) {
    for (const event of Object.keys(events) as LifeEvent[]) {
      const expected = LIFE_STATES[state][event] ?? state;
      test(`${state}: after ${event} it is ${expected}`, () => {
        const { subscription } = subscribed();
        for (const before of arrive[state]) events[before](subscription);
        expect(subscription.state).toBe(state);
        events[event](subscription);
        expect(subscription.state).toBe(expected);
      });
    }
  }
});

describe("the progress", () => {
  /** A loop that is at work: what it is told waits until it asks. */
  const atWork = async () => {
    const subject = subscribed();
    const iterator = subject.subscription[Symbol.asyncIterator]();
    subject.publish();
    await iterator.next();
    const events: Record<ProgressEvent, () => void> = {
      reached: subject.reachEnd,
      told: () => void iterator.next(),
      reset: () => subject.subscription.suspend(),
    };
    return { ...subject, events };
  };
  const arrive: Record<ProgressState, readonly ProgressEvent[]> = {
    behind: [],
    due: ["reached"],
    "caught up": ["reached", "told"],
  };
  for (const state of Object.keys(PROGRESS_STATES) as ProgressState[]) {
    for (const event of ["reached", "told", "reset"] as const) {
      const expected = PROGRESS_STATES[state][event] ?? state;
      test(`${state}: after ${event} it is ${expected}`, async () => {
        const { subscription, told, events, reachEnd } = await atWork();
        for (const before of arrive[state]) events[before]();
        events[event]();
        expect(subscription.caughtUp).toBe(expected === "caught up");
        // Only where it is behind is the end of the log news.
        const waiting = subscription.waiting + told.length;
        reachEnd();
        expect(subscription.waiting + told.length - waiting).toBe(expected === "behind" ? 1 : 0);
      });
    }
  }

  test("[DEL-8] the end of the log that waited out a lost connection isn't the new one's", async () => {
    const { subscription, told, reachEnd, events } = await atWork();
    reachEnd();
    subscription.suspend();
    subscription.acknowledge(at(1));
    events.told();
    expect([told, subscription.caughtUp]).toEqual([["caught up"], false]);
    reachEnd();
    expect([told, subscription.caughtUp]).toEqual([["caught up", "caught up"], true]);
  });
});

describe("a loop whose subscription has ended", () => {
  const END = [{ done: true, value: undefined }];

  test("is told why, also where only a notice was left", async () => {
    const { subscription, publish, reachEnd } = subscribed();
    const iterator = subscription[Symbol.asyncIterator]();
    publish();
    await iterator.next();
    reachEnd();
    subscription.end(gone);
    let answer: unknown = "none";
    iterator.next().catch((error: unknown) => (answer = error));
    await settled();
    expect(answer).toBe(gone);
    expect([await iterator.next()]).toEqual(END);
  });

  test("is told so as often as it asks, also at once", async () => {
    const { subscription, publish } = subscribed();
    const iterator = subscription[Symbol.asyncIterator]();
    publish();
    subscription.end(gone);
    const asked = [iterator.next(), iterator.next(), iterator.next()];
    let outcomes: readonly PromiseSettledResult<unknown>[] = [];
    void Promise.allSettled(asked).then((all) => (outcomes = all));
    await settled();
    expect(outcomes).toMatchObject([
      { value: { value: { data: 1 } } },
      { reason: gone },
      { value: { done: true } },
    ]);
  });
});
