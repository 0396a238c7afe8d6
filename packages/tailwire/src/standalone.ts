/**
 * The standalone server: the page, the WebSocket and the demo's feed on one port, under a policy
 * for development. It prints nothing; `command.ts` does.
 */
import { createServer, type Server } from "node:http";
import type { Socket } from "node:net";
import { msgpackCodec } from "@tailwire/protocol/msgpack";
import { createTailwire, type TailwireServer } from "@tailwire/server";
import { DemoFeed } from "./demo-feed.ts";
import { answer, isLoopback, pathOf, refuseUpgrade } from "./http-answers.ts";
import { listen } from "./listen.ts";
import { UserSockets } from "./user-sockets.ts";

const WEBSOCKET_PATH = "/tailwire";

export interface StandaloneOptions {
  /** 0 takes any free port; null the default one, or any free one where that is taken. */
  readonly port?: number | null;
  /** `127.0.0.1` where left out: nobody but this machine. */
  readonly host?: string;
}

/** A standalone server that is listening. */
export interface Standalone {
  /** The page. */
  readonly url: string;
  /** What to give to `createClient`. */
  readonly websocket: string;
  readonly port: number;
  /** Whether only this machine can reach it. */
  readonly loopbackOnly: boolean;
  /** Closes every connection and stops listening. Resolves when all is done. */
  close(): Promise<void>;
}

/**
 * Starts the standalone server. Any token is the user's name, and `room:{id}` and `demo:{id}` are
 * open: good for trying things out, and for nothing else.
 *
 * @throws TailwireError `port_in_use`, `port_forbidden` or `bad_host`.
 */
export async function startStandalone({
  port = 0,
  host = "127.0.0.1",
}: StandaloneOptions = {}): Promise<Standalone> {
  const sockets = new UserSockets();
  const loopbackOnly = isLoopback(host);
  const options = { websocketPath: WEBSOCKET_PATH, loopbackOnly, sockets };
  const http = createServer((request, response) => void answer(request, response, options));
  http.on("upgrade", (request, socket: Socket) => {
    if (pathOf(request) === WEBSOCKET_PATH) sockets.note(request, socket);
    else refuseUpgrade(socket);
  });
  const server = createTailwire({
    authenticate: (_request, token) =>
      token === null || token === "" ? null : { user: { id: token } },
    channels: { "room:{id}": {}, "demo:{id}": {} },
    codecs: [msgpackCodec],
  }).attach(http, { path: WEBSOCKET_PATH });
  let actualPort: number;
  try {
    actualPort = await listen(http, host, port);
  } catch (error) {
    await server.close();
    throw error;
  }
  const machine = server.channel("demo:{id}", { id: "machine" });
  const feed = new DemoFeed(
    (sample) => machine.publish("sample", sample),
    () => server.connections,
  );
  const address = `${urlHost(host)}:${actualPort}`;
  return {
    url: `http://${address}`,
    websocket: `ws://${address}${WEBSOCKET_PATH}`,
    port: actualPort,
    loopbackOnly,
    close: () => close(http, server, feed),
  };
}

async function close(http: Server, server: TailwireServer, feed: DemoFeed): Promise<void> {
  feed.stop();
  const closed = new Promise<void>((resolve) => http.close(() => resolve()));
  await server.close();
  http.closeAllConnections();
  await closed;
}

/** The host as a URL names it. All addresses at once have none of their own: loopback is one. */
function urlHost(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}
