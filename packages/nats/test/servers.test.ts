// Two tailwire servers on one NATS server: their clients meet in the channel, and survive either one.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createClient } from "@tailwire/client";
import { createTailwire } from "@tailwire/server";
import { natsBroker } from "../src/index.ts";
import { QUIET, until } from "./node.ts";
import { isMissing, NatsServer } from "./nats-server.ts";

describe.skipIf(isMissing)("two tailwire servers", () => {
  let nats: NatsServer;
  const endings: (() => unknown)[] = [];
  beforeEach(async () => {
    nats = await NatsServer.start();
  });
  afterEach(async () => {
    for (const end of endings.splice(0)) await end();
    await nats.remove();
  });

  /** A tailwire server, and a client of it. */
  const serve = async (user: string) => {
    const web: Server = createServer();
    const tailwire = createTailwire({
      authenticate: () => ({ user: { id: user } }),
      channels: { "room:{id}": {} },
      broker: natsBroker({ servers: nats.url }),
      logger: QUIET,
    });
    tailwire.attach(web, { path: "/tailwire" });
    await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
    const { port } = web.address() as AddressInfo;
    const client = createClient(`ws://127.0.0.1:${port}/tailwire`, { getToken: () => user });
    endings.unshift(async () => {
      await client.close();
      await tailwire.close();
      await new Promise((resolve) => web.close(resolve));
    });
    return client.channel("room:{id}", { id: "7" });
  };

  test("[DEL-1] what is published to either reaches the clients of both, once and in one order", async () => {
    const rooms = [await serve("ada"), await serve("bob")];
    const received: string[][] = [[], []];
    for (const [index, room] of rooms.entries()) {
      const subscription = room.subscribe({ start: "earliest" });
      subscription.on("said", ({ data }) => void received[index]?.push(String(data)));
      await subscription.ready;
    }
    const publishing = rooms.map(async (room, index) => {
      for (let count = 0; count < 50; count += 1) await room.publish("said", `${index} ${count}`);
    });
    await Promise.all(publishing);
    await until(() => received.every(({ length }) => length === 100));
    expect(received[0]).toEqual(received[1]);
    expect(new Set(received[0]).size).toBe(100);
  });

  test("[DEL-1] clients lose and double nothing when NATS is killed and comes back", async () => {
    const rooms = [await serve("ada"), await serve("bob")];
    const received: string[] = [];
    const gaps: unknown[] = [];
    const subscription = rooms[1]?.subscribe({ start: "earliest" });
    subscription?.onGap((gap) => void gaps.push(gap));
    subscription?.on("said", ({ data }) => void received.push(String(data)));
    await subscription?.ready;
    const publish = async (text: string) => rooms[0]?.publish("said", text);
    await publish("before");
    await until(() => received.length === 1);
    await nats.kill();
    const publishing = ["one", "two", "three"].map(publish);
    nats = await NatsServer.start({ port: nats.port, folder: nats.folder });
    await Promise.all(publishing);
    await publish("after");
    await until(() => received.length === 5);
    expect(received).toEqual(["before", "one", "two", "three", "after"]);
    expect(gaps).toEqual([]);
  });
});
