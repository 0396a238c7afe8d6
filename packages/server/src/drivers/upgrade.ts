/**
 * WebSocket upgrades on Node: who may come in, decided before there is a connection.
 *
 * Each refusal is an HTTP status with a coded body. Browsers can't read those, so a browser's bad
 * token is told after the upgrade, by an `error` and a close that is final [AUTH-4].
 */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import {
  chooseSubprotocol,
  CLOSE_CODES,
  type Codec,
  PROTOCOL_LIMITS,
  tailwireError,
} from "@tailwire/protocol";
import { type WebSocket, WebSocketServer } from "ws";
import type { Authenticated } from "../access.ts";
import type { Newcomers } from "../newcomers.ts";
import type { TailwireNode } from "../node.ts";
import type { Tickets } from "../tickets.ts";
import { fromQuery, offersOf, tokenOf } from "./credentials.ts";
import { NodeTransport, wire } from "./socket.ts";

/** Fragments of one message: more are an attack, not a message. */
const FRAGMENTS_MAX = 64;
/** Chunks that `ws` may buffer before a frame is complete. */
const BUFFERED_CHUNKS_MAX = 1_024;

export interface UpgradeOptions {
  readonly node: TailwireNode;
  readonly path: string;
  /** Null where everybody may come. */
  readonly authenticate:
    | ((request: IncomingMessage, token: string | null) => Promise<Authenticated | null>)
    | null;
  readonly allowedOrigins: readonly string[] | null;
  /** Whether a token may come in the query, which tends to be logged on its way. */
  readonly tokenInQuery: boolean;
  /** What the server speaks. The client's order decides. */
  readonly codecs: readonly Codec[];
  readonly tickets: Tickets;
  readonly newcomers: Newcomers;
  /** Whose address a request has: a proxy's, where nobody knows better. */
  readonly addressOf: (request: IncomingMessage) => string;
}

/** An answer instead of an upgrade. */
interface Refusal {
  readonly status: string;
  readonly code: string;
  readonly description: string;
}

export class Upgrades {
  readonly #options: UpgradeOptions;
  readonly #webSockets: WebSocketServer;
  /** Upgrades whose `authenticate` is at work. */
  #pending = 0;
  #closed = false;

  constructor(options: UpgradeOptions) {
    this.#options = options;
    this.#webSockets = new WebSocketServer({
      maxPayload: options.node.limits.messageBytesMax,
      maxFragments: FRAGMENTS_MAX,
      maxBufferedChunks: BUFFERED_CHUNKS_MAX,
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      handleProtocols: (offers) => chooseSubprotocol(offers, options.codecs)?.subprotocol ?? false,
    });
  }

  /** Refuses what comes from now on. */
  close(): void {
    this.#closed = true;
  }

  /** Takes an upgrade of this path. False: it is another's. */
  take(request: IncomingMessage, socket: Socket, head: Buffer): boolean {
    if (pathOf(request) !== this.#options.path) return false;
    // Without a listener a reset during the handshake would end the process.
    socket.on("error", destroyThis);
    void this.#take(request, socket, head);
    return true;
  }

  async #take(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    const { node, codecs, newcomers, addressOf } = this.#options;
    const refuse = (refusal: Refusal): void => answer(socket, refusal, node);
    const codec = chooseSubprotocol(offersOf(request), codecs);
    const refusal = this.#refusal(request);
    if (refusal !== null) return refuse(refusal);
    if (codec === null) return refuse(unsupportedVersion(codecs));
    const known = newcomers.enter(addressOf(request));
    if (known === null) return refuse(UNAVAILABLE);
    socket.once("close", known);
    let authenticated: Authenticated | null;
    this.#pending += 1;
    try {
      authenticated = await this.#authenticate(request);
    } catch (error) {
      node.asTailwireError(error);
      return refuse(UNAVAILABLE);
    } finally {
      this.#pending -= 1;
    }
    if (socket.destroyed) return;
    if (this.#closed) return refuse(UNAVAILABLE);
    if (authenticated === null && !isBrowser(request)) return refuse(UNAUTHENTICATED);
    this.#webSockets.handleUpgrade(request, socket, head, (ws) => {
      // From here on `ws` listens to the socket itself, and two listeners take an array.
      socket.off("error", destroyThis);
      // Violations are closed by `ws` itself, with the right code; its close event follows.
      ws.on("error", ignore);
      if (authenticated === null) tellUnauthenticated(ws, node, codec);
      else this.#connect(ws, socket, authenticated, codec, known);
    });
  }

  #connect(
    ws: WebSocket,
    socket: Socket,
    authenticated: Authenticated,
    codec: Codec,
    known: () => void,
  ): void {
    socket.setNoDelay(true);
    const transport = new NodeTransport(ws, socket);
    const connection = this.#options.node.connect(transport, authenticated, codec);
    connection.onKnown = () => {
      socket.off("close", known);
      known();
    };
    wire(ws, connection);
  }

  #refusal(request: IncomingMessage): Refusal | null {
    const { node, allowedOrigins } = this.#options;
    // Those that are still asked who they are count as well: they hold a socket each.
    const taken = node.connections + this.#pending;
    if (this.#closed || taken >= node.limits.connectionsMax) return UNAVAILABLE;
    return isAllowedOrigin(request, allowedOrigins) ? null : FORBIDDEN_ORIGIN;
  }

  async #authenticate(request: IncomingMessage): Promise<Authenticated | null> {
    const { node, authenticate, tickets, tokenInQuery } = this.#options;
    const ticket = fromQuery(request, "ticket");
    if (ticket !== null) return tickets.take(ticket, request.headers.origin ?? null);
    if (authenticate === null) return ANONYMOUS;
    const token = tokenOf(request) ?? (tokenInQuery ? fromQuery(request, "token") : null);
    if (token !== null && token.length > PROTOCOL_LIMITS.tokenLengthMax) return null;
    return node.callHook("authenticate", () => authenticate(request, token));
  }
}

