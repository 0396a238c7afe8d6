// The NATS broker keeps the brokers' contract, on a real server.
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Broker } from "@tailwire/server/broker-contract";
import {
  BROKER_CASES,
  type BrokerContext,
  SuiteClock,
} from "@tailwire/server/broker-contract-suite";
import { natsBroker } from "../src/index.ts";
import { HOST } from "./node.ts";
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

  /** Two nodes whose time is simulated, on a stream of their own. */
  const contextOf = (connections: readonly [NatsConnection, NatsConnection]): BrokerContext => {
    streams += 1;
    const stream = `case-${streams}`;
    const clock = new SuiteClock(async () => {
      // A search asks a few times, one after the other.
      for (let round = 0; round < 4; round += 1) {
        await Promise.all(connections.map((each) => each.flush()));
      }
    });
    const open = (connection: NatsConnection): Broker =>
      natsBroker({ connection, stream })({ ...HOST, ...LIMITS, clock });
    return {
      ...LIMITS,
      broker: open(connections[0]),
      other: open(connections[1]),
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      until: (condition) => clock.until(condition),
      time: { advance: (ms) => clock.advance(ms), jump: (ms) => clock.jump(ms) },
      losePushes: () => losePushes(connections[0]),
    };
  };

  test.each(BROKER_CASES)("$name", async ({ run }) => {
    const servers = server.url;
    const connections = [await connect({ servers }), await connect({ servers })] as const;
    const context = contextOf(connections);
    const stopFreeing = freeWhatWaits(context);
    try {
      await expect(run(context)).resolves.toBeUndefined();
    } finally {
      stopFreeing();
      await context.broker.close();
      await context.other.close();
      for (const connection of connections) await connection.close();
    }
  });
});

/** How long a case may take before its own time passes as well, in milliseconds: ten times what any does. */
const STUCK_MS = 5_000;

/**
 * A busy server answers late, and the broker asks again after a pause on the case's clock, which a case that
 * waits for it doesn't move: so it moves by itself then. The result ends that.
 */
function freeWhatWaits({ time }: BrokerContext): () => void {
  const began = performance.now();
  const timer = setInterval(() => {
    if (performance.now() - began > STUCK_MS) void time?.advance(100);
  }, 100);
  return () => clearInterval(timer);
}

/** Unsubscribes behind the broker's back. */
function losePushes(connection: NatsConnection): void {
  const { protocol } = connection as NatsConnection & Followed;
  for (const subscription of protocol.subscriptions.subs.values()) {
    if (subscription.getSubject().includes(".tail.")) subscription.unsubscribe();
  }
}

/** The part of a connection that isn't public. */
interface Followed {
  readonly protocol: {
    readonly subscriptions: {
      readonly subs: ReadonlyMap<number, { getSubject(): string; unsubscribe(): void }>;
    };
  };
}
