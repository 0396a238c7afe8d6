// The sweep serves everybody in line, yields after a millisecond, and rests after a broadcast.
import { describe, expect, test } from "vitest";
import { SimulatedClock } from "@tailwire/simulation";
import { type Grown, type Served, Sweep } from "../../src/delivery/sweep.ts";

/** A clock on which serving takes time: whoever serves says how much. */
class BusyClock extends SimulatedClock {
  #busyMs = 0;
  /** Callbacks given to {@link soon}: turns, here. */
  turns = 0;

  spend(ms: number): void {
    this.#busyMs += ms;
  }

  override monotonic(): number {
    return super.monotonic() + this.#busyMs;
  }

  override soon(callback: () => void): void {
    this.turns += 1;
    super.soon(callback);
  }
}

interface Connection extends Served {
  readonly name: string;
  /** How often it has more after it was served. */
  more: number;
  costMs: number;
}

interface Channel extends Grown {
  isFull: boolean;
}

function testNode(population = 1_000) {
  const clock = new BusyClock();
  /** Names, in the order in which they were served. */
  const served: string[] = [];
  /** Turns that had begun when each was served. */
  const turns: number[] = [];
  /** Which channels were marked, and how many had been served before. */
  const marks: (readonly [channel: string, servedBefore: number])[] = [];
  /** Which channels were swept, and how many had been served by then. */
  const swept: (readonly [channel: string, servedBefore: number])[] = [];
  const sweep = new Sweep(clock, () => population);
  const connection = (name: string, more = 0, costMs = 0): Connection => ({
    name,
    more,
    costMs,
    inLine: false,
    serve() {
      served.push(this.name);
      turns.push(clock.turns);
      clock.spend(this.costMs);
      this.more -= 1;
      return this.more >= 0;
    },
  });
  const channel = (name: string, size: number, connections: Connection[] = []): Channel => ({
    size,
    isFull: false,
    tellCursors() {
      marks.push([name, served.length]);
      for (const one of connections) sweep.enqueue(one);
    },
    swept: () => void swept.push([name, served.length]),
  });
  return { clock, sweep, served, turns, marks, swept, connection, channel };
}

describe("the line", () => {
  test("serves each connection that was put in it, in order, once", async () => {
    const { clock, sweep, served, connection } = testNode();
    const all = Array.from({ length: 10_000 }, (_, index) => connection(`${index}`));
    for (const one of all) {
      sweep.enqueue(one);
      sweep.enqueue(one);
    }
    expect(served).toEqual([]);
    await clock.settle();
    expect(served).toEqual(all.map(({ name }) => name));
    expect(all.every(({ inLine }) => !inLine)).toBe(true);
  });

  test("sends a connection that has more to its back", async () => {
    const { clock, sweep, served, connection } = testNode();
    for (const one of [connection("a", 2), connection("b"), connection("c", 1)]) sweep.enqueue(one);
    await clock.settle();
    expect(served).toEqual(["a", "b", "c", "a", "c", "a"]);
  });

  test("[FLOW-1] is never held up by one that always has more", async () => {
    const { clock, sweep, served, connection } = testNode();
    sweep.enqueue(connection("greedy", 50, 5));
    for (const name of ["a", "b", "c"]) sweep.enqueue(connection(name));
    await clock.settle();
    expect(served.slice(0, 4)).toEqual(["greedy", "a", "b", "c"]);
    expect(served.length).toBe(54);
  });

  test("goes on where one throws and the process survives it", async () => {
    const { clock, sweep, served, connection } = testNode();
    const thrown: unknown[] = [];
    const soon = clock.soon.bind(clock);
    clock.soon = (callback) =>
      soon(() => {
        try {
          callback();
        } catch (error) {
          thrown.push(error);
        }
      });
    const bug = new Error("a bug");
    sweep.enqueue({
      inLine: false,
      serve: () => {
        throw bug;
      },
    });
    sweep.enqueue(connection("behind it"));
    await clock.settle();
    sweep.enqueue(connection("later"));
    await clock.settle();
    expect(served).toEqual(["behind it", "later"]);
    expect(thrown).toEqual([bug]);
  });

  test("takes in whoever comes while it is served", async () => {
    const { clock, sweep, served, connection } = testNode();
    const late = connection("late");
    const first = connection("first");
    sweep.enqueue({
      inLine: false,
      serve: () => {
        sweep.enqueue(late);
        return false;
      },
    });
    sweep.enqueue(first);
    await clock.settle();
    expect(served).toEqual(["first", "late"]);
  });

  test("yields after a millisecond, so that others have their say between turns", async () => {
    const { clock, sweep, turns, connection } = testNode();
    for (let index = 0; index < 12; index += 1) sweep.enqueue(connection(`${index}`, 0, 0.25));
    await clock.settle();
    expect(turns).toEqual([1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]);
  });

  test("serves one at least in a turn, however long that takes", async () => {
    const { clock, sweep, turns, connection } = testNode();
    for (let index = 0; index < 3; index += 1) sweep.enqueue(connection(`${index}`, 0, 80));
    await clock.settle();
    expect(turns).toEqual([1, 2, 3]);
  });
});

