/**
 * Strictness of the handshake: what `ws` lets pass, and RFC 6455 §4.2.1 doesn't. A proxy in between that
 * reads a request otherwise than this server does could be made to smuggle one in another.
 */
import type { IncomingMessage } from "node:http";

/** An answer instead of an upgrade. */
export interface Refusal {
  readonly status: string;
  readonly code: string;
  readonly description: string;
  /** A header line of its own, with its end. */
  readonly header?: string;
}

const VERSION = "13";

/** The refusal of an upgrade that is none as RFC 6455 has it; null where it is one. */
export function handshakeFault(request: IncomingMessage): Refusal | null {
  const { httpVersion, headers } = request;
  if (httpVersion !== "1.1") return malformed(`HTTP/${httpVersion} has no upgrades: use HTTP/1.1.`);
  if (countOf(request, "host") !== 1) return malformed("Send one Host header.");
  if ("content-length" in headers || "transfer-encoding" in headers) {
    return malformed("An upgrade has no body: send no Content-Length and no Transfer-Encoding.");
  }
  if (headers["sec-websocket-version"] === VERSION) return null;
  return {
    status: "426 Upgrade Required",
    code: "bad_handshake",
    description: `Send Sec-WebSocket-Version: ${VERSION}.`,
    header: `Sec-WebSocket-Version: ${VERSION}\r\n`,
  };
}

function malformed(description: string): Refusal {
  return { status: "400 Bad Request", code: "bad_handshake", description };
}

/** Header lines of a name. Node keeps the first of several where one is allowed. */
function countOf({ rawHeaders }: IncomingMessage, name: string): number {
  return rawHeaders.filter((one, index) => index % 2 === 0 && one.toLowerCase() === name).length;
}
