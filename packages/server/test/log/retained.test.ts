// The retained end of a log does what a plain array does that is filtered anew for each question.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Publication,
  publicationBytes,
  type Retention,
} from "@tailwire/server/broker-contract";
import { Retained } from "../../src/log/retained.ts";
import { publicationAt } from "../harness.ts";

/** The same as an array of everything that is retained. */
class Model {
  readonly #retention: Retention;
  all: Publication[] = [];
  edge: { readonly offset: number; readonly id: string | null };
  last: number;

  constructor(retention: Retention, start: { offset: number; id: string | null }) {
    this.#retention = retention;
    this.edge = start;
    this.last = start.offset;
  }

  add(publication: Publication): void {
    this.all.push(publication);
    this.last = publication.offset;
  }

  trim(now: number, [bytesMax, keptAfter, keptOfAnyAgeAfter]: readonly number[] = []): void {
    const { count, bytes, maxAgeMs } = this.#retention;
    const sum = (): number => this.all.reduce((total, one) => total + publicationBytes(one), 0);
    for (let [first, second] = this.all; first !== undefined; [first, second] = this.all) {
      const isLast = second === undefined;
      const tooMany = this.all.length > count || (sum() > bytes && !isLast);
      const goes =
        (tooMany && first.offset <= (keptAfter ?? Infinity)) ||
        (first.timestamp < now - maxAgeMs && first.offset <= (keptOfAnyAgeAfter ?? Infinity)) ||
        (sum() > (bytesMax ?? Infinity) && !isLast);
      if (!goes) return;
      this.edge = first;
      this.all.shift();
    }
  }

  at(offset: number): Publication | undefined {
    return this.all.find((one) => one.offset === offset);
  }

  holds(offset: number, id: string | null): boolean {
    if (offset < this.edge.offset || offset > this.last) return false;
    const known = offset === this.edge.offset ? this.edge.id : (this.at(offset)?.id ?? null);
    return known === null || id === null || id === known;
  }

  /** The offset before the last `count`. */
  before(count: number): number {
    const index = this.all.length - count;
    return index <= 0 ? this.edge.offset : (this.all[index - 1] as Publication).offset;
  }
}

const small = fc.integer({ min: 0, max: 12 });

const steps = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ addAfter: small }) },
    {
      weight: 2,
      arbitrary: fc.record({
        trimAfter: small,
        kept: fc.constantFrom([], [400, 9, 20], [Infinity, 12, Infinity]),
      }),
    },
  ),
  { maxLength: 80 },
);

const retention = fc.record({
  count: fc.integer({ min: 1, max: 20 }),
  bytes: fc.integer({ min: 1, max: 2_500 }),
  maxAgeMs: fc.integer({ min: 1, max: 60 }),
});

const start = fc.record({ offset: small, id: fc.constantFrom(null, "start") });

/** Does the same to both, and says what time it is at the end. */
function replay(retained: Retained, model: Model, all: readonly object[]): number {
  let now = 0;
  type Step = { addAfter: number } | { trimAfter: number; kept: readonly number[] };
  for (const step of all as Step[]) {
    if ("addAfter" in step) {
      now += step.addAfter;
      const publication = publicationAt(model.last + 1, { timestamp: now });
      retained.add(publication);
      model.add(publication);
    } else {
      now += step.trimAfter;
      retained.trim(now, ...step.kept);
      model.trim(now, step.kept);
    }
  }
  return now;
}

function checkSame(retained: Retained, model: Model, now: number): void {
  expect([retained.count, retained.last, retained.edge, retained.edgeId]).toEqual([
    model.all.length,
    model.last,
    model.edge.offset,
    model.edge.id,
  ]);
  expect(retained.lastId).toBe(model.all.at(-1)?.id ?? model.edge.id);
  for (let offset = model.edge.offset - 2; offset <= model.last + 2; offset += 1) {
    expect(retained.at(offset)).toBe(model.at(offset));
    expect([...retained.after(offset)]).toEqual(model.all.filter((one) => one.offset > offset));
    for (const id of [null, "other", `p${offset}`, "start"]) {
      expect(retained.holds(offset, id)).toBe(model.holds(offset, id));
    }
  }
  for (let count = 0; count <= model.all.length + 2; count += 1) {
    expect(retained.back(count)).toBe(model.before(count));
  }
  for (let time = -1; time <= now + 1; time += 1) {
    const since = model.all.filter(({ timestamp }) => timestamp >= time);
    expect(retained.since(time)).toBe(model.before(since.length));
  }
}

