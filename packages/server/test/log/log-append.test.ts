// A node's appends to a log: grouped, in order, answered once; and where subscriptions start.
import { describe, expect, test } from "vitest";
import { JsonText, tailwireError } from "@tailwire/protocol";
import type { Append, AppendResult } from "@tailwire/server/broker-contract";
import { UNAVAILABLE } from "./fake-log.ts";
import { LIMITS, testLog as testNode } from "./log-harness.ts";

const PRODUCER = { id: "ada", generation: 1, sequence: 1, settled: 0, fingerprint: 1 };

function entry(id: string): Append {
  return {
    id,
    producer: PRODUCER,
    publisher: "ada",
    event: "said",
    data: JsonText.of(id),
    notAfter: Infinity,
  };
}

describe("append", () => {
  test("callers at the same time share one batch, and one batch is in flight", async () => {
    const { broker, log, clock } = testNode();
    broker.gates.append.closed = true;
    const append = async (id: string): Promise<AppendResult> => log.append(entry(id));
    const results = ["a", "b", "c", "d"].map(append);
    expect(broker.batches).toEqual([["a"]]);
    broker.gates.append.openOnce();
    await clock.settle();
    expect(broker.batches).toEqual([["a"], ["b", "c", "d"]]);
    results.push(append("e"));
    broker.gates.append.open();
    const offsets = (await Promise.all(results)).map((result) =>
      result.kind === "appended" ? result.position.offset : 0,
    );
    expect(offsets).toEqual([1, 2, 3, 4, 5]);
    expect(broker.mostInProgress).toBe(1);
    await clock.settle();
  });

  test("each caller gets its own result, a refusal too", async () => {
    const { broker, log } = testNode();
    broker.append = (batch) =>
      Promise.resolve(batch.map(({ id }) => ({ kind: "refused", code: id as "fenced" })));
    const results = ["fenced", "id_conflict", "expired"].map(async (id) => log.append(entry(id)));
    expect(await Promise.all(results)).toEqual([
      { kind: "refused", code: "fenced" },
      { kind: "refused", code: "id_conflict" },
      { kind: "refused", code: "expired" },
    ]);
  });

  test("[PUB-12] a batch that failed for now takes with it what waits behind, and no more", async () => {
    const { broker, log } = testNode();
    broker.failures.append.push(UNAVAILABLE());
    const [first, second] = [log.append(entry("a")), log.append(entry("b"))];
    await expect(first).rejects.toMatchObject({ code: "unavailable" });
    await expect(second).rejects.toMatchObject({ code: "unavailable" });
    await expect(log.append(entry("a"))).resolves.toMatchObject({ kind: "appended" });
    expect(broker.batches).toEqual([["a"], ["a"]]);
  });

  test("[PUB-8] a batch that failed for good rejects its own callers, and those behind go on", async () => {
    const { broker, log } = testNode();
    broker.failures.append.push(tailwireError("indeterminate"));
    const [first, second] = [log.append(entry("a")), log.append(entry("b"))];
    await expect(first).rejects.toMatchObject({ code: "indeterminate" });
    await expect(second).resolves.toMatchObject({ kind: "appended" });
    expect(broker.batches).toEqual([["a"], ["b"]]);
  });

  test("[PUB-12] what waits behind a producer's refusal for now is held, and others' go on", async () => {
    const { broker, log } = testNode();
    const append = broker.append.bind(broker);
    broker.append = async (batch) => {
      broker.append = append;
      return Promise.resolve(batch.map(() => ({ kind: "refused", code: "expired" })));
    };
    const told: string[] = [];
    const add = (id: string, changes: Partial<Append> = {}) =>
      log.append({ ...entry(id), ...changes }, () => told.push(id));
    const results = [
      add("a"),
      add("b"),
      add("c", { producer: { ...PRODUCER, id: "bob" } }),
      add("d", { producer: null }),
    ];
    // Told at once: before whoever awaits the answer hears of it.
    void Promise.resolve(results[0]).then(() => told.push("then a"));
    await expect(results[0]).resolves.toEqual({ kind: "refused", code: "expired" });
    await expect(results[1]).rejects.toMatchObject({ code: "held" });
    await expect(results[2]).resolves.toMatchObject({ kind: "appended" });
    await expect(results[3]).resolves.toMatchObject({ kind: "appended" });
    expect(told).toEqual(["a", "b", "then a"]);
    expect(broker.batches).toEqual([["c", "d"]]);
  });

  test("[PUB-10] an append without an answer is indeterminate after appendMs, not before", async () => {
    const { broker, log, clock } = testNode();
    broker.gates.append.closed = true;
    const codes: string[] = [];
    const appended = Promise.resolve(log.append(entry("a")));
    appended.catch(({ code }: { code: string }) => codes.push(code));
    await clock.advance(LIMITS.appendMs - 1);
    expect(codes).toEqual([]);
    await clock.advance(1);
    expect(codes).toEqual(["indeterminate"]);
  });
});

describe("start", () => {
  const at = (offset: number, epoch = "e1") => ({ epoch, offset, id: `p${offset}` });

  test("a position that the tail holds is taken without asking the broker", async () => {
    const { broker, log } = testNode();
    await log.open();
    broker.push(broker.grow(3));
    expect(await log.start(at(2))).toEqual({ position: at(2), recovered: true });
    expect(broker.reads).toEqual([]);
  });

  test("[SUB-3] a position before the tail is recovered where the broker has what follows", async () => {
    const { broker, log } = testNode();
    broker.grow(3);
    await log.open();
    expect(await log.start(at(1))).toEqual({ position: at(1), recovered: true });
  });

  test("[SUB-3] a position that the broker can't serve isn't recovered, and stays as it is", async () => {
    const { broker, log } = testNode();
    broker.grow(3);
    broker.trim(2);
    await log.open();
    const { gap: trimmed, ...started } = await log.start(at(1));
    expect(started).toEqual({ position: at(1), recovered: false });
    expect(trimmed?.gap).toMatchObject({ reason: "trimmed", lost: 1 });
    const { gap: begunAnew, ...elsewhere } = await log.start(at(1, "e0"));
    expect(elsewhere).toEqual({ position: at(1, "e0"), recovered: false });
    expect(begunAnew?.gap).toMatchObject({ reason: "epoch", lost: null });
  });

  test("[DEL-7] a position of an epoch that goes on is given under the new one", async () => {
    const { broker, log } = testNode();
    broker.grow(3);
    broker.epoch = "e2";
    broker.lineage.add("e1");
    await log.open();
    expect(await log.start(at(2))).toEqual({ position: at(2, "e2"), recovered: true });
  });

  test("[SUB-2] a relative start is the broker's to find, and recovers nothing", async () => {
    const { broker, log } = testNode();
    broker.grow(3);
    await log.open();
    expect(await log.start("latest")).toEqual({ position: at(3), recovered: false });
  });

  test("a broker that doesn't answer is unavailable", async () => {
    const { broker, log, clock } = testNode();
    await log.open();
    broker.gates.read.closed = true;
    const codes: string[] = [];
    log.start(at(1, "e0")).catch(({ code }: { code: string }) => codes.push(code));
    await clock.advance(LIMITS.appendMs);
    expect(codes).toEqual(["unavailable"]);
  });
});
