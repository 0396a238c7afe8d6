// Keys in Redis: all of a channel's expire together, and those of a log that is followed don't.
import { expect, onTestFinished, test } from "vitest";
import { JsonText } from "@tailwire/protocol";
import type { Append } from "@tailwire/server/broker-contract";
import { SimulatedClock } from "@tailwire/simulation";
import { createClient } from "redis";
import { DEDUPE, onClock } from "./host.ts";
import { RedisServer, retried, withServers } from "./server.ts";

const RETENTION = { count: 10, bytes: 10_000, maxAgeMs: 1_000 };

function entry(id: string, sequence: number): Append {
  const producer = { id: "ada", generation: 1, sequence, settled: 0, fingerprint: sequence };
  const data = JsonText.of(id);
  return { id, producer, publisher: "ada", event: "said", data, notAfter: Infinity };
}

withServers((program) => {
  async function opened() {
    const server = await RedisServer.start(program);
    const clock = new SimulatedClock();
    const broker = await onClock(clock, { url: server.url });
    const client = createClient({ url: server.url });
    await client.connect();
    onTestFinished(async () => {
      client.destroy();
      await broker.close();
      await server.end();
    });
    return { clock, broker, client };
  }

  test("every key of a channel expires, whenever it was made", async () => {
    const { clock, broker, client } = await opened();
    const log = broker.log("room:1", RETENTION);
    await log.locate("latest");
    await log.append([entry("a", 1)]);
    await clock.advance(1.5 * DEDUPE.dedupeMs);
    await log.append([{ ...entry("b", 2), producer: null }]);
    await log.append([{ ...entry("c", 1), producer: { ...producerOf("bob"), sequence: 1 } }]);
    const keys = await client.keys("tailwire:{*");
    expect(keys.toSorted().map((key) => key.at(-1))).toEqual(["0", "1", "e", "m"]);
    const expiries = await Promise.all(keys.map((key) => client.pTTL(key)));
    const expiryMs = 2.5 * DEDUPE.dedupeMs + 60_000;
    for (const ms of expiries) {
      expect(ms).toBeGreaterThan(expiryMs * 0.5);
      expect(ms).toBeLessThanOrEqual(expiryMs);
    }
  });

  test("a log that is followed is kept, though nobody uses it", async () => {
    const { clock, broker, client } = await opened();
    await broker.log("room:1", RETENTION).tail({ push: none, suspect: none });
    await client.pExpire("tailwire:{room%3A1}:m", 30_000);
    await clock.advance(DEDUPE.dedupeMs);
    await retried(async () => {
      await clock.advance(DEDUPE.dedupeMs);
      expect(await client.pTTL("tailwire:{room%3A1}:m")).toBeGreaterThan(100_000);
    });
  });
});

const none = (): void => undefined;
const producerOf = (id: string) => ({ id, generation: 1, settled: 0, fingerprint: 1 });