/** Handlers that are the same for all sockets, instead of one each. */
function destroyThis(this: Socket): void {
  this.destroy();
}

const ignore = (): void => undefined;

const ANONYMOUS: Authenticated = { user: { id: "anonymous" } };

const UNAVAILABLE: Refusal = {
  status: "503 Service Unavailable",
  code: "unavailable",
  description: "This node takes no connections now. Try again later.",
};

const UNAUTHENTICATED: Refusal = {
  status: "401 Unauthorized",
  code: "unauthenticated",
  description: "The token is missing or was refused. Get a fresh one, then connect again.",
};

const FORBIDDEN_ORIGIN: Refusal = {
  status: "403 Forbidden",
  code: "forbidden_origin",
  description: "Pages of this origin may not connect. The server's allowedOrigins says which may.",
};

function unsupportedVersion(codecs: readonly Codec[]): Refusal {
  const known = codecs.map(({ subprotocol }) => subprotocol).join(", ");
  const description = `Offer one of these as Sec-WebSocket-Protocol: ${known}.`;
  return { status: "400 Bad Request", code: "unsupported_version", description };
}

const NOT_FOUND: Refusal = {
  status: "404 Not Found",
  code: "not_found",
  description: "There is no WebSocket at this path.",
};

/** Answers an upgrade that nobody takes. */
export function refuseUnknownPath(socket: Socket, node: TailwireNode): void {
  socket.on("error", destroyThis);
  answer(socket, NOT_FOUND, node);
}

function answer(socket: Socket, { status, code, description }: Refusal, node: TailwireNode): void {
  node.counters.refused(code);
  const body = JSON.stringify({ code, description });
  // Whoever keeps its side open would keep the socket. Reading on lets the answer arrive: a socket
  // that is closed with unread input is reset.
  const cancel = node.ports.clock.after(node.limits.closeTimeoutMs, () => socket.destroy());
  socket.once("close", cancel);
  socket.resume();
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function tellUnauthenticated(ws: WebSocket, node: TailwireNode, codec: Codec): void {
  node.counters.refused("unauthenticated");
  const { code, description, fault, retry } = tailwireError("unauthenticated");
  const timestamp = node.ports.clock.now();
  ws.send(codec.encode({ type: "error", id: "s1", timestamp, code, description, fault, retry }));
  ws.close(CLOSE_CODES.unauthenticated.code, "unauthenticated");
  const cancel = node.ports.clock.after(node.limits.closeTimeoutMs, () => ws.terminate());
  ws.once("close", cancel);
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? "/").split("?", 1)[0] ?? "/";
}

/** Only browsers send an Origin, and they can't leave it out. */
function isBrowser(request: IncomingMessage): boolean {
  return request.headers.origin !== undefined;
}

/**
 * Without a list: the page's own host, and on this machine's loopback addresses any port, so that
 * a development server beside this one works.
 */
function isAllowedOrigin(request: IncomingMessage, allowed: readonly string[] | null): boolean {
  const { origin, host } = request.headers;
  if (origin === undefined) return true;
  if (allowed !== null) return allowed.includes(origin);
  if (!URL.canParse(origin)) return false;
  const page = new URL(origin);
  // As the page's own scheme reads it: there `:443` or `:80` may be left out, or not.
  const ownHost = `${page.protocol}//${host}`;
  if (!URL.canParse(ownHost)) return false;
  const here = new URL(ownHost);
  return page.host === here.host || (isLoopback(page.hostname) && isLoopback(here.hostname));
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}
