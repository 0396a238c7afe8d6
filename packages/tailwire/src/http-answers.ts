/**
 * Answers to plain HTTP requests: files, the demo's two commands, and coded refusals for the rest.
 * WebSockets are `server.attach`'s business; one that arrives here has lost its Upgrade on the way.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { PLAIN_HEADERS, pageHeaders } from "./security-headers.ts";
import { readStaticFile } from "./static-files.ts";
import type { UserSockets } from "./user-sockets.ts";

export interface HttpOptions {
  readonly websocketPath: string;
  /** Whether only this machine can reach the server. */
  readonly loopbackOnly: boolean;
  readonly sockets: UserSockets;
  /** Drops every socket, and stops listening for a moment. */
  readonly restart: () => void;
}

interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly description: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers one request. It never rejects. */
export async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: HttpOptions,
): Promise<void> {
  const path = pathOf(request);
  if (path === options.websocketPath) return refuse(response, UPGRADE_REQUIRED);
  if (path === "/demo/cut") return cut(request, response, options);
  if (path === "/demo/restart") return restart(request, response, options);
  const file = await readStaticFile(path);
  if (file === null) return refuse(response, NOT_FOUND);
  if (request.method !== "GET" && request.method !== "HEAD") {
    return refuse(response, methodNotAllowed("GET, HEAD"));
  }
  const isPage = file.contentType.startsWith("text/html");
  const headers = isPage
    ? pageHeaders(file.body.toString(), request.headers.host ?? "")
    : PLAIN_HEADERS;
  response.writeHead(200, {
    ...headers,
    "Content-Type": file.contentType,
    "Content-Length": file.body.length,
  });
  response.end(request.method === "HEAD" ? undefined : file.body);
}

/** Cuts a user's connections, for the page of this very server and nobody else. */
function cut(
  request: IncomingMessage,
  response: ServerResponse,
  { loopbackOnly, sockets }: HttpOptions,
): void {
  if (request.method !== "POST") return refuse(response, methodNotAllowed("POST"));
  if (!isOwnPage(request, loopbackOnly)) return refuse(response, FORBIDDEN_ORIGIN);
  const user = new URLSearchParams(request.url?.split("?")[1]).get("user");
  if (user === null || user === "") return refuse(response, MISSING_USER);
  sendJson(response, 200, { cut: sockets.cut(user) });
}

/** Restarts the listener, for the page of this very server and nobody else. */
function restart(
  request: IncomingMessage,
  response: ServerResponse,
  { loopbackOnly, restart: restartListener }: HttpOptions,
): void {
  if (request.method !== "POST") return refuse(response, methodNotAllowed("POST"));
  if (!isOwnPage(request, loopbackOnly)) return refuse(response, FORBIDDEN_ORIGIN);
  // The answer has to have arrived before everything is reset.
  response.socket?.once("close", restartListener);
  sendJson(response, 202, { restarting: true }, { Connection: "close" });
}

/**
 * Whether a request comes from the page that this server gave out. On this machine the host must be
 * this machine, too: a name that somebody pointed here (DNS rebinding) has an Origin of its own.
 */
function isOwnPage({ headers }: IncomingMessage, loopbackOnly: boolean): boolean {
  const { origin, host } = headers;
  if (host === undefined || origin !== `http://${host}`) return false;
  return !loopbackOnly || (URL.canParse(origin) && isLoopback(new URL(origin).hostname));
}

/** Whether an address or a name is this machine's own and nobody else's. */
export function isLoopback(hostname: string): boolean {
  return /^(?:localhost|\[?::1\]?|127(?:\.\d{1,3}){3})$/.test(hostname);
}

/** The path as it was sent: nothing is decoded or resolved, and only what is listed is found. */
export function pathOf({ url = "/" }: IncomingMessage): string {
  return url.split("?", 1)[0] ?? "/";
}

/** How long a socket that was refused may stay, in milliseconds: long enough for the answer to arrive. */
const REFUSED_MS = 5_000;

/** Answers an upgrade at a path where there is no WebSocket. */
export function refuseUpgrade(socket: Socket): void {
  const { code, description } = NOT_FOUND;
  const body = `${JSON.stringify({ code, description })}\n`;
  socket.on("error", () => socket.destroy());
  // A client that keeps its side open would keep the socket, which shows its end only to those who read.
  const timer = setTimeout(() => socket.destroy(), REFUSED_MS).unref();
  socket.once("close", () => clearTimeout(timer)).resume();
  socket.end(
    "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Type: application/json\r\n" +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function refuse(response: ServerResponse, { status, code, description, headers }: Refusal): void {
  sendJson(response, status, { code, description }, headers);
}

function sendJson(
  response: ServerResponse,
  status: number,
  value: object,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = `${JSON.stringify(value)}\n`;
  response.writeHead(status, {
    ...PLAIN_HEADERS,
    ...headers,
    "Content-Type": "application/json",
    "Content-Length": Buffer.byteLength(body),
  });
  response.end(response.req.method === "HEAD" ? undefined : body);
}

const NOT_FOUND: Refusal = {
  status: 404,
  code: "not_found",
  description: "There is nothing here. The page is at /, the WebSocket at /tailwire.",
};

const UPGRADE_REQUIRED: Refusal = {
  status: 426,
  code: "upgrade_required",
  description:
    "This is the WebSocket, and the request didn't ask for one. If it should have, a proxy " +
    "between has dropped the Upgrade and Connection headers: configure it to pass them on.",
  headers: { Upgrade: "websocket", Connection: "Upgrade" },
};

const FORBIDDEN_ORIGIN: Refusal = {
  status: 403,
  code: "forbidden_origin",
  description: "Only this server's own page may do that.",
};

const MISSING_USER: Refusal = {
  status: 400,
  code: "missing_user",
  description: "Say whose connections to cut: /demo/cut?user=NAME.",
};

function methodNotAllowed(allowed: string): Refusal {
  return {
    status: 405,
    code: "method_not_allowed",
    description: `Only ${allowed} will do here.`,
    headers: { Allow: allowed },
  };
}
