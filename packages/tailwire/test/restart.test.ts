/** The listener's restart: every socket is dropped, and the port answers again. */
import { createServer, type Server } from "node:net";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { type Client, createClient } from "@tailwire/client";
import { diskBroker, type OpenBroker } from "@tailwire/server";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { Listener } from "../src/listener.ts";
import { startStandalone } from "../src/standalone.ts";
import { ask, codeOf, startForTest, temporaryFolder } from "./support.ts";

const patience = { timeout: 15_000, interval: 20 };

describe("a restart of the listener", () => {
  test("with logs in memory drops every connection, which comes back to the same log", async () => {
    const standalone = await startForTest();
    const ada = createClient(standalone.websocket, { getToken: () => "ada" });
    onTestFinished(() => ada.close());
    const room = ada.channel("room:1");
    const before = await room.publish("said", "before");
    const states: string[] = [];
    ada.onStatus(({ state }) => states.push(state));
    const headers = { Origin: standalone.url };
    const reply = await ask(standalone, "/demo/restart", { method: "POST", headers });
    expect(reply.status).toBe(202);
    await vi.waitUntil(() => states.includes("reconnecting"), patience);
    const after = await room.publish("said", "after");
    expect(after.position.epoch).toBe(before.position.epoch);
    expect(after.position.offset).toBe(before.position.offset + 1);
    expect((await ask(standalone, "/")).status).toBe(200);
  });

  test("is for the server's own page, and by POST", async () => {
    const standalone = await startForTest();
    const stranger = { Origin: "http://evil.example" };
    const refused = await ask(standalone, "/demo/restart", { method: "POST", headers: stranger });
    expect(refused.status).toBe(403);
    expect(codeOf(refused)).toBe("forbidden_origin");
    const headers = { Origin: standalone.url };
    expect(codeOf(await ask(standalone, "/demo/restart", { headers }))).toBe("method_not_allowed");
  });

  test("ends with the server, when that is closed meanwhile", async () => {
    const standalone = await startForTest();
    const headers = { Origin: standalone.url };
    await ask(standalone, "/demo/restart", { method: "POST", headers });
    await standalone.close();
    await expect(ask(standalone, "/")).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });
});

/** A client that follows a room from its beginning, and what it was told. */
function follower(websocket: string): { client: Client; told: unknown[]; gaps: unknown[] } {
  const client = createClient(websocket, { getToken: () => "ada" });
  onTestFinished(() => client.close());
  const told: unknown[] = [];
  const gaps: unknown[] = [];
  const subscription = client.channel("room:1").subscribe({ start: "earliest" });
  subscription.on("said", ({ data }) => void told.push(data));
  subscription.onGap((gap) => void gaps.push(gap));
  return { client, told, gaps };
}

describe("a restart with logs on disk", () => {
  test("is another server that goes on with the log: nobody sees a gap", async () => {
    const standalone = await startForTest({ data: temporaryFolder() });
    const { client, told, gaps } = follower(standalone.websocket);
    const room = client.channel("room:1");
    const before = await room.publish("said", 1);
    const states: string[] = [];
    client.onStatus(({ state }) => states.push(state));
    const headers = { Origin: standalone.url };
    await ask(standalone, "/demo/restart", { method: "POST", headers });
    await vi.waitUntil(() => states.includes("reconnecting"), patience);
    const after = await Promise.all([room.publish("said", 2), room.publish("said", 3)]);
    expect(after.map(({ position }) => [position.epoch, position.offset])).toEqual([
      [before.position.epoch, 2],
      [before.position.epoch, 3],
    ]);
    await vi.waitUntil(() => told.length === 3, patience);
    expect({ told, gaps }).toEqual({ told: [1, 2, 3], gaps: [] });
  });

  test("opens a given broker anew, which goes on with its log", async () => {
    const open = diskBroker({ directory: temporaryFolder() });
    let opened = 0;
    const broker: OpenBroker = (host) => {
      opened += 1;
      return open(host);
    };
    const standalone = await startForTest({ broker });
    const { client, told, gaps } = follower(standalone.websocket);
    const room = client.channel("room:1");
    await room.publish("said", 1);
    const states: string[] = [];
    client.onStatus(({ state }) => states.push(state));
    const headers = { Origin: standalone.url };
    await ask(standalone, "/demo/restart", { method: "POST", headers });
    await vi.waitUntil(() => states.includes("reconnecting"), patience);
    await room.publish("said", 2);
    await vi.waitUntil(() => told.length === 2, patience);
    expect({ told, gaps, opened }).toEqual({ told: [1, 2], gaps: [], opened: 2 });
  });

  test("of the whole process, on the same directory, is no gap either", async () => {
    const data = temporaryFolder();
    const first = await startStandalone({ port: 0, data });
    const { client, told, gaps } = follower(first.websocket);
    await client.channel("room:1").publish("said", 1);
    await first.close();
    const waiting = client.channel("room:1").publish("said", 2);
    await startForTest({ port: first.port, data });
    await waiting;
    await vi.waitUntil(() => told.length === 2, patience);
    expect({ told, gaps }).toEqual({ told: [1, 2], gaps: [] });
  });

  test("leaves nobody with the directory, when the server is closed meanwhile", async () => {
    const data = temporaryFolder();
    const standalone = await startForTest({ data });
    const headers = { Origin: standalone.url };
    await ask(standalone, "/demo/restart", { method: "POST", headers });
    await standalone.close();
    await (await startStandalone({ port: 0, data })).close();
    expect(readdirSync(data).filter((name) => name.startsWith("lock"))).toEqual([]);
  });
});

/** A server that only listens, on a free port. */
async function listenOnFreePort(server: Server): Promise<Listener> {
  const listener = new Listener(server, "127.0.0.1");
  await listener.open(0);
  onTestFinished(() => listener.close());
  return listener;
}

describe("the listener", () => {
  test("waits for its port, when somebody else has taken it while it was away", async () => {
    const server = createServer();
    const listener = await listenOnFreePort(server);
    const closed = once(server, "close");
    listener.restart();
    await closed;
    const other = createServer();
    other.listen(listener.port, "127.0.0.1");
    await once(other, "listening");
    await once(server, "error");
    expect(server.listening).toBe(false);
    other.close();
    await once(server, "listening");
    expect(server.listening).toBe(true);
  });

  test("goes away once, however often it is told to", async () => {
    const server = createServer();
    const listener = await listenOnFreePort(server);
    let closes = 0;
    server.on("close", () => {
      closes += 1;
    });
    const back = once(server, "listening");
    listener.restart();
    listener.restart();
    await back;
    expect(closes).toBe(1);
  });
});
