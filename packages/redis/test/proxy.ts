// A proxy between a broker and Redis, on which a test can lose answers, cut, and switch over.
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  /** Whether it has subscribed to anything. */
  isForPushes: boolean;
}

export class Proxy {
  /** The port that it leads to. Connections that are open stay where they are. */
  target: number;
  /** Whether what Redis answers is thrown away, on connections for commands or for pushes. */
  mutes: "commands" | "pushes" | null = null;
  /** Called once, with the first bytes of a command whose text has it, before they go on. */
  #trap: { readonly text: string; readonly sprung: (pass: () => void) => void } | null = null;
  readonly #pairs = new Set<Pair>();
  readonly #server: Server;

  private constructor(target: number) {
    this.target = target;
    this.#server = createServer((client) => this.#accept(client)).listen(0, "127.0.0.1");
  }

  static async to(target: number): Promise<Proxy> {
    const proxy = new Proxy(target);
    await once(proxy.#server, "listening");
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Resolves with a way to let them pass when bytes with this text are on their way to Redis. */
  onTheWay(text: string): Promise<() => void> {
    return new Promise((sprung) => {
      this.#trap = { text, sprung };
    });
  }

  /** Cuts every connection. */
  cut(): void {
    for (const { client, server } of this.#pairs) {
      client.destroy();
      server.destroy();
    }
  }

  async end(): Promise<void> {
    this.#server.close();
    this.cut();
    await once(this.#server, "close");
  }

  #accept(client: Socket): void {
    const server = connect(this.target, "127.0.0.1");
    const pair = { client, server, isForPushes: false };
    this.#pairs.add(pair);
    const end = (): void => {
      this.#pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) socket.on("error", end).on("close", end);
    client.on("data", (bytes) => this.#up(pair, bytes));
    server.on("data", (bytes) => {
      const kind = pair.isForPushes ? "pushes" : "commands";
      if (this.mutes !== kind) client.write(bytes);
    });
  }

  #up(pair: Pair, bytes: Buffer): void {
    if (/subscribe/i.test(bytes.toString("latin1"))) pair.isForPushes = true;
    const pass = (): void => void pair.server.write(bytes);
    if (this.#trap === null || !bytes.includes(this.#trap.text)) return pass();
    const { sprung } = this.#trap;
    this.#trap = null;
    sprung(pass);
  }
}
