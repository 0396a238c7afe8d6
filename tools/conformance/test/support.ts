/** Support that the judge's tests share: the real server in this process, and its sockets to cut. */
import { createServer } from "node:http";
import type { AddressInfo, Server, Socket } from "node:net";
import { msgpackCodec } from "@tailwire/protocol/msgpack";
import { createTailwire } from "@tailwire/server";
import { onTestFinished } from "vitest";
import type { Subject } from "../src/stage.ts";

export interface Served {
  readonly subject: Subject;
  readonly url: string;
  /** The server's ends of its connections. */
  readonly sockets: ReadonlySet<Socket>;
}

/** Small, so that heartbeats, hello's deadline and retention can be judged in seconds. */
const limits = {
  pingIntervalMs: 1_000,
  pongTimeoutMs: 600,
  helloTimeoutMs: 1_500,
  subscriptionsMax: 40,
};

/** Serves `room:{id}` as the development server does, until the test ends. */
export async function serve(): Promise<Served> {
  const http = createServer();
  const sockets = new Set<Socket>();
  http.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  const tailwire = createTailwire({
    authenticate: (_request, token) =>
      token === null || token === "" ? null : { user: { id: token } },
    channels: { "room:{id}": { retention: { bytes: 2_500_000 } } },
    codecs: [msgpackCodec],
    limits,
  }).attach(http);
  const url = `ws://127.0.0.1:${await listen(http)}/tailwire`;
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await tailwire.close();
  });
  return { url, sockets, subject: subjectAt(url) };
}

export function subjectAt(url: string): Subject {
  return { url, token: "tester", channel: "room:{id}", slow: false };
}

/** Listens on a free loopback port until the test ends. */
export async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** Waits for a condition, a turn of the event loop at a time. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 15_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
