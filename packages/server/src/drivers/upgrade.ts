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
  TailwireError,
  tailwireError,
} from "@tailwire/protocol";
import { type ServerOptions, type WebSocket, WebSocketServer } from "ws";
import { Admitted } from "../access/admitted.ts";
import type { Connection } from "../connection/connection.ts";
import { inWords, Mistake } from "../support/mistake.ts";
import type { Newcomers } from "../access/newcomers.ts";
import type { TailwireNode } from "../node.ts";
import { errorOf } from "../support/thrown.ts";
import type { Tickets } from "../access/tickets.ts";
import { fromQuery, offersOf, tokenOf } from "./credentials.ts";
import { handshakeFault, type Refusal } from "./handshake.ts";
import type { Origins } from "./origins.ts";
import { NodeTransport, readFarewell, wire } from "./socket.ts";

/** Fragments of one message: more are an attack, not a message. */
const FRAGMENTS_MAX = 64;
/** Chunks that `ws` may buffer before a frame is complete. */
const BUFFERED_CHUNKS_MAX = 1_024;

export interface UpgradeOptions {
  readonly node: TailwireNode;
  /** Null where everybody may come. */
  readonly authenticate: ((request: IncomingMessage, token: string | null) => unknown) | null;
  readonly origins: Origins;
  /** Whether a token may come in the query, which tends to be logged on its way. */
  readonly tokenInQuery: boolean;
  /** Codecs that the server speaks. The client's order decides. */
  readonly codecs: readonly Codec[];
  readonly tickets: Tickets;
  readonly newcomers: Newcomers;
  /** Whose address a request has, where the application knows better than the socket. */
  readonly clientAddress: ((request: IncomingMessage) => unknown) | null;
}

/** Somebody, or why nobody comes in: an error that a browser is told as well [AUTH-4], or a refusal. */
type Verdict = Admitted | TailwireError | Refusal;

export class Upgrades {
  readonly #options: UpgradeOptions;
  readonly #webSockets: WebSocketServer;
  /** Upgrades that the application is asked about. */
  #pending = 0;
  #closed = false;

  constructor(options: UpgradeOptions) {
    this.#options = options;
    const own: ServerOptions & { readonly closeTimeout: number } = {
      // As much comes before a client has heard of any limit [CONN-4].
      maxPayload: Math.max(options.node.limits.messageBytesMax, PROTOCOL_LIMITS.firstBytesMax),
      closeTimeout: options.node.limits.closeTimeoutMs,
      maxFragments: FRAGMENTS_MAX,
      maxBufferedChunks: BUFFERED_CHUNKS_MAX,
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      handleProtocols: (offers) => chooseSubprotocol(offers, options.codecs)?.subprotocol ?? false,
    };
    this.#webSockets = new WebSocketServer(own);
  }

  /** Whether it refuses everything, so that its path may be another's. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Refuses what comes from now on. */
  close(): void {
    this.#closed = true;
  }

