/**
 * The standalone server: the page, the WebSocket and the demo's feed on one port, under a policy
 * for development. It prints nothing; `command.ts` does.
 */
import { createServer } from "node:http";
import type { Socket } from "node:net";
import type { OpenBroker } from "@tailwire/server";
import { DemoFeed } from "./demo-feed.ts";
import { DemoServer } from "./demo-server.ts";
import { answer, isLoopback, pathOf, refuseUpgrade } from "./http-answers.ts";
import { Listener } from "./listener.ts";
import { ThirdReaders } from "./third-readers.ts";
import { UserSockets } from "./user-sockets.ts";

const WEBSOCKET_PATH = "/tailwire";

export interface StandaloneOptions {
  /** 0 takes any free port; null the default one, or any free one where that is taken. */
  readonly port?: number | null | undefined;
  /** `127.0.0.1` where left out: nobody but this machine. */
  readonly host?: string | undefined;
  /** The directory of the logs. Null, and where left out: they are kept in memory. */
  readonly data?: string | null | undefined;
  /** Opens another broker, which keeps them instead: once, and again at each restart. */
  readonly broker?: OpenBroker | undefined;
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
  /** The directory of the logs; null where they are kept in memory, or by another broker. */
  readonly data: string | null;
  /** Closes every connection and stops listening. Resolves when all is done. */
  close(): Promise<void>;
}

/**
 * Starts the standalone server. Any token is the user's name, and `room:{id}` and `demo:{id}` are
 * open: good for trying things out, and for nothing else.
 *
 * @throws TailwireError `port_in_use`, `port_forbidden` or `bad_host`, and those of `diskBroker`.
 */
export async function startStandalone({
  port = 0,
  host = "127.0.0.1",
  data = null,
  broker,
}: StandaloneOptions = {}): Promise<Standalone> {
  const sockets = new UserSockets();
  const loopbackOnly = isLoopback(host);
  const http = createServer((request, response) => void answer(request, response, options));
  const listener: Listener = new Listener(http, host, () => demo.restart());
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
      demo.current.channel("demo:{id}", { id: `reader-of-${owner}` }).publish("sample", sample),
  });
  const demo: DemoServer = new DemoServer({ http, path: WEBSOCKET_PATH, readers, data, broker });
  try {
    await listener.open(port);
  } catch (error) {
    await demo.current.close();
    throw error;
  }
  const feed = new DemoFeed(
    (sample) => demo.current.channel("demo:{id}", { id: "machine" }).publish("sample", sample),
    () => demo.current.connections,
  );
  const address = `${urlHost(host)}:${listener.port}`;
  return {
    url: `http://${address}`,
    websocket: `ws://${address}${WEBSOCKET_PATH}`,
    port: listener.port,
    loopbackOnly,
    data,
    close: async () => {
      feed.stop();
      await readers.close();
      await listener.close(() => demo.current.close());
    },
  };
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
