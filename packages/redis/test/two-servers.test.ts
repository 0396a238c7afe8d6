// Two servers on one Redis, with real clients: one conversation, also when one of the two is gone.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createClient, type Client } from "@tailwire/client";
import { createTailwire } from "@tailwire/server";
import { expect, onTestFinished, test } from "vitest";
import { redisBroker } from "../src/index.ts";
import { Proxy } from "./proxy.ts";
import { RedisServer, until, withServers } from "./server.ts";

interface TestServer {
  readonly port: number;
  /** Its only way to Redis. */
  readonly line: Proxy;
}

async function startServer(redis: RedisServer): Promise<TestServer> {
  const line = await Proxy.to(redis.port);
  const web = createServer();
  const tailwire = createTailwire({
    authenticate: (_request, token) => (token === null ? null : { user: { id: token } }),
    channels: { "room:{id}": {} },
    broker: redisBroker({ url: line.url }),
    logger: { debug: none, info: none, warn: none, error: none },
  });
  tailwire.attach(web, { path: "/tailwire" });
  web.listen(0, "127.0.0.1");
  await once(web, "listening");
  onTestFinished(async () => {
    await tailwire.close();
    web.close();
    await line.end();
  });
  return { port: (web.address() as AddressInfo).port, line };
}

const none = (): void => undefined;

function clientAt(port: number, user: string): Client {
  const client = createClient(`ws://127.0.0.1:${port}/tailwire`, { getToken: () => user });
  onTestFinished(() => client.close());
  return client;
}

/** Publications that a client has received from a channel's beginning, and gaps. */
function heardBy(client: Client): unknown[] {
  const heard: unknown[] = [];
  const subscription = client.channel("room:1").subscribe({ start: "earliest" });
  subscription.on("said", ({ data }) => void heard.push(data));
  subscription.onGap(({ reason }) => void heard.push(reason));
  return heard;
}

const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);

withServers((program) => {
  test("[PUB-8] of two servers one is killed: each publication arrives once, in order", async () => {
    const redis = await RedisServer.start(program);
    onTestFinished(() => redis.end());
    const [first, second] = [await startServer(redis), await startServer(redis)];
    // A load balancer that has sent all its clients to the first.
    const door = await Proxy.to(first.port);
    onTestFinished(() => door.end());
    const ada = clientAt(door.port, "ada").channel("room:1");
    const heard = [heardBy(clientAt(door.port, "bob")), heardBy(clientAt(second.port, "cyd"))];
    for (const number of upTo(5)) await ada.publish("said", number);
    await until(() => heard.every(({ length }) => length === 5));
    // The first is gone in the middle of publications, as the rest of the world sees it.
    const publishing = [6, 7, 8, 9, 10].map((number) => ada.publish("said", number));
    [door.target, first.line.target] = [second.port, 1];
    first.line.cut();
    door.cut();
    await Promise.all(publishing);
    for (const number of [11, 12]) await ada.publish("said", number);
    await until(() => heard.every(({ length }) => length >= 12));
    expect(heard).toEqual([upTo(12), upTo(12)]);
  });
});
