/**
 * The network between a browser and a server: a TCP proxy that resets connections, or lets them
 * stand and loses all that is said on them. It reads nothing.
 */
import { connect, createServer, type Server, type Socket } from "node:net";
import { listen } from "../../src/listen.ts";

interface Link {
  readonly client: Socket;
  readonly server: Socket;
}

export class Network {
  readonly #server: Server;
  readonly #links = new Set<Link>();
  #port = 0;

  private constructor(target: number) {
    this.#server = createServer((client) => this.#join(client, connect(target, "127.0.0.1")));
  }

  /** A network before a port of this machine. */
  static async before(target: number): Promise<Network> {
    const network = new Network(target);
    network.#port = await listen(network.#server, "127.0.0.1", 0);
    return network;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Resets every connection; new ones are let through. */
  cut(): void {
    for (const { client, server } of this.#links) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
  }

  /** Lets every connection stand that there is, and loses what is said on it from now on. */
  fallSilent(): void {
    for (const { client, server } of this.#links) {
      client.unpipe(server).resume();
      server.unpipe(client).resume();
      // Neither side is to learn how the other fares.
      client.removeAllListeners("close");
      server.removeAllListeners("close");
    }
  }

  /** Resets every connection, and refuses new ones. */
  goAway(): void {
    this.#server.close();
    this.cut();
  }

  /** Lets new connections through again. */
  async comeBack(): Promise<void> {
    await listen(this.#server, "127.0.0.1", this.#port);
  }

  close(): void {
    if (this.#server.listening) this.#server.close();
    this.cut();
  }

  #join(client: Socket, server: Socket): void {
    const link = { client, server };
    this.#links.add(link);
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      // An error is always followed by a close.
      socket
        .on("error", () => undefined)
        .on("close", () => {
          this.#links.delete(link);
          client.resetAndDestroy();
          server.resetAndDestroy();
        });
    }
    client.pipe(server);
    server.pipe(client);
  }
}
