// The rules of appending, one by one, and against an oracle that forgets nothing that it is told.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type AppendResult,
  AppendRules,
  type Candidate,
  type LogState,
} from "@tailwire/server/broker-contract";

const OPTIONS = { dedupeMs: 1_000, window: 3, producersMax: 4 };

interface Sent {
  readonly producer?: string | null;
  readonly generation?: number;
  readonly settled?: number;
  readonly fingerprint?: number;
  readonly notAfter?: number;
  /** The instant of its first send. */
  readonly since?: number;
  readonly epoch?: string;
}

function entry(sequence: number, sent: Sent = {}): Candidate {
  const { producer = "ada", generation = 1, settled = 0, fingerprint = sequence, since } = sent;
  const { notAfter = Infinity, epoch } = sent;
  const repeat = since === undefined ? {} : { repeat: { since, ...(epoch && { epoch }) } };
  const its =
    producer === null ? null : { id: producer, generation, sequence, settled, fingerprint };
  return { id: `${producer}/${sequence}`, producer: its, notAfter, ...repeat };
}

/** A log of nothing but producers and offsets. */
class Log {
  readonly rules: AppendRules;
  readonly entries: { readonly entry: Candidate; readonly at: number }[] = [];
  now = 5_000;
  state: Omit<LogState, "last"> = { epoch: "e" };

  constructor(options: Partial<typeof OPTIONS> = {}, since = 0) {
    this.rules = new AppendRules({ ...OPTIONS, ...options }, this.now, since);
  }

  append(...batch: readonly Candidate[]): readonly AppendResult[] {
    const state = { ...this.state, last: this.entries.length };
    const { results, accepted } = this.rules.decide(batch, state, this.now);
    for (const one of accepted) {
      this.entries.push({ entry: one, at: this.now });
      if (one.producer) this.rules.seen(one.producer, this.entries.length, this.now);
    }
    return results;
  }

  /** The same in words: `new`, `as <offset>`, or the code. */
  words(...batch: readonly Candidate[]): readonly string[] {
    return this.append(...batch).map(word);
  }

  word(sequence: number, sent: Sent = {}): string {
    return this.words(entry(sequence, sent)).join(" ");
  }
}

function word(verdict: AppendResult): string {
  if (verdict.kind === "refused") return verdict.code;
  return verdict.duplicate ? `as ${verdict.position.offset}` : "new";
}

describe("sequences", () => {
  test("positions are the epoch's, rise by one, and name their ids", () => {
    const log = new Log();
    expect(log.append(entry(1), entry(2, { producer: "bob" }))).toEqual([
      { kind: "appended", position: { epoch: "e", offset: 1, id: "ada/1" }, duplicate: false },
      { kind: "appended", position: { epoch: "e", offset: 2, id: "bob/2" }, duplicate: false },
    ]);
  });

  test("a repeat of what is open is told the original's place", () => {
    const log = new Log();
    log.append(entry(1), entry(2));
    expect(log.append(entry(1, { since: 4_900 }))).toEqual([
      { kind: "appended", position: { epoch: "e", offset: 1, id: "ada/1" }, duplicate: true },
    ]);
  });

  test("a repeat is known within its own batch", () => {
    expect(new Log().words(entry(1), entry(1, { since: 5_000 }))).toEqual(["new", "as 1"]);
  });

  test("without `repeat` a sequence that was used is another program's, and never a duplicate", () => {
    const log = new Log();
    expect(log.words(entry(2), entry(2), entry(1))).toEqual(["new", "id_conflict", "id_conflict"]);
  });

  test("a repeat with another fingerprint is an id_conflict", () => {
    const log = new Log();
    expect(log.words(entry(1), entry(1, { since: 5_000, fingerprint: 7 }))).toEqual([
      "new",
      "id_conflict",
    ]);
  });

  test("a repeat that isn't in the log, and a later one is, is overtaken", () => {
    const log = new Log();
    expect(log.words(entry(2), entry(1, { since: 4_900 }))).toEqual(["new", "overtaken"]);
  });

  test("of a repeat that its producer has settled nobody knows", () => {
    const log = new Log();
    log.append(entry(1), entry(2, { settled: 1 }));
    expect(log.word(1, { since: 4_900 })).toBe("indeterminate");
    expect(log.word(2, { since: 4_900 })).toBe("as 2");
  });

  test("`settled` only rises", () => {
    const log = new Log();
    log.append(entry(1), entry(2), entry(3, { settled: 2 }), entry(4, { settled: 0 }));
    expect(log.word(2, { since: 4_900 })).toBe("indeterminate");
    expect(log.word(3, { since: 4_900 })).toBe("as 3");
  });

  test("`settled` of what is refused isn't taken", () => {
    const log = new Log();
    expect(log.words(entry(1), entry(2, { settled: 1, notAfter: 0 }))).toEqual(["new", "expired"]);
    expect(log.word(1, { since: 4_900 })).toBe("as 1");
  });

  test("each producer has sequences of its own", () => {
    const log = new Log();
    expect(log.words(entry(2), entry(1, { producer: "bob" }), entry(1))).toEqual([
      "new",
      "new",
      "id_conflict",
    ]);
  });

  test("without a producer everything is new, and is kept nowhere", () => {
    const log = new Log();
    const nobodys = entry(1, { producer: null });
    expect(log.words(nobodys, nobodys)).toEqual(["new", "new"]);
    expect(log.rules.size).toBe(0);
  });
});