test("it answers as an array does, through adds and trims", () => {
  fc.assert(
    fc.property(retention, start, steps, (kept, from, all) => {
      const retained = new Retained(kept, from);
      const model = new Model(kept, from);
      checkSame(retained, model, replay(retained, model, all));
    }),
  );
});

test("it answers as an array does after thousands were trimmed in bulk", () => {
  const kept = { count: 700, bytes: Infinity, maxAgeMs: Infinity };
  const retained = new Retained(kept, { offset: 0, id: null });
  const model = new Model(kept, { offset: 0, id: null });
  for (let n = 1; n <= 5_000; n += 1) {
    const publication = publicationAt(n, { timestamp: n });
    for (const one of [retained, model]) one.add(publication);
    if (n % 10 === 0) for (const one of [retained, model]) one.trim(n);
  }
  expect([...retained.after(0)]).toEqual(model.all);
  for (const offset of [4_299, 4_300, 4_301, 4_500, 4_999, 5_000, 5_001]) {
    expect(retained.at(offset)).toBe(model.at(offset));
    expect([...retained.after(offset)].length).toBe(
      model.all.filter((one) => one.offset > offset).length,
    );
  }
  expect(retained.back(3)).toBe(4_997);
  expect(retained.since(4_990)).toBe(4_989);
});

test("it trims only when asked", () => {
  const retained = new Retained({ count: 1, bytes: 1, maxAgeMs: 1 }, { offset: 0, id: null });
  for (const offset of [1, 2, 3]) retained.add(publicationAt(offset));
  expect(retained.count).toBe(3);
  retained.trim(0);
  expect([retained.count, retained.edge, retained.edgeId]).toEqual([1, 2, "p2"]);
});

test("the newest is never trimmed for its bytes, and is for its age", () => {
  const retained = new Retained({ count: 9, bytes: 1, maxAgeMs: 10 }, { offset: 0, id: null });
  for (const offset of [1, 2]) retained.add(publicationAt(offset, { timestamp: 100 }));
  retained.trim(110, 1);
  expect([...retained.after(0)].map(({ offset }) => offset)).toEqual([2]);
  retained.trim(111, 1);
  expect(retained.count).toBe(0);
});

describe("how many are lost after an offset is known", () => {
  const kept = { count: 3, bytes: 9_999, maxAgeMs: 10 };
  const filled = (count: number, changes: Partial<Publication> = {}): Retained => {
    const retained = new Retained(kept, { offset: 4, id: "p4" });
    for (let offset = 5; offset < 5 + count; offset += 1) {
      retained.add(publicationAt(offset, { timestamp: 100, ...changes }));
    }
    return retained;
  };

  test("where count has trimmed, also for what lay before the first that it had", () => {
    const retained = filled(5);
    retained.trim(100);
    expect([2, 4, 5, 6, 7].map((offset) => retained.lostAfter(offset))).toEqual([
      4,
      2,
      1,
      null,
      null,
    ]);
  });

  test("where bytes have", () => {
    const bytes = publicationBytes(publicationAt(5)) * 2;
    const retained = new Retained({ ...kept, bytes }, { offset: 4, id: "p4" });
    for (const offset of [5, 6, 7]) retained.add(publicationAt(offset));
    retained.trim(0);
    expect(retained.lostAfter(4)).toBe(1);
  });

  test("not where it begins late, nor after a trim by age or to fewer bytes than it retains", () => {
    const begun = filled(3);
    begun.trim(100);
    expect(begun.lostAfter(2)).toBe(null);
    const aged = filled(5);
    aged.trim(100);
    aged.trim(111);
    expect(aged.lostAfter(4)).toBe(null);
    const narrow = filled(5);
    narrow.trim(100, publicationBytes(publicationAt(5)));
    expect(narrow.lostAfter(4)).toBe(null);
  });
});

test("a publication is trimmed when it is older than the age, and not when it is as old", () => {
  const retained = new Retained({ count: 9, bytes: 9_999, maxAgeMs: 10 }, { offset: 0, id: null });
  retained.add(publicationAt(1, { timestamp: 100 }));
  retained.trim(110);
  expect(retained.count).toBe(1);
  retained.trim(111);
  expect(retained.count).toBe(0);
});

test("it is trimmed to fewer bytes than its retention allows where that is asked for", () => {
  const kept = { count: 9, bytes: 9_999, maxAgeMs: Infinity };
  const retained = new Retained(kept, { offset: 0, id: null });
  for (const offset of [1, 2, 3]) retained.add(publicationAt(offset));
  retained.trim(0, publicationBytes(publicationAt(3)));
  expect([retained.count, retained.edge]).toEqual([1, 2]);
});
