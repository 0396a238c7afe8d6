/** Where the server listens: finding a port, and saying what went wrong. It knows no HTTP. */
import type { Server } from "node:net";
import { TailwireError } from "@tailwire/protocol";

export const DEFAULT_PORT = 3000;

/** Connections that may wait to be accepted: a crowd that comes back at once. Node's default is 511. */
const BACKLOG = 4_096;

/**
 * Listens, and gives the port. Null asks for the default one, or for any where that is taken.
 *
 * @throws TailwireError `port_in_use`, `port_forbidden` or `bad_host`.
 */
export async function listen(server: Server, host: string, port: number | null): Promise<number> {
  try {
    return await listenOn(server, host, port ?? DEFAULT_PORT);
  } catch (error) {
    const taken = codeOf(error) === "EADDRINUSE" || codeOf(error) === "EACCES";
    if (port === null && taken) return listenOn(server, host, 0);
    throw explained(error, host, port ?? DEFAULT_PORT);
  }
}

function listenOn(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, backlog: BACKLOG }, () => {
      server.off("error", reject);
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}

function explained(error: unknown, host: string, port: number): unknown {
  switch (codeOf(error)) {
    case "EADDRINUSE":
      return refusal(
        "port_in_use",
        `Port ${port} of ${host} is taken. Stop what uses it, or give another --port.`,
      );
    case "EACCES":
      return refusal(
        "port_forbidden",
        `Listening on port ${port} isn't allowed. Give a --port above 1023.`,
      );
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EINVAL":
      return refusal("bad_host", `This machine has no address ${host}. Give another --host.`);
    default:
      return error;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : null;
}

function refusal(code: string, description: string): TailwireError {
  return new TailwireError({ code, description, fault: "client", retry: false });
}
