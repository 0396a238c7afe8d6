// The NATS broker keeps the brokers' contract, on a real server.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BROKER_CASES, type BrokerContext } from "@tailwire/server/broker-contract-suite";
import { Dice, SimulatedClock } from "@tailwire/simulation";
import { natsBroker } from "../src/index.ts";
import { QUIET, until } from "./node.ts";
import { isMissing, NatsServer } from "./nats-server.ts";

/** Small enough that a case can fill it. */
const LIMITS = { dedupeMs: 40_000, window: 50, producersMax: 50 };

describe.skipIf(isMissing)("the contract", () => {
  let server: NatsServer;
  let streams = 0;
  beforeAll(async () => {
    server = await NatsServer.start();
  });
  afterAll(() => server.remove());

  /** A broker whose time is simulated, on a stream of its own. */
  function context(): BrokerContext {
    streams += 1;
    const clock = new SimulatedClock();
    const open = natsBroker({ servers: server.url, stream: `case-${streams}` });
    const host = { ...LIMITS, clock, random: new Dice(streams), logger: QUIET, appendMs: 10_000 };
    return {
      ...LIMITS,
      broker: open(host),
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      until,
      time: { advance: (ms) => clock.advance(ms), jump: (ms) => clock.jump(ms) },
    };
  }

  test.each(BROKER_CASES)("$name", async ({ run }) => {
    const its = context();
    try {
      await expect(run(its)).resolves.toBeUndefined();
    } finally {
      await its.broker.close();
    }
  });
});
