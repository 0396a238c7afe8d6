// The simulated broker keeps the brokers' contract, and what it loses it loses aloud.
import { describe, expect, test } from "vitest";
import { JsonText } from "@tailwire/protocol";
import { BROKER_CASES, type BrokerContext } from "@tailwire/server/broker-contract-suite";
import { BrokerLine, Dice, NO_WITNESS, SharedBroker, SimulatedClock } from "@tailwire/simulation";

const DEDUPE = { dedupeMs: 40_000, window: 50, producersMax: 50 };
const RETENTION = { count: 10, bytes: 100_000, maxAgeMs: 60_000 };
const ALL = { count: 100, bytes: 100_000 };

function setting() {
  const clock = new SimulatedClock();
  const shared = new SharedBroker({ ...DEDUPE, clock, random: new Dice(1), witness: NO_WITNESS });
  const line = (): BrokerLine => new BrokerLine(shared, clock, clock);
  return { clock, shared, broker: line(), other: line() };
}

function contextOf({ clock, broker, other }: ReturnType<typeof setting>): BrokerContext {
  return {
    ...DEDUPE,
    broker,
    other,
    losePushes: () => {
      broker.faults = { ...broker.faults, push: () => "is lost" };
    },
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    until: (condition) => clock.until(condition, 10_000),
    time: { advance: (ms) => clock.advance(ms), jump: (ms) => clock.jump(ms) },
  };
}

const entry = (id: string, more: object = {}) => ({
  id,
  producer: { id: "ada", generation: 1, sequence: id.charCodeAt(0), settled: 0, fingerprint: 1 },
  publisher: "ada",
  event: "said",
  data: JsonText.of(id),
  notAfter: Infinity,
  ...more,
});

describe("the contract", () => {
  test.each(BROKER_CASES)("$name", async ({ run }) => {
    await expect(run(contextOf(setting()))).resolves.toBeUndefined();
  });
});

describe("what is lost", () => {
  test("a log that lost its end goes on under a new epoch, and uses the offsets again", async () => {
    const { shared, broker } = setting();
    const log = broker.log("room:1", RETENTION);
    await log.append(["a", "b", "c"].map((id) => entry(id)));
    const before = await log.locate("latest");
    shared.log("room:1", RETENTION).lose(1);
    await log.append([entry("d")]);
    expect(await log.read(before, ALL)).toMatchObject({
      kind: "gap",
      gap: { reason: "diverged", lost: null, continuesAfter: { offset: 2, id: "b" } },
    });
    expect(await log.read({ ...before, offset: 2, id: "b" }, ALL)).toMatchObject({
      kind: "publications",
      publications: [{ offset: 3, id: "d" }],
    });
  });

  test("[PUB-5] a repeat of what was lost with the log's end is appended, and of what is there known", async () => {
    const { clock, shared, broker } = setting();
    const log = broker.log("room:1", RETENTION);
    const { epoch } = await log.locate("latest");
    await log.append([entry("a"), entry("b")]);
    shared.log("room:1", RETENTION).lose(1);
    const repeat = { since: clock.monotonic() - 1, epoch };
    expect(await log.append([entry("a", { repeat }), entry("b", { repeat })])).toMatchObject([
      { duplicate: true, position: { offset: 1 } },
      { duplicate: false, position: { offset: 2 } },
    ]);
  });

  test("[PUB-5] after a wipe a repeat is indeterminate, and an old position has another epoch", async () => {
    const { clock, shared, broker } = setting();
    const log = broker.log("room:1", RETENTION);
    await log.append([entry("a")]);
    const before = await log.locate("latest");
    await clock.advance(10);
    shared.wipe();
    const repeat = { since: clock.monotonic() - 11, epoch: before.epoch };
    const result = { kind: "refused", code: "indeterminate" };
    expect(await log.append([entry("a", { repeat })])).toEqual([result]);
    expect(await log.read(before, ALL)).toMatchObject({ kind: "gap", gap: { reason: "epoch" } });
  });
});

describe("what goes wrong on a line", () => {
  test("a lost answer is indeterminate though it was appended, a lost request though it wasn't", async () => {
    const { clock, broker } = setting();
    const log = broker.log("room:1", RETENTION);
    const quiet = broker.faults;
    broker.faults = { ...quiet, losesAnswer: () => true };
    await expect(log.append([entry("a")])).rejects.toMatchObject({ code: "indeterminate" });
    broker.faults = { ...quiet, losesRequest: () => true };
    await expect(log.append([entry("b")])).rejects.toMatchObject({ code: "indeterminate" });
    broker.faults = quiet;
    const repeats = ["a", "b"].map((id) => entry(id, { repeat: { since: clock.monotonic() } }));
    expect(await log.append(repeats)).toMatchObject([{ duplicate: true }, { duplicate: false }]);
  });

  test("while it is down calls are refused, and its node is told", async () => {
    const { clock, broker } = setting();
    const states: string[] = [];
    broker.onState(({ kind }) => states.push(kind));
    broker.down = true;
    await clock.settle();
    const log = broker.log("room:1", RETENTION);
    await expect(log.append([entry("a")])).rejects.toMatchObject({ code: "unavailable" });
    broker.down = false;
    await clock.settle();
    expect(states).toEqual(["down", "up"]);
    expect(await log.append([entry("a")])).toMatchObject([{ kind: "appended" }]);
  });

  test("a tail that was closed isn't kept", async () => {
    const { broker } = setting();
    const listener = { push: () => undefined, suspect: () => undefined };
    const tail = await broker.log("room:1", RETENTION).tail(listener);
    expect(broker.tails).toBe(1);
    tail.close();
    expect(broker.tails).toBe(0);
  });
});
