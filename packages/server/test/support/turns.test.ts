// A node's turns: much at once is done in portions, and everything else has its say in between.
import { describe, expect, test } from "vitest";
import { SimulatedClock } from "@tailwire/simulation";
import { Turns } from "../../src/support/turns.ts";
import { upTo } from "../drivers/support.ts";

/** A clock that tells the turns apart, and whose time moves when work is done. */
class WorkingClock extends SimulatedClock {
  #worked = 0;
  turn = 0;
  override soon(callback: () => void): void {
    super.soon(() => {
      this.turn += 1;
      callback();
    });
  }
  override monotonic(): number {
    return super.monotonic() + this.#worked;
  }
  work(ms: number): void {
    this.#worked += ms;
  }
}

function testNode() {
  const clock = new WorkingClock();
  return { clock, turns: new Turns(clock) };
}

/** How often each comes, in order. */
function runs(values: readonly number[]): number[] {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts.values()];
}

describe("a portion", () => {
  test("is 32 in a turn, and as much again in the next", async () => {
    const { clock, turns } = testNode();
    const ada = {};
    const begun = (): number => upTo(100).filter(() => turns.begin(ada)).length;
    expect(begun()).toBe(32);
    expect(begun()).toBe(0);
    await clock.settle();
    expect(begun()).toBe(32);
  });

  test("counts what is dear as more, and lets anything be the first of a turn", () => {
    const { turns } = testNode();
    const [ada, bob] = [{}, {}];
    expect([10, 20, 10, 2].map((cost) => turns.begin(ada, cost))).toEqual([
      true,
      true,
      false,
      true,
    ]);
    expect(turns.begin(bob, 1_000)).toBe(true);
  });

  test("is each connection's own", () => {
    const { turns } = testNode();
    const [ada, bob] = [{}, {}];
    expect(upTo(40).filter(() => turns.begin(ada))).toHaveLength(32);
    expect(turns.begin(bob)).toBe(true);
  });
});

describe("what waits", () => {
  test("goes on in the order in which it came, in later turns, as long as there is time", async () => {
    const { clock, turns } = testNode();
    const done: number[] = [];
    const turnOf: number[] = [];
    for (const n of upTo(10)) {
      turns.later(() => {
        clock.work(1);
        done.push(n);
        turnOf.push(clock.turn);
      });
    }
    expect(done).toEqual([]);
    await clock.settle();
    expect(done).toEqual(upTo(10));
    expect(runs(turnOf)).toEqual([2, 2, 2, 2, 2]);
  });

  test("goes on behind one that throws", async () => {
    const { clock, turns } = testNode();
    const done: string[] = [];
    turns.later(() => {
      throw new Error("a bug");
    });
    turns.later(() => void done.push("behind"));
    await expect(clock.settle()).rejects.toThrow("a bug");
    await clock.settle();
    expect(done).toEqual(["behind"]);
  });

  test("doesn't keep a turn for ever by asking for more", async () => {
    const { clock, turns } = testNode();
    let left = 1_000;
    const turnOf: number[] = [];
    const more = (): void => {
      turnOf.push(clock.turn);
      left -= 1;
      if (left > 0) turns.later(more);
    };
    turns.later(more);
    await clock.settle();
    expect(left).toBe(0);
    expect(Math.max(...runs(turnOf))).toBeLessThanOrEqual(8);
  });
});

describe("functions of the application", () => {
  test("are called at once where there is time, and else in a later turn", async () => {
    const { clock, turns } = testNode();
    const turnOf: number[] = [];
    for (let call = 0; call < 10; call += 1) {
      void turns.call(() => {
        clock.work(1);
        turnOf.push(clock.turn);
      });
    }
    expect(turnOf).toHaveLength(2);
    await clock.settle();
    expect(turnOf).toHaveLength(10);
    expect(Math.max(...runs(turnOf))).toBe(2);
  });

  test("that throw reject, wherever they are called", async () => {
    const { clock, turns } = testNode();
    const fail = (): never => {
      clock.work(5);
      throw new Error("a bug");
    };
    const outcomes = [turns.call(fail), turns.call(fail)].map((call) =>
      call.catch(({ message }: Error) => message),
    );
    await clock.settle();
    expect(await Promise.all(outcomes)).toEqual(["a bug", "a bug"]);
  });
});

describe("what is done to many", () => {
  test("is done at once to the first, and to the rest in portions, in order", async () => {
    const { clock, turns } = testNode();
    const done: number[] = [];
    const turnOf: number[] = [];
    void turns.each(upTo(100), (n) => {
      done.push(n);
      turnOf.push(clock.turn);
    });
    expect(done).toEqual(upTo(32));
    await clock.settle();
    expect(done).toEqual(upTo(100));
    expect(Math.max(...runs(turnOf))).toBe(32);
  });

  test("waits for what was to be done to many before", async () => {
    const { clock, turns } = testNode();
    const done: string[] = [];
    void turns.each(upTo(40), (n) => void done.push(`one ${n}`));
    void turns.each([1], () => void done.push("two"));
    expect(done).not.toContain("two");
    await clock.settle();
    expect(done).toHaveLength(41);
    expect(done.at(-1)).toBe("two");
  });
});