describe("the memory's reach", () => {
  test("a repeat that was first sent before it is indeterminate, unless under its epoch", () => {
    const log = new Log({}, 4_950);
    expect(log.word(1, { since: 4_949 })).toBe("indeterminate");
    expect(log.word(1, { since: 4_949, epoch: "another" })).toBe("indeterminate");
    expect(log.word(1, { since: 4_950 })).toBe("new");
    expect(log.word(2, { since: 4_949, epoch: "e" })).toBe("new");
  });

  test("an epoch that the log continues counts as its own", () => {
    const log = new Log({}, 4_950);
    log.state = { epoch: "f", continued: ["e"] };
    expect(log.word(1, { since: 4_900, epoch: "d" })).toBe("indeterminate");
    expect(log.word(1, { since: 4_900, epoch: "e" })).toBe("new");
  });

  test("a repeat that is dedupeMs old is indeterminate, whatever its epoch", () => {
    const log = new Log();
    expect(log.word(1, { since: 4_000, epoch: "e" })).toBe("indeterminate");
    expect(log.word(1, { since: 4_001, epoch: "e" })).toBe("new");
  });

  test("one that might be overtaken is indeterminate where the memory doesn't reach back to it", () => {
    const log = new Log({}, 4_950);
    log.append(entry(2));
    expect(log.word(1, { since: 4_900 })).toBe("indeterminate");
    expect(log.word(2, { since: 4_900 })).toBe("as 1");
  });

  test("a producer is remembered for dedupeMs after its last append", () => {
    for (const began of [0, 1, 500, 999]) {
      const log = new Log();
      log.now += began;
      log.append(entry(1));
      log.now += 999;
      expect(log.word(1)).toBe("id_conflict");
      log.now += 1_001;
      expect(log.word(1)).toBe("new");
    }
  });

  test("an append carries the whole record into its period, and refusals carry nothing", () => {
    const log = new Log();
    log.append(entry(1));
    log.now += 1_000;
    log.append(entry(2));
    log.now += 1_000;
    expect(log.word(1, { since: log.now - 1 })).toBe("as 1");
    expect(log.word(2)).toBe("id_conflict");
    log.now += 1_000;
    expect(log.rules.size).toBe(1);
    log.append(entry(9, { producer: "bob" }));
    expect(log.rules.size).toBe(1);
  });

  test("after a long silence everything is forgotten at once", () => {
    const log = new Log();
    log.append(entry(1));
    log.now += 50_000;
    expect(log.word(1)).toBe("new");
    expect(log.rules.size).toBe(1);
  });
});

describe("fences", () => {
  test("a lower generation is fenced, also a repeat; an equal and a higher one aren't", () => {
    const log = new Log();
    expect(log.word(1, { generation: 2 })).toBe("new");
    expect(log.word(2, { generation: 1 })).toBe("fenced");
    expect(log.word(1, { generation: 1, since: 5_000 })).toBe("fenced");
    expect(log.word(2, { generation: 2 })).toBe("new");
    expect(log.word(3, { generation: 9 })).toBe("new");
  });

  test("a look-up raises no fence", () => {
    const log = new Log();
    log.append(entry(1));
    expect(log.word(1, { generation: 9, since: 5_000 })).toBe("as 1");
    expect(log.word(2, { generation: 9, notAfter: 0 })).toBe("expired");
    expect(log.word(2, { generation: 1 })).toBe("new");
  });
});

