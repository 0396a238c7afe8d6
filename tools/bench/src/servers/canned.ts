/**
 * A server for measuring clients: it sends publications to every subscriber as fast as the client
 * takes them, a fixed number per WebSocket message. It keeps no log.
 */
import { createServer } from "node:http";
import { type WebSocket, WebSocketServer } from "ws";
import { CHANNEL, payloadNow } from "../payload.ts";
import { listen } from "./life.ts";

const perMessage = Number(process.argv[3] ?? "1");

/** Bytes that wait in a socket at most before the server makes more. */
const WAITING_BYTES = 262_144;

const server = createServer();
const webSockets = new WebSocketServer({ server, perMessageDeflate: false });
const position = { epoch: "e", offset: 0, id: null };

/** Sends messages until the socket is full, and goes on a millisecond later. */
function stream(socket: WebSocket, from: number): void {
  let offset = from;
  while (socket.readyState === socket.OPEN && socket.bufferedAmount < WAITING_BYTES) {
    const lines: string[] = [];
    for (; lines.length < perMessage; offset += 1) {
      const id = `abcdefghijklmnopqrstuv/${offset}`;
      const envelope = { type: "publication", id, timestamp: 0, channel: CHANNEL, offset };
      const more = { event: "message", publisher: null, data: payloadNow() };
      lines.push(`${JSON.stringify({ ...envelope, ...more })}\n`);
    }
    socket.send(lines.join(""));
  }
  if (socket.readyState === socket.OPEN) setTimeout(() => stream(socket, offset), 1);
}

function answer(socket: WebSocket, line: string): void {
  const request = JSON.parse(line) as { readonly type: string; readonly id: string };
  const stamp = { id: "s1", timestamp: 0, re: request.id };
  const say = (fields: object): void => socket.send(`${JSON.stringify(fields)}\n`);
  if (request.type === "hello") {
    const heartbeat = { intervalMs: 600_000, timeoutMs: 10_000 };
    const limits = {
      messageBytesMax: 65_536,
      subscriptionsMax: 256,
      dedupeMs: 120_000,
      appendMs: 10_000,
      window: 256,
    };
    const about = { client: "client", node: "node", heartbeat, limits, features: [] };
    say({ type: "welcome", ...stamp, ...about });
  } else if (request.type === "subscribe") {
    say({ type: "ack", ...stamp, position });
    say({ type: "caughtup", id: "s2", timestamp: 0, channel: CHANNEL, position });
    stream(socket, 1);
  }
}

webSockets.on("connection", (socket) => {
  socket.on("message", (data) => {
    for (const line of (data as Buffer).toString().split("\n"))
      if (line !== "") answer(socket, line);
  });
});
webSockets.options.handleProtocols = (offers) => [...offers][0] ?? false;
listen(server);
