/**
 * Plain HTTP requests to a server that nobody else answers: whoever meant to open a WebSocket is
 * told what went wrong on the way.
 */
import type { ServerResponse } from "node:http";

const UPGRADE_REQUIRED = {
  code: "upgrade_required",
  description:
    "This is a WebSocket. If you asked for one, a proxy in between dropped the Upgrade header: let it pass Upgrade and Connection.",
};

const NOT_FOUND = { code: "not_found", description: "There is nothing at this path." };

/** Answers 426 at a WebSocket's path, else 404. */
export function answerPlainRequest(response: ServerResponse, isWebSocket: boolean): void {
  const headers = {
    "content-type": "application/json",
    ...(isWebSocket ? { upgrade: "websocket" } : {}),
  };
  response.writeHead(isWebSocket ? 426 : 404, headers);
  response.end(JSON.stringify(isWebSocket ? UPGRADE_REQUIRED : NOT_FOUND));
}