describe("bounds", () => {
  test("a window of publications above `settled` may be open, and none is forgotten", () => {
    const log = new Log();
    expect(log.words(...[1, 2, 3, 4].map((sequence) => entry(sequence)))).toEqual([
      "new",
      "new",
      "new",
      "rate_limited",
    ]);
    expect(log.word(1, { since: 4_900 })).toBe("as 1");
    // Its own `settled` counts before the bound is looked at.
    expect(log.word(4, { settled: 1 })).toBe("new");
    expect(log.word(5, { settled: 1 })).toBe("rate_limited");
  });

  test("one producer more than are remembered is rate_limited, until one is forgotten", () => {
    const log = new Log({ producersMax: 2 });
    const of = (producer: string) => entry(1, { producer });
    expect(log.words(of("a"), of("b"), of("c"))).toEqual(["new", "new", "rate_limited"]);
    log.now += 1_000;
    expect(log.words(of("c"), entry(2, { producer: "a" }))).toEqual(["rate_limited", "new"]);
    log.now += 1_000;
    expect(log.words(of("c"))).toEqual(["new"]);
  });

  test("producers that are new in one batch count", () => {
    const log = new Log({ producersMax: 1 });
    const batch = [entry(1), entry(2), entry(1, { producer: "bob" })];
    expect(log.words(...batch)).toEqual(["new", "new", "rate_limited"]);
  });
});

describe("batches", () => {
  test("what comes after its notAfter is expired, known things aside", () => {
    const log = new Log();
    expect(log.word(1, { notAfter: 4_999 })).toBe("expired");
    expect(log.word(1, { notAfter: 5_000 })).toBe("new");
    expect(log.word(1, { notAfter: 0, since: 4_900 })).toBe("as 1");
    expect(log.word(1, { producer: null, notAfter: 4_999 })).toBe("expired");
  });

  test("[PUB-12] an entry that may come again holds its producer's behind it, and no other's", () => {
    const late = { notAfter: 0 };
    const batch = [
      entry(1, late),
      entry(2),
      entry(1, { producer: null, ...late }),
      entry(2, { producer: null }),
      entry(1, { producer: "bob" }),
    ];
    expect(new Log().words(...batch)).toEqual(["expired", "held", "expired", "new", "new"]);
  });

  test("[PUB-8] an entry that is refused for good holds nothing", () => {
    const log = new Log();
    log.append(entry(2, { generation: 2 }));
    const second = { generation: 2 };
    const batch = [
      entry(2, second),
      entry(9),
      entry(1, { ...second, since: 4_900 }),
      entry(3, { ...second, since: 0 }),
      entry(3, second),
    ];
    expect(log.words(...batch)).toEqual([
      "id_conflict",
      "fenced",
      "overtaken",
      "indeterminate",
      "new",
    ]);
  });

  test("a decision that isn't carried out leaves nothing behind", () => {
    const log = new Log();
    const decide = () => log.rules.decide([entry(1)], { epoch: "e", last: 0 }, log.now).results;
    expect([decide(), decide()].map(([verdict]) => verdict?.kind)).toEqual([
      "appended",
      "appended",
    ]);
    expect(log.rules.checkpoint()).toEqual([]);
  });
});

// Against an oracle

interface Appended {
  readonly sequence: number;
  readonly settled: number;
  readonly generation: number;
  readonly fingerprint: number;
  readonly offset: number;
  readonly at: number;
}

/** Remembers every append of each producer, and looks through all of them for each answer. */
class Oracle {
  readonly #all = new Map<string, Appended[]>();
  readonly #began: number;

  constructor(began: number) {
    this.#began = began;
  }

