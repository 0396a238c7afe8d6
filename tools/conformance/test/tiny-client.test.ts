// The tiny client, written from PROTOCOL.md alone, misses and doubles nothing on the real server.
import { type Incoming, TinyClient } from "@tailwire-examples/tiny-client";
import { expect, onTestFinished, test } from "vitest";
import { proxy } from "./proxy.ts";
import { type Served, serve, until } from "./support.ts";

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

/** A client that reconnects at once, closed with the test. */
function connect(url: string): TinyClient {
  const client = new TinyClient(url, { token: "tiny", random: () => 0 });
  onTestFinished(() => client.close());
  return client;
}

/** Cuts every connection, as a pulled cable does. */
function cut({ sockets }: Served): number {
  const open = [...sockets];
  for (const socket of open) socket.destroy();
  return open.length;
}

test("the tiny client's publications arrive once and in order, however often it is cut", async () => {
  const server = await serve();
  const channel = "room:cut";
  const subscriber = connect(server.url);
  const publisher = connect(server.url);
  const told: Incoming[] = [];
  subscriber.follow(channel, "earliest", (message) => told.push(message));
  let cuts = 0;
  const acks = upTo(300).map(async (data) => {
    await until(() => told.length >= data - 20, "the publication 20 before");
    if (data % 60 === 0) cuts += cut(server);
    return publisher.publish(channel, "count", data);
  });
  const positions = await Promise.all(acks);
  await until(() => told.length >= 300, "all publications");
  expect(cuts).toBeGreaterThanOrEqual(5);
  expect(told.map(({ type }) => type)).toEqual(upTo(300).map(() => "publication"));
  expect(told.map(({ data }) => data)).toEqual(upTo(300));
  expect(told.map(({ offset }) => offset)).toEqual(positions.map(({ offset }) => offset));
});

test("the tiny client takes a repeat's ack for a publication whose first ack was lost", async () => {
  const server = await serve();
  let dropping = true;
  const url = await proxy(server.url, () => ({
    fromServer: (line, text) => {
      const lost = dropping && line.type === "ack";
      if (lost) queueMicrotask(() => cut(server));
      return lost ? [] : [text];
    },
    fromClient: (line) => {
      if ("repeat" in line) dropping = false;
    },
  }));
  const publisher = connect(url);
  const first = await publisher.publish("room:once", "count", 1);
  const second = await publisher.publish("room:once", "count", 2);
  expect([first.offset, second.offset]).toEqual([1, 2]);
});

test("the tiny client mends a broken chain by subscribing from its position", async () => {
  const server = await serve();
  let swallowed = false;
  const url = await proxy(server.url, () => ({
    fromServer: (line, text) => {
      if (line.offset !== 3 || swallowed) return [text];
      swallowed = true;
      return [];
    },
  }));
  const client = connect(url);
  const seen: unknown[] = [];
  client.follow("room:chain", "earliest", ({ data }) => seen.push(data));
  for (const data of upTo(5)) await client.publish("room:chain", "count", data);
  await until(() => seen.length >= 5, "all publications");
  expect(seen).toEqual(upTo(5));
  expect(swallowed).toBe(true);
});

test("the tiny client tells a gap, and goes on after it", async () => {
  const server = await serve();
  const client = connect(server.url);
  const told: string[] = [];
  const start = { epoch: "none", offset: 9, id: null };
  client.follow("room:gap", start, ({ type, reason }) => told.push(reason ?? type));
  await client.publish("room:gap", "count", 1);
  await until(() => told.length >= 2, "a gap and a publication");
  expect(told).toEqual(["epoch", "publication"]);
});

test("the tiny client rejects a refused publication with its code", async () => {
  const server = await serve();
  const client = connect(server.url);
  await expect(client.publish("nowhere:1", "count", 1)).rejects.toThrow("forbidden");
});

test("the tiny client answers pings, and stays", async () => {
  const server = await serve();
  const client = connect(server.url);
  await client.publish("room:stay", "count", 1);
  const [socket] = server.sockets;
  // Two pings without an answer and the timeout would take 2.6 s here.
  await new Promise((resolve) => setTimeout(resolve, 3_500)); // real time: the server's heartbeat
  expect(socket?.destroyed).toBe(false);
  await client.publish("room:stay", "count", 2);
});
