// Deadlines on one timer: never early, at most one tick late, however they move.
import fc from "fast-check";
import { expect, test } from "vitest";
import { SimulatedClock } from "@tailwire/simulation";
import { Deadlines, type Due } from "../../src/support/deadlines.ts";

const TICK_MS = 250;

class Thing implements Due {
  dueAt = Infinity;
  filedAt: number | null = null;
  /** When it was called, and when it was due then. */
  readonly calls: { readonly at: number; readonly dueAt: number }[] = [];
  /** When it is due next, each time it is called. */
  next: (now: number) => number = () => Infinity;
  readonly #clock: SimulatedClock;

  constructor(clock: SimulatedClock) {
    this.#clock = clock;
  }

  onDue(): void {
    const at = this.#clock.monotonic();
    this.calls.push({ at, dueAt: this.dueAt });
    this.dueAt = this.next(at);
  }
}

function testNode() {
  const clock = new SimulatedClock();
  const deadlines = new Deadlines(clock);
  return { clock, deadlines, thing: () => new Thing(clock) };
}

test("a thing is called once its deadline has passed, within a tick", async () => {
  const { clock, deadlines, thing } = testNode();
  await clock.advance(1_001);
  for (const ms of [0, 1, 248, 249, 250, 251, 10_000]) {
    const one = thing();
    const dueAt = clock.monotonic() + ms;
    deadlines.set(one, dueAt);
    await clock.advance(ms + TICK_MS);
    expect(one.calls.length).toBe(1);
    expect(one.calls[0]?.at).toBeGreaterThanOrEqual(dueAt);
    expect(one.calls[0]?.at).toBeLessThan(dueAt + TICK_MS);
  }
});

test("a deadline that moves later isn't met at its former time", async () => {
  const { clock, deadlines, thing } = testNode();
  const one = thing();
  deadlines.set(one, 1_000);
  await clock.advance(900);
  deadlines.set(one, 5_000);
  await clock.advance(4_099);
  expect(one.calls).toEqual([]);
  await clock.advance(1);
  expect(one.calls).toEqual([{ at: 5_000, dueAt: 5_000 }]);
});

test("a deadline that moves earlier is met then, and once", async () => {
  const { clock, deadlines, thing } = testNode();
  const one = thing();
  deadlines.set(one, 5_000);
  deadlines.set(one, 1_000);
  await clock.advance(20_000);
  expect(one.calls).toEqual([{ at: 1_000, dueAt: 1_000 }]);
});

test("a deadline that moves away and back is met once", async () => {
  const { clock, deadlines, thing } = testNode();
  const one = thing();
  for (const dueAt of [5_000, 1_000, 5_000, 1_000, 5_000]) deadlines.set(one, dueAt);
  await clock.advance(20_000);
  expect(one.calls).toEqual([{ at: 5_000, dueAt: 5_000 }]);
});

test("what is cleared isn't called, and may be set again", async () => {
  const { clock, deadlines, thing } = testNode();
  const one = thing();
  deadlines.set(one, 1_000);
  deadlines.clear(one);
  await clock.advance(2_000);
  expect(one.calls).toEqual([]);
  deadlines.set(one, 3_000);
  deadlines.clear(one);
  deadlines.set(one, 3_000);
  await clock.advance(5_000);
  expect(one.calls).toEqual([{ at: 3_000, dueAt: 3_000 }]);
});

test("a thing that sets itself a new deadline is called then", async () => {
  const { clock, deadlines, thing } = testNode();
  const one = thing();
  one.next = (now) => (now < 3_000 ? now + 1_000 : Infinity);
  deadlines.set(one, 1_000);
  await clock.advance(60_000);
  expect(one.calls.map(({ at }) => at)).toEqual([1_000, 2_000, 3_000]);
  expect(clock.pending).toBe(0);
});

test("a thing may set and clear others when it is called", async () => {
  const { clock, deadlines, thing } = testNode();
  const [one, two, three] = [thing(), thing(), thing()];
  one.next = () => {
    deadlines.clear(two);
    deadlines.set(three, 1_500);
    return Infinity;
  };
  deadlines.set(one, 1_000);
  deadlines.set(two, 1_000);
  await clock.advance(3_000);
  expect([one, two, three].map(({ calls }) => calls.map(({ at }) => at))).toEqual([
    [1_000],
    [],
    [1_500],
  ]);
});

test("there is one timer, however many things there are, and none without them", async () => {
  const { clock, deadlines, thing } = testNode();
  expect(clock.pending).toBe(0);
  for (let ms = 20_000; ms > 0; ms -= 100) {
    deadlines.set(thing(), ms);
    expect(clock.pending).toBe(1);
  }
  expect(deadlines.size).toBe(200);
  await clock.advance(10_000);
  expect(clock.pending).toBe(1);
  await clock.advance(10_000);
  expect([clock.pending, deadlines.size]).toEqual([0, 0]);
});

test("closing ends the timer", async () => {
  const { clock, deadlines, thing } = testNode();
  const one = thing();
  deadlines.set(one, 1_000);
  deadlines.close();
  expect([clock.pending, deadlines.size]).toEqual([0, 0]);
  await clock.advance(5_000);
  expect(one.calls).toEqual([]);
});

test("a timer that comes late, as after sleep, meets everything that is due", () => {
  const timers: (() => void)[] = [];
  let now = 0;
  const clock = new SimulatedClock();
  const deadlines = new Deadlines({
    now: () => now,
    monotonic: () => now,
    soon: () => undefined,
    after: (_ms, callback) => {
      timers.push(callback);
      return () => undefined;
    },
  });
  const things = [1_000, 2_000, 3_000, 90_000].map((dueAt) => {
    const thing = new Thing(clock);
    deadlines.set(thing, dueAt);
    return thing;
  });
  now = 60_000;
  timers.at(-1)?.();
  expect(things.map(({ calls }) => calls.length)).toEqual([1, 1, 1, 0]);
});

test("whatever is set, moved and cleared is met as a plain list of deadlines would be", async () => {
  const step = fc.oneof(
    fc.record({ set: fc.nat(4), ms: fc.nat(3_000) }),
    fc.record({ clear: fc.nat(4) }),
    fc.record({ advance: fc.nat(1_500) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const { clock, deadlines, thing } = testNode();
      const things = Array.from({ length: 5 }, thing);
      const expected = things.map((): number[] => []);
      const due = things.map(() => Infinity);
      const advance = async (ms: number): Promise<void> => {
        await clock.advance(ms);
        const tick = Math.floor(clock.monotonic() / TICK_MS) * TICK_MS;
        for (const [index, at] of due.entries()) {
          if (at > tick) continue;
          expected[index]?.push(at);
          due[index] = Infinity;
        }
      };
      for (const one of steps) {
        if ("set" in one) {
          due[one.set] = clock.monotonic() + one.ms;
          deadlines.set(things[one.set] as Thing, clock.monotonic() + one.ms);
        } else if ("clear" in one) {
          due[one.clear] = Infinity;
          deadlines.clear(things[one.clear] as Thing);
        } else await advance(one.advance);
      }
      await advance(10_000);
      expect(things.map(({ calls }) => calls.map(({ dueAt }) => dueAt))).toEqual(expected);
      for (const { at, dueAt } of things.flatMap(({ calls }) => calls)) {
        expect(at - dueAt).toBeGreaterThanOrEqual(0);
        expect(at - dueAt).toBeLessThan(TICK_MS);
      }
      expect(clock.pending).toBe(0);
    }),
  );
});
