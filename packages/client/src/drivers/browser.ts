/** The client's ports in a browser, and wherever else there is a global WebSocket. */
import type { Ports, Socket, SocketEvents } from "../ports.ts";
import { base64urlText, clock, random } from "./clock.ts";

export const ports: Ports = {
  clock,
  random,
  base64url: base64urlText,
  connect: (url, subprotocols, events) => listen(new WebSocket(url, [...subprotocols]), events),
};

/** Joins a WebSocket to whoever listens, as the standard's events tell it. */
function listen(ws: WebSocket, events: SocketEvents): Socket {
  ws.addEventListener("open", () => events.opened());
  ws.addEventListener("message", ({ data }) => {
    if (typeof data === "string") events.received(data);
  });
  // An error is always followed by a close, and says nothing that the close doesn't.
  ws.addEventListener("close", ({ code, reason }) => events.closed(code, reason));
  return {
    send: (text) => {
      if (ws.readyState === ws.OPEN) ws.send(text);
    },
    close: (code, reason) => ws.close(code, reason),
  };
}