  /** Appends since the producer was last forgotten: periods begin every dedupeMs. */
  #era(producer: string, now: number): readonly Appended[] {
    const period = (at: number): number => Math.floor((at - this.#began) / OPTIONS.dedupeMs);
    const era: Appended[] = [];
    let next = now;
    for (const one of (this.#all.get(producer) ?? []).toReversed()) {
      if (period(next) - period(one.at) > 1) break;
      era.unshift(one);
      next = one.at;
    }
    return era;
  }

  producers(now: number): number {
    return [...this.#all.keys()].filter((one) => this.#era(one, now).length > 0).length;
  }

  expected({ producer, repeat }: Candidate, now: number): string {
    if (producer === null) return "new";
    const era = this.#era(producer.id, now);
    const highest = (what: "sequence" | "settled" | "generation"): number =>
      Math.max(0, ...era.map((one) => one[what]));
    const open = (settled: number) => era.filter(({ sequence }) => sequence > settled);
    const isOld = repeat !== undefined && now - repeat.since >= OPTIONS.dedupeMs;
    if (producer.generation < highest("generation")) return "fenced";
    if (producer.sequence > highest("sequence")) {
      if (isOld) return "indeterminate";
      if (era.length === 0 && this.producers(now) >= OPTIONS.producersMax) return "rate_limited";
      const settled = Math.max(highest("settled"), producer.settled);
      return open(settled).length < OPTIONS.window ? "new" : "rate_limited";
    }
    if (repeat === undefined) return "id_conflict";
    const its = open(highest("settled")).find(({ sequence }) => sequence === producer.sequence);
    if (its !== undefined) {
      return its.fingerprint === producer.fingerprint ? `as ${its.offset}` : "id_conflict";
    }
    return isOld || producer.sequence <= highest("settled") ? "indeterminate" : "overtaken";
  }

  append({ producer }: Candidate, offset: number, at: number): void {
    if (producer === null) return;
    const all = this.#all.get(producer.id) ?? [];
    this.#all.set(producer.id, [...all, { ...producer, offset, at }]);
  }
}

interface Step {
  readonly producer: string | null;
  readonly sequence: number;
  readonly settledBelow: number;
  readonly generation: number;
  readonly fingerprint: number;
  readonly ageMs: number | undefined;
  readonly passesMs: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  producer: fc.constantFrom("ada", "ada", "bob", "cyd", "dan", "eve", null),
  sequence: fc.nat(12),
  settledBelow: fc.integer({ min: 1, max: 6 }),
  generation: fc.constantFrom(1, 1, 1, 2),
  fingerprint: fc.constantFrom(0, 0, 0, 1),
  ageMs: fc.option(fc.constantFrom(0, 10, 999, 1_000), { nil: undefined }),
  passesMs: fc.constantFrom(0, 0, 1, 300, 999, 1_000, 2_000),
});

/** Sequences grow with the steps, or nearly all would lie below the last one. */
function candidate(
  { sequence, settledBelow, ageMs, ...rest }: Step,
  index: number,
  now: number,
): Candidate {
  const its = 1 + sequence + Math.floor(index / 4);
  const settled = Math.max(0, its - settledBelow);
  const since = ageMs === undefined ? {} : { since: now - ageMs };
  return entry(its, { ...rest, settled, ...since });
}

describe("whatever comes", () => {
  const steps = fc.array(step, { maxLength: 60 });

  test("the answer is that of an oracle which forgets nothing", () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(steps, (all) => {
        const log = new Log();
        const oracle = new Oracle(log.now);
        for (const [index, one] of all.entries()) {
          log.now += one.passesMs;
          const next = candidate(one, index, log.now);
          const expected = oracle.expected(next, log.now);
          expect(log.words(next)).toEqual([expected]);
          if (expected === "new") oracle.append(next, log.entries.length, log.now);
          expect(log.rules.size).toBe(oracle.producers(log.now));
          seen.add(expected.split(" ", 1)[0] as string);
        }
      }),
      { numRuns: 500 },
    );
    // Too many producers is rare, and has tests of its own.
    for (const kind of ["as", "fenced", "id_conflict", "indeterminate", "new", "overtaken"]) {
      expect(seen).toContain(kind);
    }
  });

  test("a batch is judged as its entries one by one, up to what is held", () => {
    fc.assert(
      fc.property(steps, (all) => {
        const [batch, single] = [new Log(), new Log()];
        const entries = all.map((one, index) => candidate(one, index, batch.now));
        const holding = new Set<string>();
        const expected = entries.map((one) => {
          if (holding.has(one.producer?.id ?? "")) return "held";
          const [its] = single.words(one);
          if (its === "rate_limited") holding.add(one.producer?.id ?? "");
          return its;
        });
        expect(batch.words(...entries)).toEqual(expected);
      }),
    );
  });

  test("rules built anew from the log, or from a checkpoint and what follows it, answer the same", () => {
    fc.assert(
      fc.property(steps, fc.nat(60), (all, checkpointAt) => {
        const log = new Log();
        let begun = new AppendRules(OPTIONS, log.now, 0);
        for (const [index, one] of all.entries()) {
          const before = log.entries.length;
          log.append(candidate(one, index, log.now));
          if (index === checkpointAt) {
            begun = new AppendRules(OPTIONS, log.now, 0, log.rules.checkpoint());
          } else if (log.entries.length > before) {
            const { producer } = (log.entries.at(-1) as { entry: Candidate }).entry;
            if (producer) begun.seen(producer, log.entries.length, log.now);
          }
        }
        const rebuilt = new AppendRules(OPTIONS, log.now, 0);
        for (const [index, { entry: one }] of log.entries.entries()) {
          if (one.producer) rebuilt.seen(one.producer, index + 1, log.now);
        }
        const known = new Map(log.rules.checkpoint());
        expect(new Map(begun.checkpoint())).toEqual(known);
        expect(new Map(rebuilt.checkpoint())).toEqual(known);
      }),
    );
  });
});
