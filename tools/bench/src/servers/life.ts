/**
 * What every server of a bench does beside serving: it says where it listens, and tells what memory
 * it has after a collection when it is sent SIGUSR2, its longest pauses when it is sent SIGHUP. It doesn't
 * know what it serves.
 */
import type { Server } from "node:http";
import {
  type IntervalHistogram,
  monitorEventLoopDelay,
  PerformanceObserver,
} from "node:perf_hooks";

/** As many as may come at once: what is over is lost, and tried again a second later. */
const BACKLOG = 4_096;

/** Publications that a server has kept before anybody comes, where it is started with a number. */
export const missedCount = Number(process.argv[2] ?? "0");

/** How often the event loop is looked at, in milliseconds. */
const LOOK_EVERY_MS = 5;

let loop: IntervalHistogram | null = null;
let gcMs = 0;

/** Says the longest pauses since it was called last. They are looked for from the first call on. */
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

/** Says where it can be reached, in a line of JSON, and with what else its clients must know. */
export function announce(port: number, more: object = {}): void {
  process.on("SIGUSR2", () => {
    // What the first finds to be finished, the second lets go of.
    globalThis.gc?.();
    globalThis.gc?.();
    const { rss, heapUsed, external } = process.memoryUsage();
    console.log(JSON.stringify({ rss, heapBytes: heapUsed + external }));
  });
  process.on("SIGHUP", tellPauses);
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
