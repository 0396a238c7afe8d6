// The memory broker keeps the brokers' contract, and lets go of what nobody needs.
import { describe, expect, test } from "vitest";
import { JsonText } from "@tailwire/protocol";
import { BROKER_CASES } from "@tailwire/server/broker-contract-suite";
import { memoryContext } from "./memory-context.ts";

describe("the contract", () => {
  test.each(BROKER_CASES)("$name", async ({ run }) => {
    await expect(run(memoryContext())).resolves.toBeUndefined();
  });
});

const RETENTION = { count: 10, bytes: 100_000, maxAgeMs: 1_000 };

const entry = (id: string) => ({
  id,
  producer: { id: "ada", generation: 1, sequence: 1, settled: 0, fingerprint: 1 },
  publisher: "ada",
  event: "said",
  data: JsonText.of(id),
  notAfter: Infinity,
});

describe("what is forgotten", () => {
  test("a log that nobody has used for twice dedupeMs is forgotten, and has a new epoch", async () => {
    const { broker, clock, dedupeMs } = memoryContext();
    const log = broker.log("room:1", RETENTION);
    await log.append([entry("a")]);
    const before = await log.locate("latest");
    await clock.advance(2 * dedupeMs);
    expect(broker.size).toBe(1);
    await clock.advance(60_001);
    expect(broker.size).toBe(0);
    const after = await log.locate("latest");
    expect(after.epoch).not.toBe(before.epoch);
    expect(await log.read(before, { count: 1, bytes: 1 })).toMatchObject({
      kind: "gap",
      gap: { reason: "epoch", lost: null, continuesAfter: after },
    });
  });

  test("a log that is followed is kept, and forgotten after it isn't any more", async () => {
    const { broker, clock, dedupeMs } = memoryContext();
    const listener = { push: () => undefined, suspect: () => undefined };
    const tail = await broker.log("room:1", RETENTION).tail(listener);
    await clock.advance(100 * dedupeMs);
    expect(broker.size).toBe(1);
    tail.close();
    await clock.advance(2 * dedupeMs + 60_001);
    expect(broker.size).toBe(0);
  });

  test("a log that retains something is kept", async () => {
    const { broker, clock, dedupeMs } = memoryContext();
    const log = broker.log("room:1", { ...RETENTION, maxAgeMs: 100 * dedupeMs });
    await log.append([entry("a")]);
    await clock.advance(99 * dedupeMs);
    expect(broker.size).toBe(1);
  });

  test("a broker without logs has no timer, and a closed one neither", async () => {
    const { broker, clock, dedupeMs } = memoryContext();
    expect(clock.pending).toBe(0);
    await broker.log("room:1", RETENTION).locate("latest");
    expect(clock.pending).toBe(1);
    await clock.advance(3 * dedupeMs + 60_001);
    expect(clock.pending).toBe(0);
    await broker.log("room:1", RETENTION).locate("latest");
    await broker.close();
    expect(clock.pending).toBe(0);
    expect(broker.size).toBe(0);
  });

  test("what is only looked up makes no log, and takes none away", async () => {
    const { broker } = memoryContext();
    const log = broker.log("room:1", RETENTION);
    const lookUp = async (): Promise<void> => {
      const results = await log.append([{ ...entry("a"), notAfter: -1 }]);
      expect(results).toEqual([{ kind: "refused", code: "expired" }]);
    };
    await lookUp();
    expect(broker.size).toBe(0);
    const { epoch } = await log.locate("latest");
    await lookUp();
    expect(await log.locate("latest")).toMatchObject({ epoch });
  });

  test("a handle costs nothing: the log is made on first use", () => {
    const { broker } = memoryContext();
    broker.log("room:1", RETENTION);
    expect(broker.size).toBe(0);
  });
});
