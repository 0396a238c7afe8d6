// Faults of Redis and of the way to it: nothing is appended twice, and nothing is lost in silence.
import { afterEach, describe, expect, test } from "vitest";
import { JsonText, type Position } from "@tailwire/protocol";
import {
  type Append,
  type AppendResult,
  type BrokerLog,
  fingerprint,
  type ReadResult,
} from "@tailwire/server/broker-contract";
import type { RedisBroker } from "../src/redis-broker.ts";
import { connected } from "./host.ts";
import { Proxy } from "./proxy.ts";
import { RedisServer, retried, until, withServers } from "./server.ts";

const RETENTION = { count: 1_000, bytes: 1_000_000, maxAgeMs: 3_600_000 };
const ALL = { count: 1_000, bytes: 1_000_000 };

const cleanups: (() => Promise<unknown>)[] = [];

/** Ends it after the test. */
function ending<Ended extends { end(): Promise<unknown> }>(ended: Ended): Ended {
  cleanups.push(() => ended.end());
  return ended;
}

async function brokerAt(url: string): Promise<RedisBroker> {
  const broker = await connected({ url });
  cleanups.unshift(() => broker.close());
  return broker;
}

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

/** Ada's publication of that number. */
function entry(sequence: number, ageMs?: number): Append {
  const [id, now] = [`m${sequence}`, performance.now()];
  const data = JsonText.of(id);
  const print = fingerprint(id, "said", data);
  const settled = Math.max(0, sequence - 20);
  return {
    id,
    producer: { id: "ada", generation: 1, sequence, settled, fingerprint: print },
    publisher: "ada",
    event: "said",
    data,
    notAfter: now + 60_000,
    ...(ageMs !== undefined && { repeat: { since: now - ageMs } }),
  };
}

const roomOf = (broker: RedisBroker): BrokerLog => broker.log("room:1", RETENTION);

/** Appends those from one number to another, each in a call of its own. */
async function add(log: BrokerLog, from: number, to: number): Promise<Position[]> {
  const positions: Position[] = [];
  for (let sequence = from; sequence <= to; sequence += 1) {
    const [result] = await log.append([entry(sequence)]);
    positions.push(positionOf(result));
  }
  return positions;
}

function positionOf(result: AppendResult | undefined): Position {
  if (result?.kind !== "appended") throw new Error(`it was refused: ${result?.code}`);
  return result.position;
}

/** How an append comes out, in a word. */
async function outcome(log: BrokerLog, sequence: number, ageMs?: number): Promise<string> {
  const [result] = await log.append([entry(sequence, ageMs)]);
  if (result?.kind !== "appended") return result?.code ?? "nothing";
  return result.duplicate ? "duplicate" : "new";
}

const idsOf = ({ publications }: ReadResult): string =>
  publications.map(({ id }) => id.slice(1)).join(" ");

/** The gap at a position and what follows it, or what follows the position. */
async function following(log: BrokerLog, after: Position): Promise<string> {
  const read = await log.read(after, ALL);
  return read.kind === "gap" ? `${read.gap.reason}: ${idsOf(read)}` : idsOf(read);
}

async function whole(log: BrokerLog): Promise<string> {
  return following(log, await log.locate("earliest"));
}