  /** Takes an upgrade. Whatever goes wrong with it is this socket's end and nobody else's. */
  accept(request: IncomingMessage, socket: Socket, head: Buffer): void {
    // Without a listener a reset during the handshake would end the process.
    socket.on("error", destroyThis);
    this.#accept(request, socket, head).catch((thrown: unknown) => {
      this.#options.node.report(thrown);
      socket.destroy();
    });
  }

  /** Answers an upgrade of a path that nobody serves. */
  refuseUnknown(request: IncomingMessage, socket: Socket, served: readonly string[]): void {
    const { node } = this.#options;
    const path = printable(pathOf(request));
    const words = `a WebSocket was asked for at "${path}", and is served at ${served.join(", ")}`;
    node.warnOnce("path", words, { path });
    socket.on("error", destroyThis);
    answer(socket, NOT_FOUND, node);
  }

  async #accept(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    const { node, codecs } = this.#options;
    const codec = chooseSubprotocol(offersOf(request), codecs);
    const refusal = this.#refusal(request);
    if (refusal !== null) return answer(socket, refusal, node);
    if (codec === null) return answer(socket, unsupportedVersion(codecs), node);
    // The application may change the request that it is shown.
    const fromBrowser = request.headers.origin !== undefined;
    let known = ignore;
    this.#pending += 1;
    const judged = await this.#judge(request, socket, (leave) => {
      known = leave;
      socket.once("close", leave);
    });
    this.#pending -= 1;
    if (socket.destroyed) return;
    const verdict = this.#closed ? UNAVAILABLE : judged;
    if ("status" in verdict) return answer(socket, verdict, node);
    const refused = verdict instanceof TailwireError;
    if (refused && !fromBrowser) return answer(socket, unauthenticated(verdict), node);
    const ws = this.#upgrade(request, socket, head);
    if (ws === null) return;
    if (refused) return tellRefused(ws, socket, node, codec, verdict);
    const connection = this.#connect(ws, socket, codec, verdict);
    connection.onKnown = () => {
      socket.off("close", known);
      known();
    };
  }

  #connect(ws: WebSocket, socket: Socket, codec: Codec, admitted: Admitted): Connection {
    socket.setNoDelay(true);
    const transport = new NodeTransport(ws, socket);
    const connection = this.#options.node.connect(transport, admitted, codec);
    wire(ws, socket, connection);
    return connection;
  }

  /** Null: it was no handshake, and `ws` has said so; or somebody else has taken the socket. */
  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): WebSocket | null {
    const { node } = this.#options;
    let upgraded: WebSocket | null = null;
    try {
      if (socket.writableEnded) throw new Error("the socket was ended by another listener");
      this.#webSockets.handleUpgrade(request, socket, head, (ws) => {
        upgraded = ws;
        // From here on `ws` listens to the socket itself, and two listeners take an array.
        socket.off("error", destroyThis);
        // Violations are closed by `ws` itself, with the right code; its close event follows.
        ws.on("error", ignore);
      });
      if (upgraded === null) destroyLater(socket, node);
    } catch (thrown) {
      node.warnOnce("upgrade", TAKEN_TWICE, { path: pathOf(request), error: errorOf(thrown) });
      socket.destroy();
    }
    return upgraded;
  }

  #refusal(request: IncomingMessage): Refusal | null {
    const { node, origins } = this.#options;
    // Pending upgrades, whose user is still being asked for, count as well: they hold a socket each.
    const taken = node.connections + this.#pending;
    if (this.#closed || taken >= node.limits.connectionsMax) return UNAVAILABLE;
    const fault = handshakeFault(request);
    if (fault !== null) return fault;
    if (origins.allow(request.headers)) return null;
    const origin = printable(request.headers.origin ?? "");
    const words = `a page of "${origin}" was refused: allowedOrigins says which may connect`;
    node.warnOnce("origin", words, { origin });
    return FORBIDDEN_ORIGIN;
  }

  /** Asks the application for the user. Its result or error is a verdict, in any case. */
  async #judge(
    request: IncomingMessage,
    socket: Socket,
    entered: (leave: () => void) => void,
  ): Promise<Verdict> {
    const { node, newcomers } = this.#options;
    try {
      const leave = newcomers.enter(await this.#addressOf(request, socket));
      if (leave === null) return UNAVAILABLE;
      entered(leave);
      const admitted = await this.#authenticate(request);
      if (admitted === null) return tailwireError("unauthenticated");
      return node.hasEnded(admitted) ? TOKEN_EXPIRED : admitted;
    } catch (thrown) {
      const error = node.report(thrown);
      // An error that is not the application's own was logged just now.
      if (thrown !== error) return UNCHECKED;
      const isFinal = error.fault === "client" && !error.retry;
      return isFinal ? error : { ...wordsOf(error), status: UNAVAILABLE.status };
    }
  }

  async #addressOf(request: IncomingMessage, socket: Socket): Promise<string> {
    const { node, clientAddress } = this.#options;
    if (clientAddress === null) return socket.remoteAddress ?? "";
    const address = await node.callHook("clientAddress", () => clientAddress(request));
    if (typeof address === "string") return address;
    const words = `clientAddress gave ${inWords(address)}: expected text`;
    throw new Mistake("clientAddress", words);
  }

  async #authenticate(request: IncomingMessage): Promise<Admitted | null> {
    const { node, authenticate, tickets, tokenInQuery } = this.#options;
    const ticket = fromQuery(request, "ticket");
    if (ticket !== null) return tickets.redeem(ticket, request.headers.origin ?? null);
    if (authenticate === null) return ANONYMOUS;
    const token = tokenOf(request) ?? (tokenInQuery ? fromQuery(request, "token") : null);
    if (token !== null && token.length > PROTOCOL_LIMITS.tokenLengthMax) return null;
    const given = await node.callHook("authenticate", () => authenticate(request, token));
    return Admitted.by("authenticate", given);
  }
}

