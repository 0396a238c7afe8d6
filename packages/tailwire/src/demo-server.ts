/**
 * The demo's server with its policy for development, and another in its place when it is restarted. It
 * knows where it is attached, and nothing of listening.
 */
import type { Server } from "node:http";
import { wordsOf } from "@tailwire/protocol";
import { msgpackCodec } from "@tailwire/protocol/msgpack";
import { createTailwire, diskBroker, type OpenBroker, type TailwireServer } from "@tailwire/server";
import type { ThirdReaders } from "./third-readers.ts";

/** A page's load lasts for two minutes, and a reader may be slow for all of it and lose nothing. */
const DEMO_RETENTION = { count: 30_000, bytes: 12_582_912, maxAgeMs: 600_000 };

export interface DemoServerOptions {
  readonly http: Server;
  /** The WebSocket's. */
  readonly path: string;
  readonly readers: ThirdReaders;
  /** The directory of the logs; null where they are kept in memory, or by the broker. */
  readonly data: string | null;
  /** Opens another broker, which keeps them instead. */
  readonly broker: OpenBroker | undefined;
}

export class DemoServer {
  readonly #options: DemoServerOptions;
  #current: TailwireServer;

  /** @throws as `createTailwire` and `diskBroker`. */
  constructor(options: DemoServerOptions) {
    this.#options = options;
    this.#current = opened(options);
  }

  /** The one that serves now. */
  get current(): TailwireServer {
    return this.#current;
  }

  /**
   * Closes the server and opens another, which goes on with the logs. In memory they would end with it, so
   * there it stays.
   *
   * @throws as the constructor, after it has said so. It may be called again.
   */
  async restart(): Promise<void> {
    const { data, broker } = this.#options;
    if (data === null && broker === undefined) return;
    await this.#current.close();
    try {
      this.#current = opened(this.#options);
    } catch (error) {
      console.error(`tailwire: it can't be restarted: ${wordsOf(error)}`);
      throw error;
    }
  }
}

function opened({ http, path, readers, data, broker }: DemoServerOptions): TailwireServer {
  const server = createTailwire({
    authenticate: (_request, token) =>
      token === null || token === "" ? null : { user: { id: token } },
    channels: { "room:{id}": {}, "demo:{id}": { retention: DEMO_RETENTION } },
    codecs: [msgpackCodec],
    requests: { "third-reader": (input, { user }) => readers.set(user.id, input) },
    onConnect: ({ user }) => readers.connected(user.id),
    onDisconnect: ({ user }) => readers.disconnected(user.id),
    broker: data === null ? broker : diskBroker({ directory: data }),
  });
  return server.attach(http, { path });
}
