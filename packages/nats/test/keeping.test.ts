// The stream keeps what is needed and no more: old records are deleted, and logs that are followed live on.
import { jetstreamManager, type JetStreamManager, type StreamInfo } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { SimulatedClock } from "@tailwire/simulation";
import type { BrokerLog } from "@tailwire/server/broker-contract";
import { again, Node, until, word } from "./node.ts";
import { isMissing, NatsServer } from "./nats-server.ts";

const HOUR_MS = 3_600_000;
const RETENTION = { count: 3, bytes: 1_000_000, maxAgeMs: HOUR_MS / 2 };
const ALL = { count: 1_000, bytes: 1_000_000 };

describe.skipIf(isMissing)("what the stream keeps", () => {
  let server: NatsServer;
  let connection: NatsConnection;
  let manager: JetStreamManager;
  let clock: SimulatedClock;
  let node: Node;
  let log: BrokerLog;

  beforeEach(async () => {
    server = await NatsServer.start();
    connection = await connect({ servers: server.url });
    manager = await jetstreamManager(connection);
    clock = new SimulatedClock();
    node = new Node("a", { servers: server.url }, { clock });
    log = node.broker.log("room:1", RETENTION);
  });
  afterEach(async () => {
    await node.close();
    await connection.close();
    await server.remove();
  });

  const stream = (): Promise<StreamInfo> => manager.streams.info("tw");
  const count = async (): Promise<number> => (await stream()).state.messages;
  const ids = async (): Promise<string> => {
    const { publications } = await log.read(await log.locate("earliest"), ALL);
    return publications.map(({ id }) => id).join(" ");
  };

  test("records that nobody retains are deleted once no producer may ask for them", async () => {
    for (const id of "abcdef") await log.append(node.entries(id));
    await clock.advance(11_000);
    await log.append(node.entries("g"));
    expect(await count()).toBe(8);
    expect(await ids()).toBe("e f g");
    await clock.advance(239_000);
    await log.append(node.entries("h"));
    expect(await ids()).toBe("f g h");
    const kept = node.entries("i");
    await clock.advance(11_000);
    await log.append(kept);
    await until(async () => (await count()) === 3);
    expect(await ids()).toBe("g h i");
    const fresh = new Node("b", { servers: server.url }, { clock });
    expect((await fresh.log.append(again(kept))).map(word)).toEqual(["duplicate"]);
    await fresh.close();
  });

  test("a channel's deletions leave other channels alone", async () => {
    const other = node.broker.log("room:2", RETENTION);
    await other.append(node.entries("other"));
    for (const id of "abcdef") await log.append(node.entries(id));
    await clock.advance(241_000);
    for (const id of "ghi") await log.append(node.entries(id));
    await until(async () => (await count()) < 12);
    await clock.advance(241_000);
    await other.append(node.entries("more"));
    const { publications } = await other.read(await other.locate("earliest"), ALL);
    expect(publications.map(({ id }) => id)).toEqual(["other", "more"]);
    expect(await ids()).toBe("g h i");
  });

  test("records are kept for an hour, or as long as a log's retention says", async () => {
    await log.locate("latest");
    expect((await stream()).config.max_age).toBe(HOUR_MS * 1e6);
    node.broker.log("room:2", { ...RETENTION, maxAgeMs: 2 * HOUR_MS });
    await clock.advance(1_000);
    await until(async () => (await stream()).config.max_age === (2 * HOUR_MS + 240_000) * 1e6);
    node.broker.log("room:3", { ...RETENTION, maxAgeMs: Infinity });
    await clock.advance(1_000);
    await until(async () => (await stream()).config.max_age === 0);
  });

  test("a log that is followed and rests gets a record before its last one is deleted", async () => {
    const listener = { push: () => undefined, suspect: () => undefined };
    const { position } = await log.tail(listener);
    await node.broker.log("room:2", RETENTION).locate("latest");
    expect(await count()).toBe(2);
    await clock.advance(HOUR_MS / 2 - 1_000);
    expect(await count()).toBe(2);
    await clock.advance(180_000);
    await until(async () => {
      return (await count()) === 3;
    });
    expect(await log.locate("latest")).toEqual(position);
  });

  /** The last record's sequence and name, as a checkpoint has them. */
  const end = async () => {
    const stored = await manager.streams.getMessage("tw", { last_by_subj: "tw.log.room=3A1" });
    const { token } = stored?.json<{ readonly token: string }>() ?? {};
    return { sequence: stored?.seq ?? 0, token };
  };
  const isSaved = async () =>
    (await manager.streams.getMessage("tw", { last_by_subj: "tw.producers.room=3A1" })) !== null;

  test("[PUB-4] a node that begins to append knows producers by the checkpoint of another", async () => {
    const early = node.entries("early");
    await log.append(early);
    await log.append(node.entries(...Array.from({ length: 1_000 }, (_, index) => `${index}`)));
    await until(isSaved);
    const late = node.entries("late");
    await log.append(late);
    // Without the records before it, the log alone can't tell.
    await manager.streams.purge("tw", { filter: "tw.log.room=3A1", keep: 2 });
    const fresh = new Node("b", { servers: server.url }, { clock });
    const results = await fresh.log.append([...again(early), ...again(late)]);
    expect(results.map(word)).toEqual(["duplicate", "duplicate"]);
    await fresh.close();
  });

  test("a checkpoint of another log, or of another form, isn't taken for this one's", async () => {
    const entries = node.entries("one");
    await log.append(entries);
    const producers = [["a", { generation: 9, last: 99, settled: 99, open: [] }]];
    const place = await end();
    for (const wrong of [
      { ...place, form: 1, producers, token: "another" },
      { ...place, form: 2, producers },
    ]) {
      connection.publish("tw.producers.room=3A1", JSON.stringify(wrong));
      await until(isSaved);
      const fresh = new Node("b", { servers: server.url }, { clock });
      expect((await fresh.log.append(again(entries))).map(word)).toEqual(["duplicate"]);
      await fresh.close();
    }
  });
});
