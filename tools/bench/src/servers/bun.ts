/** Bun's own WebSocket server, with its native publish. Run by Bun, not by Node. */
import { Hub } from "./hub.ts";
import { announce } from "./life.ts";

interface BunSocket {
  subscribe(topic: string): void;
  send(data: string | Uint8Array): number;
}

interface BunServer {
  readonly port: number;
  upgrade(request: unknown): boolean;
  publish(topic: string, data: string): number;
}

/** The part of Bun's API that is used here. */
declare const Bun: {
  gc(synchronously: boolean): void;
  serve(options: {
    readonly hostname: string;
    readonly port: number;
    fetch(request: unknown, server: BunServer): unknown;
    readonly websocket: {
      readonly idleTimeout: number;
      /** Bytes that may wait for a slow client. Bun drops more, and the bench would wait for ever. */
      readonly backpressureLimit: number;
      message(socket: BunSocket, message: string | Uint8Array): void;
    };
  }): BunServer;
};

const hub = new Hub<BunSocket>({
  send: (socket, line) => socket.send(line.toString()),
  subscribe: (socket, channel) => socket.subscribe(channel),
  publish: (channel, line) => server.publish(channel, line),
});

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: (request, bun) => (bun.upgrade(request) ? undefined : new Response("upgrade")),
  websocket: {
    idleTimeout: 0,
    backpressureLimit: 1_073_741_824,
    message: (socket, message) => hub.take(socket, String(message)),
  },
});

globalThis.gc = async () => Bun.gc(true);
announce(server.port);
