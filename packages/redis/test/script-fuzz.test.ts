// The script decides as the memory broker does: the same calls to both, on one clock, without a difference.
import { afterAll, beforeAll, expect, test } from "vitest";
import { JsonText, type Position, type Start } from "@tailwire/protocol";
import { type Append, type BrokerLog, fingerprint } from "@tailwire/server/broker-contract";
import { MemoryBroker } from "@tailwire/server/core";
import { Dice, SimulatedClock } from "@tailwire/simulation";
import { hostOf, onClock } from "./host.ts";
import { RedisServer, withServers } from "./server.ts";

/** 12 runs of 160 calls for each seed in a normal run; more by hand. */
const RUNS = Number(process.env["FUZZ_RUNS"] ?? 12);
const STEPS = 160;

interface Given {
  readonly clock: SimulatedClock;
  readonly dedupeMs: number;
  readonly pick: <Value>(values: readonly Value[]) => Value;
  readonly below: (count: number) => number;
}

/** A call for either log; the epoch that it knows is given. */
type Call = (log: BrokerLog, epoch: string) => Promise<unknown>;

withServers((program) => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await RedisServer.start(program);
  });
  afterAll(() => server.end());

  const met = new Set<string>();
  const seeds = Array.from({ length: RUNS }, (_, index) => index + 1);
  test.each(seeds)("no answer differs from memory's, seed %i", async (seed) => {
    const dice = new Dice(seed);
    const below = (count: number): number => Math.floor(dice.fraction() * count);
    const pick = <Value>(values: readonly Value[]): Value => values[below(values.length)] as Value;
    const clock = new SimulatedClock();
    const dedupe = {
      dedupeMs: pick([500, 2_000, 120_000]),
      window: pick([2, 5, 50]),
      producersMax: pick([2, 3, 50]),
    };
    const options = { url: server.url, prefix: `fuzz-${seed}` };
    const brokers = [
      new MemoryBroker({ ...hostOf(clock), ...dedupe }),
      await onClock(clock, options, dedupe),
    ];
    const retention = {
      count: pick([1, 3, 20]),
      bytes: pick([100, 300, 1_000, 100_000]),
      maxAgeMs: pick([50, 1_000, 100_000]),
    };
    // Both began to remember now.
    for (const broker of brokers) await broker.log("first", retention).append([anything()]);
    await clock.advance(below(3));
    const logs = brokers.map((broker) => broker.log("room", retention));
    const epochs = await Promise.all(logs.map(async (log) => (await log.locate("latest")).epoch));
    const given = { clock, pick, below, dedupeMs: dedupe.dedupeMs };
    for (let step = 0; step < STEPS; step += 1) {
      await clock.advance(pick([0, 0, 1, 10, 60, dedupe.dedupeMs / 2, dedupe.dedupeMs]));
      const call = pick(CALLS)(given);
      const answers = await Promise.all(
        logs.map(async (log, index) => {
          const epoch = epochs[index] as string;
          return plain(await call(log, epoch), epoch);
        }),
      );
      expect(answers[1], `step ${step}`).toEqual(answers[0]);
      for (const [word] of JSON.stringify(answers[0]).matchAll(WORDS)) met.add(word);
    }
    for (const broker of brokers) await broker.close();
  });

  test("the calls have met every outcome", () => {
    const codes = "id_conflict fenced overtaken indeterminate rate_limited held expired".split(" ");
    const reasons = "trimmed epoch diverged ahead".split(" ");
    const expected = [
      ...codes.map((code) => `"code":"${code}"`),
      ...reasons.map((reason) => `"reason":"${reason}"`),
      '"duplicate":true',
      '"duplicate":false',
    ];
    expect([...met].toSorted()).toEqual(expected.toSorted());
  });
});

/** Words of an answer that say how a call came out. */
const WORDS = /"(?:code|reason)":"\w+"|"duplicate":(?:true|false)/g;

const CALLS: readonly ((given: Given) => Call)[] = [
  someAppend,
  someAppend,
  someAppend,
  (given) => {
    const [after, limit] = [somePosition(given), someLimit(given)];
    return (log, epoch) => log.read(after(epoch), limit);
  },
  (given) => {
    const [before, limit] = [given.pick([null, somePosition(given)]), someLimit(given)];
    return (log, epoch) => log.readBack(before?.(epoch) ?? null, limit);
  },
  ({ pick, below }) => {
    const starts: Exclude<Start, Position>[] = [
      "latest",
      "earliest",
      { rewind: { count: below(6) } },
      { rewind: { ageMs: pick([0, 10, 1_000]) } },
    ];
    const start = pick(starts);
    return (log) => log.locate(start);
  },
];

function someAppend(given: Given): Call {
  const batch = Array.from({ length: 1 + given.below(4) }, () => someEntry(given));
  return async (log, epoch) => log.append(batch.map((entry) => entry(epoch)));
}

function someEntry({ clock, dedupeMs, pick, below }: Given): (epoch: string) => Append {
  const sequence = 1 + below(14);
  const id = pick([`id ${sequence}`, `id ${sequence}`, `id ${sequence}`, "another"]);
  const name = pick(["ada", "ada", "bob", "cyd", null]);
  const data = pick([JsonText.of("ä"), JsonText.of("x".repeat(60)), new Uint8Array([0, 10, 255])]);
  const now = clock.monotonic();
  const its = {
    generation: pick([1, 1, 1, 2]),
    sequence,
    settled: Math.max(0, sequence - pick([1, 2, 3, 14])),
    fingerprint: fingerprint(id, "said", JsonText.of("sent")),
  };
  const producer = name === null ? null : { id: name, ...its };
  const common = { id, producer, publisher: name, event: "said", data };
  const notAfter = now + pick([1_000, 1_000, 1_000, 0, -1]);
  if (pick([true, false])) return () => ({ ...common, notAfter });
  const since = now - pick([0, 0, 10, dedupeMs - 1, dedupeMs, 10 * dedupeMs]);
  const known = pick(["own", "none", "other"] as const);
  return (epoch) => {
    const epochs = { own: { epoch }, none: {}, other: { epoch: "other" } };
    return { ...common, notAfter, repeat: { since, ...epochs[known] } };
  };
}

function somePosition({ pick, below }: Given): (epoch: string) => Position {
  const [offset, id] = [below(40), pick([null, null, "id 1", "another"])];
  const isOwn = pick([true, true, true, false]);
  return (epoch) => ({ epoch: isOwn ? epoch : "other", offset, id });
}

function someLimit({ pick, below }: Given): { count: number; bytes: number } {
  return { count: pick([1 + below(5), 50]), bytes: pick([1, 250, 10_000]) };
}

function anything(): Append {
  const data = JsonText.of("first");
  return { id: "first", producer: null, publisher: null, event: "said", data, notAfter: Infinity };
}

/** An answer whose epoch is left out where it is the log's, and whose payloads are text. */
function plain(answer: unknown, epoch: string): unknown {
  return JSON.parse(
    JSON.stringify(answer, (key, value: unknown) => {
      if (key === "epoch" && value === epoch) return "own";
      if (value instanceof JsonText) return value.text;
      return value instanceof Uint8Array ? [...value] : value;
    }),
  );
}
