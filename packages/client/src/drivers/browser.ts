/** The client's ports in a browser, and wherever else there is a global WebSocket. */
import type { LifeEvent, Ports, Socket, SocketEvents, WebSocketClass } from "../ports.ts";
import { base64urlText, clock, random } from "./clock.ts";

/** With a class that the application gives, or the global one. */
export function portsWith(given?: WebSocketClass): Ports {
  return {
    clock,
    random,
    base64url: base64urlText,
    // oxlint-disable-next-line no-console -- a developer looks nowhere else
    warn: (words) => console.warn(words),
    abort: () => new AbortController(),
    connect: (url, subprotocols, events) =>
      listen(new ((given as typeof WebSocket) ?? WebSocket)(url, [...subprotocols]), events),
    life,
  };
}

/** Joins a WebSocket to whoever listens, as the standard's events tell it. */
function listen(ws: WebSocket, events: SocketEvents): Socket {
  let closing = false;
  ws.binaryType = "arraybuffer";
  ws.addEventListener("open", () => {
    // Safari may open a socket that was closed while it connected: it is closed once more.
    if (closing) ws.close();
    else events.opened(ws.protocol);
  });
  ws.addEventListener("message", ({ data }) => {
    events.received(typeof data === "string" ? data : new Uint8Array(data as ArrayBuffer));
  });
  // An error is always followed by a close, and says nothing that the close doesn't.
  ws.addEventListener("close", ({ code, reason }) => events.closed(code, reason));
  return {
    send: (wire) => {
      if (ws.readyState === ws.OPEN) ws.send(wire as string | Uint8Array<ArrayBuffer>);
    },
    close: (code, reason) => {
      closing = true;
      ws.close(code, reason);
    },
  };
}

/** This machine is reached without a network. */
const LOOPBACK = /^wss?:\/\/(?:localhost|127\.|\[::1\])/;

/** Pages and workers have some of these events each; what a platform doesn't have never comes. */
function life(url: string, listener: (event: LifeEvent) => void): () => void {
  const stop = new AbortController();
  const on = (target: EventTarget | undefined, type: string, tell: () => void): void =>
    target?.addEventListener?.(type, tell, stop);
  const page = globalThis.document as Document | undefined;
  const network = LOOPBACK.test(url) ? [] : (["offline", "online"] as const);
  for (const event of [...network, "pagehide", "pageshow"] as const) {
    on(globalThis, event, () => listener(event));
  }
  on(page, "resume", () => listener("wake"));
  on(page, "visibilitychange", () => {
    if (page?.visibilityState === "visible") listener("wake");
  });
  // Where a platform doesn't say, there is a network.
  const navigator = globalThis.navigator as Partial<Navigator> | undefined;
  if (network.length > 0 && navigator?.onLine === false) listener("offline");
  return () => stop.abort();
}
