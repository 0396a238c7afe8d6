/**
 * The listener: where the server is reached, and its going away for a moment as in a restart. It
 * sees sockets, and neither requests nor WebSockets.
 */
import type { Server, Socket } from "node:net";
import { listen } from "./listen.ts";

/** How long nobody answers, in milliseconds. */
const AWAY_MS = 1_000;

export class Listener {
  readonly #server: Server;
  readonly #host: string;
  readonly #whileAway: () => Promise<void>;
  readonly #sockets = new Set<Socket>();
  #port = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Null while it is open. */
  #away: Promise<void> | null = null;
  /** The last step of a restart. */
  #coming: Promise<void> | null = null;
  #closed = false;

  /** `whileAway` does what else a restart takes; it is called again where it rejects. */
  constructor(server: Server, host: string, whileAway = async (): Promise<void> => undefined) {
    this.#server = server;
    this.#host = host;
    this.#whileAway = whileAway;
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  get port(): number {
    return this.#port;
  }

  /**
   * Listens. Null asks for the default port, or for any where that is taken.
   *
   * @throws TailwireError `port_in_use`, `port_forbidden` or `bad_host`.
   */
  async open(port: number | null): Promise<void> {
    this.#port = await listen(this.#server, this.#host, port);
  }

  /** Drops every socket and stops listening; a second later it listens again, at the same port. */
  restart(): void {
    if (this.#away !== null || this.#closed) return;
    this.#away = this.#leave();
    void this.#away.then(() => this.#comeBackLater());
  }

  /**
   * Stops listening for good. An owner of sockets closes them in `farewell`; those that are still
   * there after it, of whatever kind and however busy, are dropped.
   */
  async close(farewell = async (): Promise<void> => undefined): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    const stopped = this.#away ?? this.#stopListening();
    await this.#coming;
    await farewell();
    for (const socket of this.#sockets) socket.destroy();
    await stopped;
  }

  #comeBackLater(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      // Somebody else may have taken the port meanwhile: it is waited for.
      this.#coming = this.#comeBack().catch(() => this.#comeBackLater());
    }, AWAY_MS);
  }

  async #comeBack(): Promise<void> {
    await this.#whileAway();
    if (this.#closed) return;
    await this.open(this.#port);
    this.#away = null;
    if (this.#closed) this.#server.close();
  }

  #leave(): Promise<void> {
    const stopped = this.#stopListening();
    for (const socket of this.#sockets) socket.resetAndDestroy();
    return stopped;
  }

  #stopListening(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}
