/**
 * A TCP line from this machine to an address, which can be made slow towards the client: what a reader on
 * a bad network is to the server. It doesn't know what travels on it.
 */
import { connect, createServer, type Server, type Socket } from "node:net";
import { listen } from "./listen.ts";

/** How often a slow line lets something through. */
const STEP_MS = 100;
/** How much at a time. With the above it is 5 KiB a second, an eighth of the page's load. */
const STEP_BYTES = 512;

/** Where something listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

export class SlowLine {
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #timer: NodeJS.Timeout | undefined;
  #port = 0;

  private constructor(address: Address) {
    this.#server = createServer((client) => this.#join(client, connect({ ...address })));
  }

  /** A line to an address. */
  static async to(address: Address): Promise<SlowLine> {
    const line = new SlowLine(address);
    line.#port = await listen(line.#server, "127.0.0.1", 0);
    return line;
  }

  /** Where to connect to instead. */
  get port(): number {
    return this.#port;
  }

  get slow(): boolean {
    return this.#timer !== undefined;
  }

  set slow(slow: boolean) {
    if (slow === this.slow) return;
    clearInterval(this.#timer);
    this.#timer = slow ? setInterval(() => this.#pump(STEP_BYTES), STEP_MS) : undefined;
    if (!slow) this.#pump(Infinity);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#server.close();
    for (const { client, server } of this.#pairs) {
      client.destroy();
      server.destroy();
    }
  }

  #join(client: Socket, server: Socket): void {
    const pair = { client, server };
    this.#pairs.add(pair);
    const ended = (): void => {
      this.#pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      // An error is always followed by a close.
      socket.on("error", () => undefined).on("close", ended);
    }
    client.pipe(server);
    const pump = (): void => {
      if (!this.slow) pass(pair, Infinity);
    };
    server.on("readable", pump);
    client.on("drain", pump);
  }

  #pump(bytesMax: number): void {
    for (const pair of this.#pairs) pass(pair, bytesMax);
  }
}

/** The two ends of one connection. */
interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

/**
 * Hands on what the server has said. Bytes that aren't read here fill the kernel, which takes 4 MB on
 * Linux's loopback; from then on the server's socket doesn't drain.
 */
function pass({ client, server }: Pair, bytesMax: number): void {
  let left = bytesMax;
  while (left > 0 && !client.writableNeedDrain) {
    const length = Math.min(left, server.readableLength);
    const chunk = (length === 0 ? server.read() : server.read(length)) as Buffer | null;
    if (chunk === null) return;
    client.write(chunk);
    left -= chunk.length;
  }
}
