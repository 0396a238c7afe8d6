/** `ws`, as most applications use it: one `send` per client, of a buffer that is made once. */
import { createServer } from "node:http";
import { type WebSocket, WebSocketServer } from "ws";
import { Hub } from "./hub.ts";
import { listen } from "./life.ts";

const server = createServer();
const webSockets = new WebSocketServer({ server, clientTracking: false, perMessageDeflate: false });
const subscribers = new Map<string, Set<WebSocket>>();

function send(socket: WebSocket, line: Buffer): void {
  socket.send(line, { binary: false });
}

const hub = new Hub<WebSocket>({
  send,
  subscribe(socket, channel) {
    const known = subscribers.get(channel);
    if (known === undefined) subscribers.set(channel, new Set([socket]));
    else known.add(socket);
  },
  publish(channel, line) {
    const bytes = Buffer.from(line);
    for (const socket of subscribers.get(channel) ?? []) send(socket, bytes);
  },
});

function onMessage(this: WebSocket, data: unknown): void {
  hub.take(this, (data as Buffer).toString());
}

webSockets.on("connection", (socket) => socket.on("message", onMessage));
listen(server);
