/**
 * A worker that knows which code it has run: it tells when the port that it was started with asks.
 * Only code that is loaded behind the profiler's start is counted by blocks, hence the late import.
 */
import { Session } from "node:inspector/promises";
import { type MessagePort, workerData } from "node:worker_threads";

const port = workerData as MessagePort;
const session = new Session();
session.connect();
await session.post("Profiler.enable");
await session.post("Profiler.startPreciseCoverage", { callCount: false, detailed: true });
await import("./worker.js");

port.once("message", () => {
  void session.post("Profiler.takePreciseCoverage").then(({ result }) => {
    const own = result.filter(({ url }) => url.startsWith("file:") && url.includes("/packages/"));
    port.postMessage(own);
  });
});
