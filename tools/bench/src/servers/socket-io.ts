/** Socket.IO with its rooms, over WebSocket only. */
import { createServer, type Server as HttpServer } from "node:http";
import { createRequire } from "node:module";
import { CHANNEL, type Payload, payloadNow } from "../payload.ts";
import { peerModules } from "../peers.ts";
import { listen } from "./life.ts";

interface IoSocket {
  join(room: string): void;
  on(event: "subscribe", listener: (channels: readonly string[]) => void): void;
  on(event: "publish", listener: (channel: string, data: Payload) => void): void;
  on(event: "turn", listener: (count: number) => void): void;
}

interface IoServer {
  on(event: "connection", listener: (socket: IoSocket) => void): void;
  to(room: string): { emit(event: string, data: unknown): void };
}

/** The part of Socket.IO's API that is used here. */
interface SocketIo {
  readonly Server: new (server: HttpServer, options: object) => IoServer;
}

const { Server } = createRequire(peerModules)("socket.io") as SocketIo;
const http = createServer();
const io = new Server(http, {
  transports: ["websocket"],
  serveClient: false,
  // No pings during a measurement, as with the other servers.
  pingInterval: 600_000,
});

io.on("connection", (socket) => {
  socket.on("subscribe", (channels) => channels.forEach((channel) => socket.join(channel)));
  socket.on("publish", (channel, data) => io.to(channel).emit("message", data));
  socket.on("turn", (count) => {
    for (let left = count; left > 0; left -= 1) io.to(CHANNEL).emit("message", payloadNow());
  });
});
listen(http);
