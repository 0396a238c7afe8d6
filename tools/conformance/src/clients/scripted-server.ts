/**
 * A server that does what a check says, and nothing by itself: it takes connections, keeps what
 * comes, and notes where a client breaks what holds on every connection.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type ClientMessage, jsonCodec, SUBPROTOCOL_JSON } from "@tailwire/protocol";
import { type WebSocket, WebSocketServer } from "ws";
import { type Breach, Broken, quote } from "../verdict.ts";

export type Type = ClientMessage["type"];
export type Of<T extends Type> = Extract<ClientMessage, { type: T }>;
export type Fields = Readonly<Record<string, unknown>>;

/** Waits for something, as often as it is told that it may have happened. */
class Watch {
  readonly #waiting = new Set<() => void>();

  wake(): void {
    for (const look of this.#waiting) look();
  }

  /** The thing found; undefined when it isn't, in time. */
  until<T>(find: () => T | undefined, ms: number): Promise<T | undefined> {
    return new Promise((resolve) => {
      const end = (found: T | undefined): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve(found);
      };
      const look = (): void => {
        const found = find();
        if (found !== undefined) end(found);
      };
      const timer = setTimeout(() => end(undefined), ms);
      this.#waiting.add(look);
      look();
    });
  }
}

/** One connection, as the server has it. */
export class Caller {
  readonly messages: ClientMessage[] = [];
  /** Bytes of all WebSocket messages so far. */
  bytes = 0;
  isGone = false;
  readonly #ws: WebSocket;
  readonly #watch: Watch;
  readonly #patienceMs: number;
  #count = 0;

  constructor(ws: WebSocket, watch: Watch, patienceMs: number, breaches: Breach[]) {
    this.#ws = ws;
    this.#watch = watch;
    this.#patienceMs = patienceMs;
    ws.on("message", (data: Buffer, isBinary) => {
      this.bytes += data.length;
      for (const decoded of jsonCodec.decodeClientMessages(isBinary ? data : data.toString())) {
        if ("malformed" in decoded) {
          breaches.push({
            clause: "MSG-1",
            note: `${decoded.malformed.detail}: ${quote(data.toString())}`,
          });
        } else if (decoded.message !== null) this.messages.push(decoded.message);
      }
      watch.wake();
    });
    ws.on("error", () => undefined);
    ws.on("close", () => {
      this.isGone = true;
      watch.wake();
    });
  }

  all<T extends Type>(type: T): Of<T>[] {
    return this.messages.filter((message): message is Of<T> => message.type === type);
  }

  /** Waits for the message of a type that is behind so many others of it. @throws Broken. */
  async message<T extends Type>(type: T, behind = 0): Promise<Of<T>> {
    const found = await this.#watch.until(() => this.all(type)[behind], this.#patienceMs);
    if (found === undefined) throw new Broken(`no ${type} ${behind + 1} came`);
    return found;
  }

  /** Whether a message of a type comes within so many milliseconds. */
  async comes(type: Type, behind: number, ms: number): Promise<boolean> {
    return (await this.#watch.until(() => this.all(type)[behind], ms)) !== undefined;
  }

  async gone(ms: number): Promise<boolean> {
    return (await this.#watch.until(() => this.isGone || undefined, ms)) !== undefined;
  }

  /** Says messages in one WebSocket message. Ids and timestamps are added. */
  say(...messages: readonly Fields[]): void {
    const lines = messages.map((fields) => {
      this.#count += 1;
      return JSON.stringify({ id: `j${this.#count}`, timestamp: Date.now(), ...fields });
    });
    this.#ws.send(`${lines.join("\n")}\n`);
  }

  close(code: number, reason: string): void {
    this.#ws.close(code, reason);
  }

  cut(): void {
    this.#ws.terminate();
  }

  /** Reads no more, so that nothing is answered, closes neither. */
  fallSilent(): void {
    this.#ws.pause();
  }
}

/** The offer of an upgrade. */
export interface Offer {
  readonly subprotocols: readonly string[];
  readonly authorization: string | undefined;
  /** By the clock that only goes forward. */
  readonly at: number;
}

export class ScriptedServer {
  readonly callers: Caller[] = [];
  readonly offers: Offer[] = [];
  readonly breaches: Breach[] = [];
  /** Upgrades are refused with 503. */
  isFull = false;
  /** Upgrades that are kept waiting; null while none is. */
  #held: (() => void)[] | null = null;
  readonly #http: Server;
  readonly #watch = new Watch();
  readonly #patienceMs: number;

  private constructor(http: Server, patienceMs: number) {
    this.#http = http;
    this.#patienceMs = patienceMs;
    const sockets = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      handleProtocols: () => SUBPROTOCOL_JSON,
    });
    http.on("upgrade", (request, socket, head) => {
      const header = request.headers["sec-websocket-protocol"] ?? "";
      const subprotocols = header.split(",").map((offer) => offer.trim());
      const { authorization } = request.headers;
      this.offers.push({ subprotocols, authorization, at: performance.now() });
      this.#watch.wake();
      socket.on("error", () => undefined);
      if (this.isFull) {
        socket.end("HTTP/1.1 503 Service Unavailable\r\n\r\n");
        return;
      }
      const admit = (): void =>
        sockets.handleUpgrade(request, socket, head, (ws) => {
          this.callers.push(new Caller(ws, this.#watch, this.#patienceMs, this.breaches));
          this.#watch.wake();
        });
      if (this.#held === null) admit();
      else this.#held.push(admit);
    });
  }

  static async start(patienceMs: number): Promise<ScriptedServer> {
    const http = createServer();
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    return new ScriptedServer(http, patienceMs);
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#http.address() as AddressInfo).port}/tailwire`;
  }

  /** Keeps upgrades waiting, until what it returns is called. */
  hold(): () => void {
    const held: (() => void)[] = [];
    this.#held = held;
    return () => {
      this.#held = null;
      for (const admit of held) admit();
    };
  }

  /** Waits for a connection, counted from 0. @throws Broken. */
  async caller(index: number): Promise<Caller> {
    const found = await this.#watch.until(() => this.callers[index], this.#patienceMs);
    if (found === undefined) throw new Broken(`connection ${index + 1} never came`);
    return found;
  }

  /** Whether a connection is asked for within so many milliseconds. */
  async isAsked(index: number, ms: number): Promise<boolean> {
    return (await this.#watch.until(() => this.offers[index], ms)) !== undefined;
  }

  stop(): void {
    for (const caller of this.callers) caller.cut();
    this.#http.close();
    this.#http.closeAllConnections();
  }
}
