/**
 * The server that is attacked, as a process of its own: `node victim.js [limits as JSON]`. It says its
 * port, and is asked over IPC what it has paid.
 *
 * Its application is what the attacks need: it takes every token and answers at once. A channel or
 * request that is sluggish by its name takes a millisecond, without ever letting go of the thread.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { msgpackCodec } from "@tailwire/protocol/msgpack";
import { createTailwire, type Limits } from "@tailwire/server";
import { Meter } from "./meter.ts";

/** How long what is sluggish takes, in milliseconds. */
const SLUGGISH_MS = 1;

/** Doesn't let go of the thread for so long. */
function dawdle(ms = SLUGGISH_MS): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

const silent = (): void => undefined;
const http = createServer();
const tailwire = createTailwire({
  authenticate: (_request, token) => ({ user: { id: (token ?? "nobody").split(".")[0] ?? "" } }),
  authorize: ({ pattern }) => {
    if (pattern === "sluggish:{id}") dawdle();
    return true;
  },
  channels: {
    "room:{id}": {},
    "sluggish:{id}": {},
    "hooked:{id}": {
      onPublish: ({ data }) => {
        dawdle();
        return data;
      },
    },
  },
  requests: { echo: (input) => input, sluggish: () => dawdle() },
  codecs: [msgpackCodec],
  limits: JSON.parse(process.argv[2] ?? "{}") as Partial<Limits>,
  logger: { debug: silent, info: silent, warn: silent, error: silent },
});
tailwire.attach(http);
const meter = new Meter();
process.on("message", (asked) => {
  if (asked === "reset") meter.reset();
  if (typeof asked === "number") dawdle(asked);
  process.send?.(meter.paid());
});
process.on("disconnect", () => process.exit());
await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
meter.start();
process.send?.((http.address() as AddressInfo).port);
