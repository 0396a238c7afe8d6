/**
 * The client's ports on Node: with `ws` where it is installed, else the global WebSocket of Node
 * 22 and later. Only `ws` can tell why a connection can't be made.
 */
import { CLOSE_CODES } from "@tailwire/protocol";
import type { WebSocket as WsSocket } from "ws";
import type { Ports, Socket, SocketEvents } from "../ports.ts";
import { ports as standardPorts } from "./browser.ts";
import { base64urlText, clock, random } from "./clock.ts";
import { findWs, PLACES } from "./find-ws.ts";
import { wordFor } from "./refused-upgrade.ts";

/** Looked for when it is first needed, since it is optional. */
let installed: ReturnType<typeof findWs> = null;

export const ports: Ports = {
  clock,
  random,
  base64url: base64urlText,
  abort: () => new AbortController(),
  // A program is always awake as far as it can tell; that it slept shows in the clocks.
  life: () => () => undefined,
  connect: (url, subprotocols, events) => {
    installed ??= findWs(PLACES);
    if (installed !== null) {
      return listen(new installed(url, [...subprotocols], { perMessageDeflate: false }), events);
    }
    return typeof WebSocket === "undefined"
      ? withoutWebSocket(events)
      : standardPorts.connect(url, subprotocols, events);
  },
};

/** Node 20 has no WebSocket of its own: there `ws` has to be installed. */
function withoutWebSocket(events: SocketEvents): Socket {
  clock.soon(() => events.closed(UNTOLD, "missing_websocket"));
  return { send: () => undefined, close: () => undefined };
}

/** The code of a connection that ended without one. */
const UNTOLD = 1006;

/** How long a close may take before the socket is given up, in milliseconds. */
const CLOSE_MS = 3_000;

function listen(ws: WsSocket, events: SocketEvents): Socket {
  let isOpen = false;
  /** Why it doesn't open: a code of the server, a status, or a code of the system. */
  let why = "";
  ws.on("open", () => {
    isOpen = true;
    events.opened(ws.protocol);
  });
  ws.on("message", (data, isBinary) => {
    events.received(isBinary ? (data as Buffer) : (data as Buffer).toString());
  });
  // Retry-After isn't looked at: the waits grow to half a minute without it [CLOSE-4].
  ws.on("unexpected-response", (_request, response) => {
    void wordFor(response).then((word) => {
      why = word;
      ws.terminate();
    });
  });
  // An error is always followed by a close.
  ws.on("error", (error: NodeJS.ErrnoException) => {
    why ||= error.code ?? "";
  });
  ws.on("close", (code, reason) => {
    const { code: refused } = CLOSE_CODES.unauthenticated;
    if (isOpen) events.closed(code, reason.toString());
    else events.closed(why === "unauthenticated" ? refused : UNTOLD, why);
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
