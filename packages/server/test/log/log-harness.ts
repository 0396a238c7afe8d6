// A node's view of a log, over a broker's log that the test holds in its hands.
import type { BrokerState } from "@tailwire/server/broker-contract";
import { DEFAULT_LIMITS, DEFAULT_RETENTION } from "@tailwire/server/core";
import { BrokerLink } from "../../src/log/broker-link.ts";
import { Log } from "../../src/log/log.ts";
import { simulatedPorts } from "../harness.ts";
import { FakeLog } from "./fake-log.ts";

export const LIMITS = { ...DEFAULT_LIMITS, appendMs: 1_000 };

export function testLog() {
  const ports = simulatedPorts();
  const broker = new FakeLog();
  const retention = { ...DEFAULT_RETENTION, maxAgeMs: Infinity };
  let growths = 0;
  let tell: (state: BrokerState) => void = () => undefined;
  const keeper = {
    capabilities: { durable: false },
    log: () => broker,
    onState: (listener: typeof tell) => {
      tell = listener;
    },
    close: () => Promise.resolve(),
  };
  const { clock } = ports;
  const onChange = (): void => log.brokerChanged();
  const ignore = (): void => undefined;
  const logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
  const callMs = LIMITS.appendMs;
  const link = new BrokerLink({ broker: keeper, logger, clock, callMs, onChange });
  const log = new Log(ports, LIMITS, link, retention, {
    name: "room:1",
    grew: () => {
      growths += 1;
    },
  });
  /** The broker goes down, or is up again. */
  const enter = (state: BrokerState): void => tell(state);
  return { broker, log, clock, growths: () => growths, enter };
}
