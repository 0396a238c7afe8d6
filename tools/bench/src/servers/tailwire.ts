/** tailwire as its README shows it, with limits that admit a crowd from one address. */
import { createServer } from "node:http";
import { createTailwire } from "@tailwire/server";
import { CHANNEL, payloadNow } from "../payload.ts";
import { listen, missedCount } from "./life.ts";

const server = createServer();
const tailwire = createTailwire({
  anonymous: true,
  channels: {
    [CHANNEL]: {},
    "room:{id}": {},
    "kept-1:{id}": { retention: { count: 1 } },
    "kept-5:{id}": { retention: { count: 5 } },
    "kept-20:{id}": { retention: { count: 20 } },
    "kept-500:{id}": { retention: { count: 500 } },
  },
  requests: {
    turn: (count) => {
      const channel = tailwire.channel(CHANNEL);
      for (let left = Number(count); left > 0; left -= 1) {
        void channel.publish("message", payloadNow());
      }
      return null;
    },
  },
  limits: {
    // The whole crowd has one address.
    newcomersPerAddressMax: 20_000,
    // No pings during a measurement, as with the other servers.
    pingIntervalMs: 600_000,
    dedupeMs: 1_300_000,
    messagesPerSecond: 20_000,
    bytesPerSecond: 20_000_000,
  },
}).attach(server);

let epoch = "";
for (let left = missedCount; left > 0; left -= 1) {
  const { position } = await tailwire.channel(CHANNEL).publish("message", payloadNow());
  epoch = position.epoch;
}
listen(server, { epoch });
