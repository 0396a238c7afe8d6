// A node's view of a log, over a broker's log that the test holds in its hands.
import { DEFAULT_LIMITS, DEFAULT_RETENTION } from "@tailwire/server/core";
import { Log } from "../../src/log/log.ts";
import { simulatedPorts } from "../harness.ts";
import { FakeLog } from "./fake-log.ts";

export const LIMITS = { ...DEFAULT_LIMITS, appendMs: 1_000 };

export function testLog() {
  const ports = simulatedPorts();
  const broker = new FakeLog();
  const retention = { ...DEFAULT_RETENTION, maxAgeMs: Infinity };
  let growths = 0;
  const keeper = {
    capabilities: { durable: false },
    log: () => broker,
    close: () => Promise.resolve(),
  };
  const log = new Log(ports, LIMITS, keeper, retention, {
    name: "room:1",
    grew: () => {
      growths += 1;
    },
  });
  return { broker, log, clock: ports.clock, growths: () => growths };
}
