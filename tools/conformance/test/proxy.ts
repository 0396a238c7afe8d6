/**
 * A proxy between the judge and a server, which passes everything on, refusals included, save what
 * its fault changes: so a good server looks broken in one way.
 */
import { createServer, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocket, WebSocketServer } from "ws";
import { listen } from "./support.ts";

export type Line = Readonly<Record<string, unknown>>;

/** The faults of one connection. Anything left out is passed on. */
export interface Fault {
  /** Replaces a message in JSON from the server. A string is sent as it is. */
  readonly fromServer?: (line: Line, text: string) => readonly (Line | string)[];
  /** Looks at what the client sends. */
  readonly fromClient?: (line: Line) => void;
  readonly closeCode?: (code: number) => number;
  /** Which subprotocol to claim, of those offered. */
  readonly chooses?: (offers: readonly string[], chosen: string) => string;
}

/** Gives the proxy's URL. */
export async function proxy(target: string, newFault: () => Fault): Promise<string> {
  const http = createServer();
  http.on("upgrade", (request: IncomingMessage, socket, head) => {
    socket.on("error", () => undefined);
    relay(request, socket, head, target, newFault());
  });
  const port = await listen(http);
  return `ws://127.0.0.1:${port}/tailwire`;
}

/** Headers of an upgrade that are the server's to judge. */
const PASSED = ["authorization", "origin", "content-length", "transfer-encoding"];

function relay(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  target: string,
  fault: Fault,
): void {
  const passed = PASSED.flatMap((name) => {
    const value = request.headers[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const offers = (request.headers["sec-websocket-protocol"] ?? "").split(/, */).filter(Boolean);
  const upstream = new WebSocket(new URL(request.url ?? "/", target), offers, {
    perMessageDeflate: false,
    protocolVersion: Number(request.headers["sec-websocket-version"]),
    headers: Object.fromEntries(passed),
  });
  socket.once("close", () => upstream.terminate());
  upstream.on("error", () => undefined);
  upstream.once("unexpected-response", (_request, response) => {
    let body = "";
    response.on("data", (chunk: Buffer) => (body += chunk.toString()));
    response.on("end", () => {
      const status = `${response.statusCode} ${response.statusMessage}`;
      socket.end(`HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    });
  });
  // Whatever comes before the judge is there waits in the socket.
  upstream.once("upgrade", () => upstream.pause());
  upstream.once("open", () => {
    const handleProtocols = (): string =>
      fault.chooses?.(offers, upstream.protocol) ?? upstream.protocol;
    const options = { noServer: true, perMessageDeflate: false, handleProtocols };
    new WebSocketServer(options).handleUpgrade(request, socket, head, (downstream) => {
      join(downstream, upstream, fault);
      upstream.resume();
    });
  });
}

function join(downstream: WebSocket, upstream: WebSocket, fault: Fault): void {
  downstream.on("message", (data: Buffer, binary) => {
    for (const line of data.toString().split("\n")) fault.fromClient?.(parsed(line));
    upstream.send(data, { binary });
  });
  upstream.on("message", (data: Buffer, binary) => {
    // Faults are written for JSON.
    if (binary) return downstream.send(data, { binary });
    const lines = data.toString().split("\n").filter(Boolean);
    const altered = lines.flatMap((text) => {
      const line = JSON.parse(text) as Line;
      const instead = fault.fromServer?.(line, text) ?? [text];
      return instead.map((one) => (typeof one === "string" ? one : JSON.stringify(one)));
    });
    if (altered.length > 0) downstream.send(`${altered.join("\n")}\n`);
  });
  downstream.on("ping", () => upstream.ping());
  downstream.on("error", () => undefined);
  downstream.on("close", (code, reason) => endWith(upstream, code, reason));
  upstream.on("close", (code, reason) => {
    endWith(downstream, fault.closeCode?.(code) ?? code, reason);
  });
}

function endWith(ws: WebSocket, code: number, reason: Buffer): void {
  // 1005 and 1006 stand for a close without a code; they can't be sent.
  if (code === 1005 || code === 1006) ws.terminate();
  else ws.close(code, reason);
}

function parsed(line: string): Line {
  try {
    return Object(JSON.parse(line)) as Line;
  } catch {
    return {};
  }
}
