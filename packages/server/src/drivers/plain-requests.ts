/**
 * Plain HTTP requests to a server that nobody else answers: whoever meant to open a WebSocket is
 * told what went wrong on the way.
 */
import type { IncomingMessage, ServerResponse } from "node:http";

const UPGRADE_REQUIRED = {
  code: "upgrade_required",
  description:
    "This is a WebSocket. If you asked for one, a proxy in between dropped the Upgrade header: let it pass Upgrade and Connection.",
};

const NOT_FOUND = { code: "not_found", description: "There is nothing at this path." };

/** Answers 426 at the WebSocket's path, else 404. */
export function answerPlainRequest(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
): void {
  const here = (request.url ?? "/").split("?", 1)[0] === path;
  const headers = { "content-type": "application/json", ...(here ? { upgrade: "websocket" } : {}) };
  response.writeHead(here ? 426 : 404, headers);
  response.end(JSON.stringify(here ? UPGRADE_REQUIRED : NOT_FOUND));
}
