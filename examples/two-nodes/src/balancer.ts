/** The smallest load balancer there is: each connection goes to the next server that runs. */
import { type AddressInfo, connect, createServer, type Server } from "node:net";

export class Balancer {
  /** Ports of the servers that run. */
  readonly ports = new Set<number>();
  readonly #server: Server;
  #turn = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<Balancer> {
    const server = createServer();
    const balancer = new Balancer(server);
    server.on("connection", (client) => {
      const ports = [...balancer.ports];
      const port = ports[(balancer.#turn += 1) % ports.length];
      const node = connect(port ?? 0, "127.0.0.1");
      client.pipe(node).pipe(client);
      for (const [one, other] of [
        [client, node],
        [node, client],
      ] as const) {
        one.on("error", () => one.destroy());
        one.on("close", () => other.destroy());
      }
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return balancer;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/tailwire`;
  }

  close(): void {
    this.#server.close();
  }
}
