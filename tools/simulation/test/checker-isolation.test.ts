// The checker measures every subscriber in its own channel while somebody is a burden.
import type { HistoryEvent } from "@tailwire/simulation";
import { appended, delivery, epoch, judge, publish, subscribe } from "./histories.ts";

const burden = (client: string | null, channels: string[] = []): HistoryEvent => ({
  type: "burden",
  client,
  channels,
  boundMs: 100,
});
const relief: HistoryEvent = { type: "relief" };
/** The server publishes at 0, on its own. */
const publishes = [publish("tag1", "node", { as: null }), appended(1, { publisher: null })];
const given = (sub: string, at: number): HistoryEvent => ({
  ...(delivery(1, { publisher: null }) as Extract<HistoryEvent, { type: "delivery" }>),
  sub,
  at,
});
const ada = subscribe({ sub: "s" });
const bob = [
  ...subscribe({ sub: "t", client: "bob" }).slice(0, 1),
  { ...ada[1], sub: "t" } as HistoryEvent,
];
const log = [epoch("A"), ...ada];

judge([
  [
    "R23",
    "a healthy subscriber is delayed",
    [...log, burden("eve"), ...publishes, given("s", 101), relief],
    [...log, burden("eve"), ...publishes, given("s", 100), relief],
  ],
  [
    "R23",
    "a healthy subscriber is given something only when the slow one reads again",
    [...log, burden("eve"), ...publishes, relief, given("s", 50)],
    [...log, burden("ada"), ...publishes, relief, given("s", 50)],
  ],
  [
    "R23",
    "one of two is delayed",
    [...log, ...bob, burden("eve"), ...publishes, given("s", 1), given("t", 101), relief],
    [...log, ...bob, burden("eve"), ...publishes, given("s", 1), given("t", 2), relief],
  ],
  [
    "R23",
    "a channel waits for another of the same connection",
    [...log, burden(null, ["room:2"]), ...publishes, given("s", 101), relief],
    [...log, burden(null, ["room:1"]), ...publishes, given("s", 101), relief],
  ],
]);
