/**
 * The protocol between a bench and its servers: a server prints its port, and on SIGUSR2 it prints its
 * memory after a garbage collection.
 */
import type { Server } from "node:http";

/** Connections that may wait to be accepted. The kernel drops more, and they retry a second later. */
const BACKLOG = 4_096;

/** Publications that the server logs before its first client: the argument it was started with. */
export const missedCount = Number(process.argv[2] ?? "0");

/** Prints the port as a line of JSON, with `more` for the clients, and obeys the signals. */
export function announce(port: number, more: object = {}): void {
  process.on("SIGUSR2", () => {
    // Twice: the first collection finds dead objects whose memory only the second frees.
    globalThis.gc?.();
    globalThis.gc?.();
    const { rss, heapUsed, external } = process.memoryUsage();
    console.log(JSON.stringify({ rss, heapBytes: heapUsed + external }));
  });
  // An orderly exit, so that `--cpu-prof` writes its profile.
  process.on("SIGTERM", () => process.exit(0));
  console.log(JSON.stringify({ port, ...more }));
}

/** Listens on a free port, and announces it. */
export function listen(server: Server, more: object = {}): void {
  server.listen({ host: "127.0.0.1", port: 0, backlog: BACKLOG }, () => {
    const address = server.address();
    announce(typeof address === "object" && address !== null ? address.port : 0, more);
  });
}
