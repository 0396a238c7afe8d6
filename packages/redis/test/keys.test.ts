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

  test("publications that are refused make no keys of a channel, and take none away", async () => {
    const { broker, client } = await opened();
    const log = broker.log("room:1", RETENTION);
    const lookUp = async (): Promise<void> => {
      const results = await log.append([{ ...entry("a", 1), notAfter: -1 }]);
      expect(results).toEqual([{ kind: "refused", code: "expired" }]);
    };
    await lookUp();
    expect(await client.keys("tailwire:{*")).toEqual([]);
    const { epoch } = await log.locate("latest");
    await lookUp();
    expect(await log.locate("latest")).toMatchObject({ epoch });
  });

  test("every key of a channel expires, whenever it was made", async () => {
    const { clock, broker, client } = await opened();
    const log = broker.log("room:1", RETENTION);
    const expiryMs = 2.5 * DEDUPE.dedupeMs + 60_000;
    const expectKeys = async (...expected: string[]) => {
      const keys = await client.keys("tailwire:{*");
      expect(keys.toSorted().map((key) => key.at(-1))).toEqual(expected);
      for (const key of keys) {
        const ms = await client.pTTL(key);
        expect(ms).toBeGreaterThan(expiryMs * 0.5);
        expect(ms).toBeLessThanOrEqual(expiryMs);
      }
    };
    await log.locate("latest");
    await expectKeys("m");
    await log.append([entry("a", 1)]);
    await expectKeys("0", "e", "m");
    await clock.advance(1_001);
    await log.locate("latest");
    await expectKeys("0", "m");
    await log.append([{ ...entry("b", 2), producer: null }]);
    await expectKeys("0", "e", "m");
    await clock.advance(DEDUPE.dedupeMs);
    await log.append([entry("c", 2)]);
    await expectKeys("1", "e", "m");
    await log.append([{ ...entry("d", 1), producer: producerOf("bob") }]);
    await clock.advance(DEDUPE.dedupeMs);
    await log.append([entry("e", 3)]);
    await expectKeys("0", "1", "e", "m");
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
const producerOf = (id: string) => ({
  id,
  generation: 1,
  sequence: 1,
  settled: 0,
  fingerprint: 1,
});
