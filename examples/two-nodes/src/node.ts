/** One of the servers: `node node.js <broker's URL>`. It tells its parent the port that it listens on. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { natsBroker } from "@tailwire/nats";
import { redisBroker } from "@tailwire/redis";
import { createTailwire } from "@tailwire/server";

const [url = "redis://localhost:6379"] = process.argv.slice(2);
const web = createServer();

createTailwire({
  authenticate: (_request, token) => (token === null ? null : { user: { id: token } }),
  channels: { ticker: {} },
  broker: url.startsWith("nats:") ? natsBroker({ servers: url }) : redisBroker({ url }),
}).attach(web);

web.listen(0, "127.0.0.1", () => process.send?.((web.address() as AddressInfo).port));
// The parent may be killed as well.
process.on("disconnect", () => process.exit());