withServers((program) => {
  let redis: RedisServer;
  let proxy: Proxy;
  /** A log in a Redis that has been in use for an hour. */
  const started = async (...args: readonly string[]): Promise<BrokerLog> => {
    redis = ending(await RedisServer.start(program, ...args));
    await redis.command(`SET tailwire:since ${Date.now() - 3_600_000}`);
    proxy = ending(await Proxy.to(redis.port));
    return roomOf(await brokerAt(proxy.url));
  };

  describe("the server ends", () => {
    test("killed and started again with its append-only file, the log goes on", async () => {
      const log = await started("--appendonly", "yes", "--appendfsync", "always");
      const positions = await add(log, 1, 3);
      await redis.kill();
      await expect(log.locate("latest")).rejects.toMatchObject({ code: "unavailable" });
      await expect(log.append([entry(4)])).rejects.toMatchObject({ code: "unavailable" });
      await redis.start();
      await retried(() => log.locate("latest"));
      expect(await outcome(log, 3, 1_000)).toBe("duplicate");
      expect(await outcome(log, 4, 1_000)).toBe("new");
      await redis.kill();
      await redis.start();
      await retried(() => log.locate("latest"));
      // Each start is another epoch, and continues those before.
      expect(await following(log, positions[0] as Position)).toBe("2 3 4");
      expect(await outcome(log, 4, 1_000)).toBe("duplicate");
    });

    test("killed and started again without one, positions are gaps and repeats indeterminate", async () => {
      const log = await started();
      const positions = await add(log, 1, 3);
      await redis.kill();
      await redis.start();
      await retried(() => log.locate("latest"));
      expect(await outcome(log, 3, 30_000)).toBe("indeterminate");
      expect(await outcome(log, 4)).toBe("new");
      expect(await following(log, positions[0] as Position)).toBe("epoch: 4");
    });
  });

  describe("data is lost", () => {
    test("a log that is wiped makes its followers suspect, and has another epoch", async () => {
      const log = await started();
      let suspected = 0;
      const listener = { push: () => undefined, suspect: () => void (suspected += 1) };
      const tail = await log.tail(listener);
      const positions = await add(log, 1, 3);
      await redis.command("FLUSHALL");
      await until(() => suspected > 0);
      tail.close();
      expect(await following(log, positions[1] as Position)).toBe("epoch: ");
      expect(await outcome(log, 3, 30_000)).toBe("indeterminate");
    });

    test("a replica that was behind is promoted: what diverged is told, what is shared goes on", async () => {
      const log = await started();
      const link = ending(await Proxy.to(redis.port));
      const replica = ending(await RedisServer.start(program));
      await replica.command(`REPLICAOF 127.0.0.1 ${link.port}`);
      await retried(async () => {
        expect(await replica.command("INFO replication")).toContain("master_link_status:up");
      });
      const shared = await add(log, 1, 3);
      await retried(async () => {
        const answer = await replica.command("HGET tailwire:{room%3A1}:m o");
        expect(answer).toContain("3");
      });
      await link.end();
      const lost = await add(log, 4, 6);
      await redis.kill();
      await replica.command("REPLICAOF NO ONE");
      proxy.target = replica.port;
      proxy.cut();
      await retried(() => log.locate("latest"));
      expect(await outcome(log, 3, 30_000)).toBe("duplicate");
      expect(await outcome(log, 6, 30_000)).toBe("new");
      await add(log, 7, 8);
      expect(await following(log, shared[1] as Position)).toBe("3 6 7 8");
      expect(await following(log, shared[2] as Position)).toBe("6 7 8");
      expect(await following(log, lost[0] as Position)).toBe("diverged: 6 7 8");
      expect(await following(log, lost[2] as Position)).toBe("diverged: 6 7 8");
    });
  });

  describe("the way is cut", () => {
    test("an answer that is lost after the append is found: it is appended once", async () => {
      const log = await started();
      await add(log, 1, 1);
      proxy.mutes = "commands";
      const passing = proxy.onTheWay("m2");
      const appending = log.append([entry(2), { ...entry(3), producer: null }]);
      (await passing)();
      await retried(async () => {
        expect(await redis.command("HGET tailwire:{room%3A1}:m o")).toContain("3");
      });
      proxy.cut();
      proxy.mutes = null;
      const [known, nobodys] = await appending;
      expect(known).toMatchObject({ kind: "appended", duplicate: true, position: { offset: 2 } });
      expect(nobodys).toEqual({ kind: "refused", code: "indeterminate" });
      expect(await whole(log)).toBe("1 2 3");
    });

    test("an append that is cut on its way is sent again: it is appended once", async () => {
      const log = await started();
      await add(log, 1, 1);
      const passing = proxy.onTheWay("m2");
      const appending = log.append([entry(2)]);
      await passing;
      proxy.cut();
      expect(await appending).toMatchObject([{ kind: "appended", duplicate: false }]);
      expect(await whole(log)).toBe("1 2");
    });

    test("an append on a channel that is new is sent again as well", async () => {
      const log = await started();
      await log.locate("latest");
      const fresh = proxy.onTheWay("room%3A2");
      const broker = await brokerAt(proxy.url);
      const appending = broker.log("room:2", RETENTION).append([entry(1)]);
      await fresh;
      proxy.cut();
      expect(await appending).toMatchObject([{ kind: "appended" }]);
    });

    test("a subscriber that was cut off suspects, and is pushed what comes after", async () => {
      const log = await started();
      let suspected = 0;
      const ids: string[] = [];
      await log.tail({
        push: (_epoch, publications) => ids.push(...publications.map(({ id }) => id)),
        suspect: () => void (suspected += 1),
      });
      await redis.command("CLIENT KILL TYPE pubsub");
      await until(() => suspected > 0);
      await add(log, 1, 2);
      await until(() => ids.length >= 2);
      expect(ids).toEqual(["m1", "m2"]);
    });

    test("pushes that are lost without a cut are suspected by probes", async () => {
      const log = await started();
      let suspected = 0;
      let pushed = 0;
      const tail = await log.tail({
        push: () => void (pushed += 1),
        suspect: () => void (suspected += 1),
      });
      proxy.mutes = "pushes";
      await add(log, 1, 1);
      const began = performance.now();
      await until(() => suspected > 0);
      expect({ pushed, isLate: performance.now() - began > 7_000 }).toEqual({
        pushed: 0,
        isLate: false,
      });
      tail.close();
    });
  });

  test("a script that Redis has forgotten is sent again", async () => {
    const log = await started();
    await redis.command("SCRIPT FLUSH");
    expect(await outcome(log, 1)).toBe("new");
    expect(await whole(log)).toBe("1");
  });

  test("a broker is down while Redis is, and stays up where only pushes are cut", async () => {
    redis = ending(await RedisServer.start(program));
    const broker = await brokerAt(redis.url);
    const states: string[] = [];
    broker.onState(({ kind }) => states.push(kind));
    let suspected = 0;
    await roomOf(broker).tail({ push: () => undefined, suspect: () => void (suspected += 1) });
    await redis.command("CLIENT KILL TYPE pubsub");
    await until(() => suspected > 0);
    await roomOf(broker).locate("latest");
    expect(states).toEqual([]);
    await redis.kill();
    await until(() => states.length === 1);
    await redis.start();
    await until(() => states.length === 2);
    expect(states).toEqual(["down", "up"]);
  });

  test("a primary that has become a replica is left, for what the address leads to now", async () => {
    const log = await started();
    await add(log, 1, 1);
    const other = ending(await RedisServer.start(program));
    await redis.command(`REPLICAOF 127.0.0.1 ${other.port}`);
    proxy.target = other.port;
    await expect(log.append([entry(2)])).rejects.toMatchObject({ code: "unavailable" });
    expect(await retried(() => outcome(log, 2))).toBe("new");
  });
});