describe("channels that grew", () => {
  test("are marked once for all that was published before a turn", async () => {
    const { clock, sweep, served, marks, connection, channel } = testNode();
    const room = channel("room", 2, [connection("a"), connection("b")]);
    for (let count = 0; count < 5; count += 1) sweep.grew(room);
    await clock.settle();
    expect(marks).toEqual([["room", 0]]);
    expect(served).toEqual(["a", "b"]);
  });

  test.each([
    ["in the next turn when it is small", 256, 2],
    ["after the sweep when it is large", 257, 12],
  ])("one that grows in a sweep is marked %s", async (_, size, servedBefore) => {
    const { clock, sweep, marks, connection, channel } = testNode();
    const room = channel("room", size);
    for (let index = 0; index < 12; index += 1) sweep.enqueue(connection(`${index}`, 0, 0.75));
    // Comes between the first turn and the second.
    clock.soon(() => sweep.grew(room));
    await clock.settle();
    expect(marks).toEqual([["room", servedBefore]]);
  });

  test("a large one is marked after ten milliseconds, in a line that never empties", async () => {
    const { clock, sweep, marks, connection, channel } = testNode();
    const room = channel("room", 5_000);
    for (let index = 0; index < 1_000; index += 1) sweep.enqueue(connection(`${index}`, 0, 2));
    clock.soon(() => sweep.grew(room));
    await clock.settle();
    expect(marks).toEqual([["room", 5]]);
  });

  test("those that are large are marked when a sweep begins", async () => {
    const { clock, sweep, marks, channel } = testNode();
    sweep.grew(channel("large", 5_000));
    await clock.settle();
    expect(marks).toEqual([["large", 0]]);
  });
});

