// The Redis broker keeps the brokers' contract, on a real server.
import { afterAll, beforeAll, expect, test } from "vitest";
import { BROKER_CASES, SuiteClock } from "@tailwire/server/broker-contract-suite";
import { DEDUPE, onClock } from "./host.ts";
import { Proxy } from "./proxy.ts";
import { RedisServer, withServers } from "./server.ts";

const RETENTION = { count: 1, bytes: 1_000, maxAgeMs: 1_000 };

withServers((program) => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await RedisServer.start(program);
  });
  afterAll(() => server.end());

  test.each(BROKER_CASES.map((one, index) => ({ ...one, index })))(
    "$name",
    async ({ run, index }) => {
      // Behind a round trip lies all that Redis was asked before.
      const clock = new SuiteClock(async () => {
        await broker.log("settled", RETENTION).locate("latest");
        await new Promise(setImmediate);
      });
      const proxy = await Proxy.to(server.port);
      const prefix = `case-${index}`;
      const other = await onClock(clock, { url: server.url, prefix });
      const broker = await onClock(clock, { url: proxy.url, prefix });
      const context = {
        ...DEDUPE,
        broker,
        other,
        now: () => clock.now(),
        monotonic: () => clock.monotonic(),
        until: (condition: () => boolean) => clock.until(condition),
        time: {
          advance: (ms: number) => clock.advance(ms),
          jump: (ms: number) => clock.jump(ms),
        },
        losePushes: () => void (proxy.mutes = "pushes"),
      };
      try {
        await expect(run(context)).resolves.toBeUndefined();
      } finally {
        for (const one of [broker, other]) await one.close();
        await proxy.end();
      }
    },
  );
});