/** Handlers that are the same for all sockets, instead of one each. */
function destroyThis(this: Socket): void {
  this.destroy();
}

const ignore = (): void => undefined;

const ANONYMOUS = Admitted.by("anonymous", { user: { id: "anonymous" } });

const TAKEN_TWICE =
  "an upgrade was answered by somebody else as well: another WebSocket server on this HTTP server " +
  "takes every path. Make it with noServer: true, and give it the upgrades of its own path";

const UNAVAILABLE: Refusal = {
  status: "503 Service Unavailable",
  code: "unavailable",
  description: "This node takes no connections now. Try again later.",
};

const UNCHECKED: Refusal = {
  ...UNAVAILABLE,
  description: "Nobody could say who this is; the server's log says why. Try again later.",
};

/** Not final: the same client may have a fresh one the next time, as after 4410. */
const TOKEN_EXPIRED = new TailwireError({
  code: "token_expired",
  description: "The token has ended. Get a fresh one, then connect again.",
  fault: "client",
  retry: true,
});

function unauthenticated(error: TailwireError): Refusal {
  return { ...wordsOf(error), status: "401 Unauthorized" };
}

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

function answer(socket: Socket, refusal: Refusal, node: TailwireNode): void {
  const { status, code, description, header = "" } = refusal;
  node.counters.refused(code);
  const body = JSON.stringify({ code, description });
  destroyLater(socket, node);
  socket.end(
    `HTTP/1.1 ${status}\r\n${header}Connection: close\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

/** A client that keeps its side open would keep the socket. */
function destroyLater(socket: Socket, node: TailwireNode): void {
  const cancel = node.ports.clock.after(node.limits.closeTimeoutMs, () => socket.destroy());
  socket.once("close", cancel);
  readFarewell(socket);
}

function wordsOf({ code, description }: TailwireError): Pick<Refusal, "code" | "description"> {
  return { code, description };
}

function tellRefused(
  ws: WebSocket,
  socket: Socket,
  node: TailwireNode,
  codec: Codec,
  error: TailwireError,
): void {
  node.counters.refused(error.code);
  const { code, description, fault, retry } = error;
  const timestamp = node.ports.clock.now();
  ws.send(codec.encode({ type: "error", id: "s1", timestamp, code, description, fault, retry }));
  const name = error === TOKEN_EXPIRED ? "token_expired" : "unauthenticated";
  ws.close(CLOSE_CODES[name].code, name);
  readFarewell(socket);
  const cancel = node.ports.clock.after(node.limits.closeTimeoutMs, () => ws.terminate());
  ws.once("close", cancel);
}

/** A request's path, as it was sent. */
export function pathOf({ url = "/" }: IncomingMessage): string {
  return url.split("?", 1)[0] ?? "/";
}

/** Text from a stranger, made fit for a line of the log. */
function printable(text: string): string {
  return text.slice(0, 256).replaceAll(/[^ -~]/g, "?");
}
