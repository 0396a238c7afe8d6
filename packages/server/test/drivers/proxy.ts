// A TCP proxy that stands between client and server and does what networks do: it cuts, it falls
// silent in one direction while both ends stay open, and it passes only a part.
import { connect, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { listen } from "./support.ts";

export type Direction = "toServer" | "toClient";

/** One connection through the proxy. */
export interface Link {
  readonly number: number;
  readonly client: Socket;
  readonly server: Socket;
  /** Bytes that have come, passed on or not. */
  readonly bytes: Record<Direction, number>;
  /** Directions in which everything is swallowed. */
  readonly silent: Set<Direction>;
  open: boolean;
}

/** How much of a chunk is passed on before the link is cut; null for all of it, and no cut. */
export type Tap = (link: Link, direction: Direction, chunk: Buffer) => number | null;

export class Proxy {
  readonly links: Link[] = [];
  tap: Tap = () => null;
  /** Directions in which new links are silent from the start. */
  readonly silent = new Set<Direction>();
  /** The port that new links go to. */
  target: number;
  #port = 0;

  private constructor(target: number) {
    this.target = target;
  }

  /** A proxy before a port, closed with the test. */
  static async before(target: number): Promise<Proxy> {
    const proxy = new Proxy(target);
    const server = createServer((socket) => proxy.#accept(socket));
    proxy.#port = await listen(server);
    onTestFinished(() => proxy.cut());
    return proxy;
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#port}/tailwire`;
  }

  get open(): Link[] {
    return this.links.filter(({ open }) => open);
  }

  /** Resets all links. */
  cut(): void {
    for (const link of this.open) cutLink(link);
  }

  /** Swallows what comes on all links that are open now, and keeps both ends open. */
  fallSilent(...directions: readonly Direction[]): void {
    for (const { silent } of this.open) for (const direction of directions) silent.add(direction);
  }

  #accept(client: Socket): void {
    const server = connect(this.target, "127.0.0.1");
    const link: Link = {
      number: this.links.length,
      client,
      server,
      bytes: { toServer: 0, toClient: 0 },
      silent: new Set(this.silent),
      open: true,
    };
    this.links.push(link);
    this.#join(link, "toServer", client, server);
    this.#join(link, "toClient", server, client);
  }

  #join(link: Link, direction: Direction, from: Socket, to: Socket): void {
    from.setNoDelay(true);
    from.on("error", () => cutLink(link));
    from.on("data", (chunk: Buffer) => {
      link.bytes[direction] += chunk.length;
      if (!link.open || link.silent.has(direction)) return;
      const length = this.tap(link, direction, chunk);
      if (length === null) {
        if (!to.write(chunk)) from.pause();
      } else {
        to.write(chunk.subarray(0, length), () => cutLink(link));
        link.silent.add("toClient").add("toServer");
      }
    });
    to.on("drain", () => from.resume());
    // Where the end can't get through, the other side is not to learn of it.
    from.on("end", () => {
      if (!link.silent.has(direction)) to.end();
    });
    from.on("close", () => {
      if (!link.silent.has(direction)) cutLink(link);
    });
  }
}

function cutLink(link: Link): void {
  if (!link.open) return;
  link.open = false;
  link.client.resetAndDestroy();
  link.server.resetAndDestroy();
}