describe("the pause after a sweep", () => {
  /** When a connection is served that comes right after a sweep of so many, each of so long. */
  async function nextAfter(count: number, costMs: number, population: number): Promise<number> {
    const { clock, sweep, served, connection } = testNode(population);
    for (let index = 0; index < count; index += 1) sweep.enqueue(connection(`${index}`, 0, costMs));
    await clock.settle();
    expect(served.length).toBe(count);
    sweep.enqueue(connection("next"));
    for (let ms = 0; ms <= 10; ms += 1) {
      await clock.settle();
      if (served.length > count) return ms;
      await clock.advance(1);
    }
    return Infinity;
  }

  test("lasts until 8 ms after the broadcast began", async () => {
    expect(await nextAfter(64, 1 / 16, 100)).toBe(4);
    expect(await nextAfter(80, 1 / 16, 100)).toBe(3);
  });

  test("is 2 ms after a broadcast that took longer", async () => {
    expect(await nextAfter(60, 1, 100)).toBe(2);
  });

  test("is ten times as long as the broadcast took where that is less", async () => {
    expect(await nextAfter(64, 1 / 256, 100)).toBe(3);
  });

  test("is the same after a channel's growth as after connections that came by themselves", async () => {
    const { clock, sweep, served, connection, channel } = testNode(1);
    sweep.grew(channel("room", 1, [connection("a", 0, 3)]));
    await clock.settle();
    sweep.enqueue(connection("b"));
    await clock.settle();
    await clock.advance(4);
    expect(served).toEqual(["a"]);
    await clock.advance(1);
    expect(served).toEqual(["a", "b"]);
  });

  test("is followed by one sweep for all that came meanwhile, answers and a large channel", async () => {
    const { clock, sweep, turns, served, connection, channel } = testNode(2);
    for (const name of ["a", "b"]) sweep.enqueue(connection(name, 0, 1.5));
    await clock.settle();
    const both = connection("b");
    sweep.enqueue(both);
    sweep.grew(channel("large", 5_000, [both, connection("c")]));
    await clock.advance(5);
    expect(served).toEqual(["a", "b", "b", "c"]);
    expect(turns[3]).toBe(turns[2]);
  });

  test("is none after traffic of a few, or of half the connections", async () => {
    expect(await nextAfter(10, 1, 100)).toBe(0);
    expect(await nextAfter(50, 1, 100)).toBe(0);
  });

  test("is none where it would be shorter than a timer is exact", async () => {
    expect(await nextAfter(60, 1 / 1_000, 100)).toBe(0);
  });

  test("forgets nothing that grew meanwhile", async () => {
    const { clock, sweep, served, marks, connection, channel } = testNode(1);
    sweep.enqueue(connection("a", 0, 3));
    await clock.settle();
    sweep.grew(channel("room", 1, [connection("b")]));
    sweep.enqueue(connection("c"));
    await clock.settle();
    expect(served).toEqual(["a"]);
    await clock.advance(5);
    expect(served.toSorted()).toEqual(["a", "b", "c"]);
    expect(marks).toEqual([["room", 1]]);
  });

  test("ends as soon as a channel is full, and another follows", async () => {
    const { clock, sweep, served, connection, channel } = testNode(1);
    sweep.enqueue(connection("a", 0, 3));
    await clock.settle();
    const room = channel("room", 1, [connection("b", 0, 3)]);
    sweep.grew(room);
    await clock.settle();
    expect(served).toEqual(["a"]);
    room.isFull = true;
    sweep.grew(room);
    await clock.settle();
    expect(served).toEqual(["a", "b"]);
    sweep.grew(channel("other", 1, [connection("c")]));
    await clock.settle();
    expect(served).toEqual(["a", "b"]);
    await clock.advance(8);
    expect(served).toEqual(["a", "b", "c"]);
  });

  test("has behind it what was marked in its sweep, which is told when all of that were served", async () => {
    const { clock, sweep, swept, connection, channel } = testNode();
    const more = [connection("b", 2, 5), connection("c", 0, 5)];
    sweep.grew(channel("room", 1, [connection("a")]));
    sweep.grew(channel("other", 2, more));
    await clock.settle();
    expect(swept).toEqual([
      ["room", 5],
      ["other", 5],
    ]);
    sweep.enqueue(connection("d"));
    await clock.settle();
    expect(swept).toHaveLength(2);
  });

  test("is none where a channel became full in the meantime", async () => {
    const { clock, sweep, served, connection, channel } = testNode(1);
    const room = { ...channel("room", 5_000, [connection("b")]), isFull: true };
    sweep.enqueue({ ...connection("a", 0, 3), serve: () => (sweep.grew(room), false) });
    await clock.settle();
    expect(served).toEqual(["b"]);
    expect(clock.turns).toBe(2);
  });
});
