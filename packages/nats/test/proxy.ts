// A TCP proxy to one server, which can swallow what is sent in either direction, and cut its links.
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

export class Proxy {
  readonly #server: Server;
  readonly #links = new Set<{ readonly client: Socket; readonly server: Socket }>();
  /** The direction that is swallowed from now on. */
  swallows: "requests" | "answers" | null = null;

  readonly url: string;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `nats://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async to(port: number): Promise<Proxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const proxy = new Proxy(server);
    server.on("connection", (client) => proxy.#link(client, port));
    return proxy;
  }

  /** Cuts all links. New ones are let through. */
  cut(): void {
    for (const { client, server } of this.#links) {
      client.destroy();
      server.destroy();
    }
    this.#links.clear();
  }

  close(): void {
    this.#server.close();
    this.cut();
  }

  #link(client: Socket, port: number): void {
    const server = connect(port, "127.0.0.1");
    const link = { client, server };
    this.#links.add(link);
    for (const socket of [client, server]) {
      socket.on("error", () => undefined);
      socket.on("close", () => {
        client.destroy();
        server.destroy();
        this.#links.delete(link);
      });
    }
    client.on("data", (data) => {
      if (this.swallows !== "requests") server.write(data);
    });
    server.on("data", (data) => {
      if (this.swallows !== "answers") client.write(data);
    });
  }
}
