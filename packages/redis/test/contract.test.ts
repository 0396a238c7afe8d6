// The Redis broker keeps the brokers' contract, on a real server.
import { afterAll, beforeAll, expect, test } from "vitest";
import { BROKER_CASES } from "@tailwire/server/broker-contract-suite";
import { SimulatedClock } from "@tailwire/simulation";
import { DEDUPE, onClock } from "./host.ts";
import { RedisServer, until, withServers } from "./server.ts";

withServers((program) => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await RedisServer.start(program);
  });
  afterAll(() => server.end());

  test.each(BROKER_CASES.map((one, index) => ({ ...one, index })))(
    "$name",
    async ({ run, index }) => {
      const clock = new SimulatedClock();
      const broker = await onClock(clock, { url: server.url, prefix: `case-${index}` });
      const context = {
        ...DEDUPE,
        broker,
        now: () => clock.now(),
        monotonic: () => clock.monotonic(),
        until,
        time: {
          advance: (ms: number) => clock.advance(ms),
          jump: (ms: number) => clock.jump(ms),
        },
      };
      try {
        await expect(run(context)).resolves.toBeUndefined();
      } finally {
        await broker.close();
      }
    },
  );
});
