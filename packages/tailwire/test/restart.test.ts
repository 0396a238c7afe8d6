/** The listener's restart: every socket is dropped, and the port answers again. */
import { createServer, type Server } from "node:net";
import { once } from "node:events";
import { createClient } from "@tailwire/client";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { Listener } from "../src/listener.ts";
import { ask, codeOf, startForTest } from "./support.ts";

const patience = { timeout: 15_000, interval: 20 };

describe("a restart of the listener", () => {
  test("drops every connection, which comes back to the same log", async () => {
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
