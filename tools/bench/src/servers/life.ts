/**
 * The protocol between a bench and its servers: a server prints its port, on SIGUSR2 its memory after a
 * garbage collection, and on SIGHUP its longest pauses.
 */
import type { Server } from "node:http";
import {
  type IntervalHistogram,
  monitorEventLoopDelay,
  PerformanceObserver,
} from "node:perf_hooks";

/** Connections that may wait to be accepted. The kernel drops more, and they retry a second later. */
const BACKLOG = 4_096;

/** Publications that the server logs before its first client: the argument it was started with. */
export const missedCount = Number(process.argv[2] ?? "0");

/** How often the event loop is looked at, in milliseconds. */
const LOOK_EVERY_MS = 5;

let loop: IntervalHistogram | null = null;
let gcMs = 0;

/** Prints the longest pauses since the last call. The first call begins to look. */
function tellPauses(): void {
  if (loop === null) {
    loop = monitorEventLoopDelay({ resolution: LOOK_EVERY_MS });
    loop.enable();
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) gcMs = Math.max(gcMs, duration);
    }).observe({ entryTypes: ["gc"] });
  }
  // Each look is due that long after the one before.
  const loopMs = Math.max(0, loop.max / 1e6 - LOOK_EVERY_MS);
  console.log(JSON.stringify({ gcMs, loopMs }));
  loop.reset();
  gcMs = 0;
}

/** Prints the port as a line of JSON, with `more` for the clients, and obeys the signals. */
export function announce(port: number, more: object = {}): void {
  process.on("SIGUSR2", () => {
    // Twice: the first collection finds dead objects whose memory only the second frees.
    globalThis.gc?.();
    globalThis.gc?.();
    const { rss, heapUsed, external } = process.memoryUsage();
    console.log(JSON.stringify({ rss, heapBytes: heapUsed + external }));
  });
  process.on("SIGHUP", tellPauses);
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
