/**
 * The client's ports on Node: with `ws` where it is installed, else the global WebSocket of Node
 * 22 and later. Only `ws` can tell why a connection can't be made.
 */
import { CLOSE_CODES, localError } from "@tailwire/protocol";
import type { WebSocket as WsSocket } from "ws";
import type { Ports, Socket, SocketEvents, WebSocketClass } from "../ports.ts";
import { portsWith as standardPortsWith } from "./browser.ts";
import { findWs, PLACES, type WsConstructor } from "./find-ws.ts";
import { type Refusal, refusalIn } from "./refused-upgrade.ts";

/** Looked for when it is first needed, since it is optional. */
let installed: ReturnType<typeof findWs> = null;

/** @throws `missing_websocket` where there is none and none is given: Node 20 has none of its own. */
export function portsWith(given?: WebSocketClass): Ports {
  installed ??= findWs(PLACES);
  const found = given ?? installed;
  if (found === null && typeof WebSocket === "undefined") throw localError("missing_websocket");
  const ws = found !== null && isWs(found) ? found : null;
  return {
    ...standardPortsWith(given),
    // A program is always awake as far as it can tell; that it slept shows in the clocks.
    life: () => () => undefined,
    ...(ws && {
      connect: (url, subprotocols, events) =>
        listen(new ws(url, [...subprotocols], { perMessageDeflate: false }), events),
    }),
  };
}

/** Only `ws` has events in Node's way, beside the standard's. */
function isWs(found: WebSocketClass | WsConstructor): found is WsConstructor {
  return typeof (found.prototype as Partial<WsSocket> | undefined)?.on === "function";
}

/** The code of a connection that ended without one. */
const UNTOLD = 1006;

/** How long a close may take before the socket is given up, in milliseconds. */
const CLOSE_MS = 3_000;

function listen(ws: WsSocket, events: SocketEvents): Socket {
  let isOpen = false;
  /** Why it doesn't open: a code of the server, a status, or a code of the system; and in words. */
  let why: Refusal = { reason: "", isFinal: false, words: "" };
  ws.on("open", () => {
    isOpen = true;
    events.opened(ws.protocol);
  });
  ws.on("message", (data, isBinary) => {
    events.received(isBinary ? (data as Buffer) : (data as Buffer).toString());
  });
  // Retry-After isn't looked at: the waits grow to half a minute without it [CLOSE-4].
  ws.on("unexpected-response", (_request, response) => {
    void refusalIn(response).then((refusal) => {
      why = refusal;
      ws.terminate();
    });
  });
  // An error is always followed by a close.
  ws.on("error", (error: NodeJS.ErrnoException) => {
    if (why.reason === "") why = { reason: error.code ?? "", isFinal: false, words: error.message };
  });
  ws.on("close", (code, reason) => {
    const { code: refused } = CLOSE_CODES.unauthenticated;
    if (isOpen) events.closed(code, reason.toString());
    else events.closed(why.isFinal ? refused : UNTOLD, why.reason, why.words);
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
