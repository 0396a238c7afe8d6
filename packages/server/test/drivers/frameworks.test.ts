// Attached beside other people's servers: theirs and ours both work, and neither disturbs the other.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { serve as serveHono } from "@hono/node-server";
import express from "express";
import Fastify from "fastify";
import { Hono } from "hono";
import { expect, test } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { createClient } from "@tailwire/client";
import { createTailwire } from "@tailwire/server";

/** A server of somebody else's, which answers `GET /hello` with "hello". */
interface Beside {
  readonly http: Server;
  close(): Promise<unknown>;
}

const listening = (http: Server): Promise<void> =>
  new Promise((resolve) => {
    http.listen(0, "127.0.0.1", resolve);
  });

const closed = (http: Server): Promise<void> =>
  new Promise((resolve) => {
    http.close(() => resolve());
    http.closeAllConnections();
  });

const besides: Readonly<Record<string, () => Promise<Beside>>> = {
  "plain http": async () => {
    const http = createServer((request, response) => {
      response.statusCode = request.url === "/hello" ? 200 : 404;
      response.end(request.url === "/hello" ? "hello" : "");
    });
    await listening(http);
    return { http, close: () => closed(http) };
  },
  Express: async () => {
    const app = express();
    app.get("/hello", (_request, response) => void response.send("hello"));
    const http = createServer(app);
    await listening(http);
    return { http, close: () => closed(http) };
  },
  Fastify: async () => {
    const app = Fastify();
    app.get("/hello", async () => "hello");
    await app.listen({ port: 0, host: "127.0.0.1" });
    return { http: app.server, close: () => app.close() };
  },
  Hono: async () => {
    const app = new Hono();
    app.get("/hello", (context) => context.text("hello"));
    const http = await new Promise<Server>((resolve) => {
      const options = { fetch: app.fetch, port: 0, hostname: "127.0.0.1" };
      const server: Server = serveHono(options, () => resolve(server)) as Server;
    });
    return { http, close: () => closed(http) };
  },
};

const portOf = (http: Server): number => (http.address() as AddressInfo).port;

async function get(http: Server, path: string): Promise<{ status: number; text: string }> {
  const response = await fetch(`http://127.0.0.1:${portOf(http)}${path}`);
  return { status: response.status, text: await response.text() };
}

/** Publishes, follows, and gives what came back. */
async function roundTrip(http: Server): Promise<unknown> {
  await using client = createClient(`ws://127.0.0.1:${portOf(http)}/tailwire`);
  const room = client.channel("room:{id}", { id: "1" });
  await using subscription = room.subscribe({ start: "earliest" });
  await room.publish("message", "through");
  for await (const { data } of subscription) return data;
  return null;
}

for (const [name, start] of Object.entries(besides)) {
  test(`beside ${name}, its routes and the WebSocket both work`, async () => {
    const beside = await start();
    const { http } = beside;
    const tailwire = createTailwire({ anonymous: true, channels: { "room:{id}": {} } }).attach(
      http,
    );
    expect(await get(http, "/hello")).toEqual({ status: 200, text: "hello" });
    expect(await roundTrip(http)).toBe("through");
    expect(await get(http, "/hello")).toEqual({ status: 200, text: "hello" });
    // The framework's paths stay the framework's, at our path too.
    expect((await get(http, "/tailwire")).status).toBe(404);
    await tailwire.close();
    expect(await get(http, "/hello")).toEqual({ status: 200, text: "hello" });
    await beside.close();
  });
}

test("beside another WebSocket server each takes its own path", async () => {
  const http = createServer();
  await listening(http);
  const theirs = new WebSocketServer({ noServer: true });
  http.on("upgrade", (request, socket, head) => {
    if (request.url !== "/theirs") return;
    theirs.handleUpgrade(request, socket, head, (ws) => ws.send("theirs"));
  });
  const tailwire = createTailwire({ anonymous: true, channels: { "room:{id}": {} } }).attach(http);
  const { WebSocket: Ws } = await import("ws");
  const socket: WebSocket = new Ws(`ws://127.0.0.1:${portOf(http)}/theirs`);
  const said = await new Promise<string>((resolve) => {
    socket.on("message", (data) => resolve((data as Buffer).toString()));
  });
  expect(said).toBe("theirs");
  expect(await roundTrip(http)).toBe("through");
  socket.terminate();
  await tailwire.close();
  await closed(http);
});

test("[CONN-7] alone, a plain request is told that this is a WebSocket, or that nothing is there", async () => {
  const http = createServer();
  await listening(http);
  const tailwire = createTailwire({ anonymous: true, channels: { "room:{id}": {} } }).attach(http);
  const here = await get(http, "/tailwire?token=x");
  expect(here.status).toBe(426);
  expect(here.text).toContain("proxy");
  expect((await get(http, "/elsewhere")).status).toBe(404);
  await tailwire.close();
  await closed(http);
});
