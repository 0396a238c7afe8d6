/**
 * The standalone server: the page, the WebSocket and the demo's feed on one port, under a policy
 * for development. It prints nothing; `command.ts` does.
 */
import { createServer } from "node:http";
import type { Socket } from "node:net";
import { msgpackCodec } from "@tailwire/protocol/msgpack";
import { createTailwire, type OpenBroker, type TailwireServer } from "@tailwire/server";
import { DemoFeed } from "./demo-feed.ts";
import { answer, isLoopback, pathOf, refuseUpgrade } from "./http-answers.ts";
import { Listener } from "./listener.ts";
import { ThirdReaders } from "./third-readers.ts";
import { UserSockets } from "./user-sockets.ts";

const WEBSOCKET_PATH = "/tailwire";

/** A page's load lasts for two minutes, and a reader may be slow for all of it and lose nothing. */
const DEMO_RETENTION = { count: 30_000, bytes: 12_582_912, maxAgeMs: 600_000 };

export interface StandaloneOptions {
  /** 0 takes any free port; null the default one, or any free one where that is taken. */
  readonly port?: number | null;
  /** `127.0.0.1` where left out: nobody but this machine. */
  readonly host?: string;
  /** Opens the broker that keeps the logs: in memory where left out. */
  readonly broker?: OpenBroker;
}

/** A standalone server that is listening. */
export interface Standalone {
  /** The page. */
  readonly url: string;
  /** The address to give to `createClient`. */
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
  broker,
}: StandaloneOptions = {}): Promise<Standalone> {
  const sockets = new UserSockets();
  const loopbackOnly = isLoopback(host);
  const http = createServer((request, response) => void answer(request, response, options));
  const listener = new Listener(http, host);
  const restart = (): void => listener.restart();
  const options = { websocketPath: WEBSOCKET_PATH, loopbackOnly, sockets, restart };
  http.on("upgrade", (request, socket: Socket) => {
    if (pathOf(request) === WEBSOCKET_PATH) sockets.note(request, socket);
    else refuseUpgrade(socket);
  });
  const readers: ThirdReaders = new ThirdReaders({
    address: () => ({ host: ownHost(host), port: listener.port }),
    path: WEBSOCKET_PATH,
    publish: async (owner, sample) =>
      server.channel("demo:{id}", { id: `reader-of-${owner}` }).publish("sample", sample),
  });
  const server = createDemo(readers, broker).attach(http, { path: WEBSOCKET_PATH });
  try {
    await listener.open(port);
  } catch (error) {
    await server.close();
    throw error;
  }
  const machine = server.channel("demo:{id}", { id: "machine" });
  const feed = new DemoFeed(
    (sample) => machine.publish("sample", sample),
    () => server.connections,
  );
  const address = `${urlHost(host)}:${listener.port}`;
  return {
    url: `http://${address}`,
    websocket: `ws://${address}${WEBSOCKET_PATH}`,
    port: listener.port,
    loopbackOnly,
    close: async () => {
      feed.stop();
      await readers.close();
      await listener.close(() => server.close());
    },
  };
}

/** The server with its policy for development. */
function createDemo(readers: ThirdReaders, broker: OpenBroker | undefined): TailwireServer {
  return createTailwire({
    authenticate: (_request, token) =>
      token === null || token === "" ? null : { user: { id: token } },
    channels: { "room:{id}": {}, "demo:{id}": { retention: DEMO_RETENTION } },
    codecs: [msgpackCodec],
    broker,
    requests: { "third-reader": (input, { user }) => readers.set(user.id, input) },
    onConnect: ({ user }) => readers.connected(user.id),
    onDisconnect: ({ user }) => readers.disconnected(user.id),
  });
}

/** The host as a URL names it. */
function urlHost(host: string): string {
  const own = ownHost(host);
  return own.includes(":") ? `[${own}]` : own;
}

/** The host as this machine reaches it. All addresses at once have none of their own: loopback is one. */
function ownHost(host: string): string {
  return host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
}
