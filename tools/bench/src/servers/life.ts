/**
 * What every server of a bench does beside serving: it says where it listens, and tells what memory
 * it has after a collection when it is sent SIGUSR2. It doesn't know what it serves.
 */
import type { Server } from "node:http";

/** As many as may come at once: what is over is lost, and tried again a second later. */
const BACKLOG = 4_096;

/** Publications that a server has kept before anybody comes, where it is started with a number. */
export const missedCount = Number(process.argv[2] ?? "0");

/** Says where it can be reached, in a line of JSON, and with what else its clients must know. */
export function announce(port: number, more: object = {}): void {
  process.on("SIGUSR2", () => {
    // What the first finds to be finished, the second lets go of.
    globalThis.gc?.();
    globalThis.gc?.();
    const { rss, heapUsed, external } = process.memoryUsage();
    console.log(JSON.stringify({ rss, heapBytes: heapUsed + external }));
  });
  // An end of its own, so that a profile is written.
  process.on("SIGTERM", () => process.exit(0));
  console.log(JSON.stringify({ port, ...more }));
}

/** Listens on a free port, and says so. */
export function listen(server: Server, more: object = {}): void {
  server.listen({ host: "127.0.0.1", port: 0, backlog: BACKLOG }, () => {
    const address = server.address();
    announce(typeof address === "object" && address !== null ? address.port : 0, more);
  });
}
