/**
 * The client's ports on Node: with `ws` where it is installed, else the global WebSocket of Node
 * 22 and later. Only `ws` can tell a refused token from a network that is down.
 */
import { createRequire } from "node:module";
import { CLOSE_CODES } from "@tailwire/protocol";
import type { WebSocket as WsSocket } from "ws";
import type { Ports, Socket, SocketEvents } from "../ports.ts";
import { ports as standardPorts } from "./browser.ts";
import { base64urlText, clock, random } from "./clock.ts";

type WsConstructor = new (
  url: string,
  subprotocols: string[],
  options: { perMessageDeflate: boolean },
) => WsSocket;

let installed: WsConstructor | null | undefined;

/** `ws`, looked for when it is first needed, since it is optional. */
function findWs(): WsConstructor | null {
  if (installed === undefined) {
    try {
      installed = (createRequire(import.meta.url)("ws") as { WebSocket: WsConstructor }).WebSocket;
    } catch {
      installed = null;
    }
  }
  return installed;
}

export const ports: Ports = {
  clock,
  random,
  base64url: base64urlText,
  abort: () => new AbortController(),
  // A program is always awake as far as it can tell; that it slept shows in the clocks.
  life: () => () => undefined,
  connect: (url, subprotocols, events) => {
    const Ws = findWs();
    if (Ws === null && typeof WebSocket === "undefined") {
      throw new Error("missing_websocket: on Node 20, install ws beside @tailwire/client");
    }
    return Ws === null
      ? standardPorts.connect(url, subprotocols, events)
      : listen(new Ws(url, [...subprotocols], { perMessageDeflate: false }), events);
  },
};

/** How long a close may take before the socket is given up, in milliseconds. */
const CLOSE_MS = 3_000;

function listen(ws: WsSocket, events: SocketEvents): Socket {
  let refusedToken = false;
  ws.on("open", () => events.opened(ws.protocol));
  ws.on("message", (data, isBinary) => {
    events.received(isBinary ? (data as Buffer) : (data as Buffer).toString());
  });
  ws.on("unexpected-response", (request, response) => {
    refusedToken = response.statusCode === 401;
    request.destroy();
    ws.terminate();
  });
  // An error is always followed by a close.
  ws.on("error", () => undefined);
  ws.on("close", (code, reason) => {
    if (refusedToken) events.closed(CLOSE_CODES.unauthenticated.code, "unauthenticated");
    else events.closed(code, reason.toString());
  });
  return {
    send: (wire) => {
      if (ws.readyState === ws.OPEN) ws.send(wire);
    },
    close: (code, reason) => {
      ws.close(code, reason);
      // On a network that has gone silent nobody answers, and `ws` would wait for half a minute.
      const timer = setTimeout(() => ws.terminate(), CLOSE_MS).unref();
      ws.once("close", () => clearTimeout(timer));
    },
  };
}
