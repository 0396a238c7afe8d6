/**
 * Two servers on one broker take turns in being killed, while a client publishes numbers through one
 * of them and another reads: `node main.js <broker's URL> --kills 10`. It ends with 0 where nothing was
 * missed, nothing came twice, and every publication was acknowledged.
 */
import { parseArgs } from "node:util";
import { createClient } from "@tailwire/client";
import { Balancer } from "./balancer.ts";
import { Servers } from "./servers.ts";

/** Between two publications, and between two kills, in milliseconds. */
const PUBLISH_EVERY_MS = 10;
const KILL_EVERY_MS = 2_000;

/** How long what is on its way may take once nothing is killed any more, in milliseconds. */
const SETTLE_MS = 60_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kills: { type: "string", default: "10" },
    json: { type: "boolean", default: false },
  },
});
const [brokerUrl = "redis://localhost:6379"] = positionals;

const balancer = await Balancer.start();
const servers = new Servers(brokerUrl, balancer);
await Promise.all([servers.start(), servers.start()]);

const writer = createClient(balancer.url, { getToken: () => "ada" });
const reader = createClient(balancer.url, { getToken: () => "bob" });
const counts = { published: 0, acknowledged: 0, refused: 0, delivered: 0, twice: 0, gaps: 0 };

const seen = new Set<number>();
const subscription = reader.channel("ticker").subscribe();
subscription.on("tick", ({ data }) => {
  if (seen.has(data as number)) counts.twice += 1;
  seen.add(data as number);
  counts.delivered = seen.size;
});
subscription.onGap(() => (counts.gaps += 1));
await subscription.ready;

const publishing = setInterval(() => {
  const number = (counts.published += 1);
  writer
    .channel("ticker")
    .publish("tick", number)
    .then(
      () => (counts.acknowledged += 1),
      () => (counts.refused += 1),
    );
}, PUBLISH_EVERY_MS);

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const inWords = (): string =>
  Object.entries({ kills: servers.kills, ...counts })
    .map(([name, count]) => `${name} ${count}`)
    .join(", ");

while (servers.kills < Number(values.kills)) {
  await pause(KILL_EVERY_MS);
  await servers.killOne();
  if (!values.json) console.log(inWords());
}
clearInterval(publishing);
const isSettled = (): boolean =>
  counts.acknowledged + counts.refused === counts.published &&
  counts.delivered >= counts.acknowledged;
for (const end = Date.now() + SETTLE_MS; Date.now() < end && !isSettled();) await pause(50);

const missed = counts.published - counts.delivered;
const isGood = missed + counts.twice + counts.refused + counts.gaps === 0;
console.log(
  values.json
    ? JSON.stringify({ kills: servers.kills, ...counts, missed })
    : `${isGood ? "nothing missed, nothing twice" : "NOT GOOD"}: ${inWords()}, missed ${missed}`,
);
await Promise.all([writer.close(), reader.close()]);
await servers.killAll();
balancer.close();
process.exitCode = isGood ? 0 : 1;
