// The checker finds what ends without a cause: everybody can't be caught up by being ended.
import type { HistoryEvent } from "@tailwire/simulation";
import {
  answer,
  caughtUp,
  channel,
  client,
  epoch,
  judge,
  publish,
  refused,
  request,
  settled,
  setting,
  subscribe,
  unpublished,
  wrote,
} from "./histories.ts";

const ada = [client("ada"), epoch("A")];
const link = (name = "ada"): HistoryEvent => ({ type: "link", connection: "c", client: name });
const follows = [...ada, link(), ...subscribe(), caughtUp];
const ended = (code: string | null, asked = false): HistoryEvent => ({
  type: "ended",
  sub: "s",
  asked,
  code,
});
const told = (code: string, retry = false): HistoryEvent => ({
  type: "told",
  connection: "c",
  what: "unsubscribed",
  channel,
  code,
  retry,
  position: null,
});
const removed = (where: string | null): HistoryEvent => ({
  type: "removed",
  user: "ada",
  channel: where,
});
const cut = (code: number): HistoryEvent => ({ type: "cut", connection: "c", code });
const quit: HistoryEvent = { type: "quit", client: "ada" };
const failed: HistoryEvent = { type: "failed" };
const forbidden: HistoryEvent = { type: "policy", user: "ada", channel, allowed: false };
const published = [...ada, link(), publish("tag1")];
const status = (state: string, pending = 0): HistoryEvent => ({
  type: "status",
  client: "ada",
  state,
  pending,
});

judge([
  [
    "R21",
    "a subscription ends by itself",
    [...follows, ended(null), settled],
    [...follows, ended(null, true), settled],
  ],
  [
    "R21",
    "a subscription ends with a code that no node said",
    [...follows, ended("removed")],
    [...follows, removed(channel), told("removed"), ended("removed")],
  ],
  [
    "R21",
    "a node ends a subscription that nobody wanted to end",
    [...follows, told("removed"), ended("removed", true)],
  ],
  [
    "R21",
    "a node forbids what is allowed",
    [...follows, told("forbidden")],
    [...follows, forbidden, told("forbidden"), ended("forbidden")],
  ],
  [
    "R21",
    "a node refuses a subscribe for a failure that wasn't",
    [...ada, link(), request("1", { what: "subscribe", channel, start: "latest" })].concat(
      answer("1", { code: "internal" }),
    ),
    [...ada, link(), failed, request("1", { what: "subscribe", channel, start: "latest" })].concat(
      answer("1", { code: "internal" }),
    ),
  ],
  [
    "R21",
    "a node says that there are too many, and there aren't",
    [...follows, request("1", { what: "subscribe", channel, start: "latest" })].concat(
      answer("1", { code: "limit_exceeded" }),
    ),
    [setting({ subscriptionsMax: 1 }), ...follows].concat(
      request("1", { what: "subscribe", channel, start: "latest" }),
      answer("1", { code: "limit_exceeded" }),
    ),
  ],
  [
    "R21",
    "a refusal that may pass ends a subscription",
    [...follows, told("unavailable", true), ended("unavailable")],
    [...follows, told("unavailable", true)],
  ],
  [
    "R21",
    "a client is disconnected for good, and nobody wanted it",
    [...follows, cut(4504), ended("closed")],
    [...follows, removed(null), cut(4504), ended("closed")],
  ],
  [
    "R21",
    "a client is superseded by nobody",
    [...follows, cut(4509), ended("closed")],
    [client("bob", "ada", "ada"), ...follows, cut(4509), ended("closed")],
  ],
  [
    "R21",
    "a client closes by itself",
    [...ada, link(), status("closed")],
    [...ada, link(), quit, status("closed")],
  ],
  [
    "R21",
    "a client that has something to do stays idle",
    [...follows, status("idle")],
    [...ada, status("idle")],
  ],
  [
    "R21",
    "a client has publications in its outbox in the end",
    [...ada, link(), status("connected", 1)],
    [...ada, link(), status("connected")],
  ],
  [
    "R21",
    "a publication is given up with a code that no node said",
    [...published, unpublished("tag1", "forbidden")],
    [...published, ...refused("tag1", "forbidden"), unpublished("tag1", "forbidden")],
  ],
  [
    "R21",
    "a publication is given up with another end than its client's",
    [...published, removed(null), cut(4504), unpublished("tag1", "superseded")],
    [...published, removed(null), cut(4504), unpublished("tag1", "disconnected")],
  ],
  [
    "R21",
    "a publication is indeterminate before it could be forgotten",
    [...published, wrote("tag1"), unpublished("tag1", "indeterminate", { at: 109_999 })],
    [...published, wrote("tag1"), unpublished("tag1", "indeterminate", { at: 110_000 })],
  ],
  [
    "R21",
    "a publication is indeterminate that was never sent",
    [...published, unpublished("tag1", "indeterminate", { at: 1_000_000 })],
    [...published, wrote("tag1"), quit, unpublished("tag1", "indeterminate")],
  ],
  [
    "R21",
    "a publication is too old before its time",
    [
      ...ada,
      publish("tag1", "ada", { ttlMs: 100 }),
      unpublished("tag1", "ttl_expired", { at: 98 }),
    ],
    [
      ...ada,
      publish("tag1", "ada", { ttlMs: 100 }),
      unpublished("tag1", "ttl_expired", { at: 100 }),
    ],
  ],
  [
    "R21",
    "a publication is too old though it was sent",
    [
      ...ada,
      link(),
      publish("tag1", "ada", { ttlMs: 100 }),
      wrote("tag1"),
      unpublished("tag1", "ttl_expired", { at: 100 }),
    ],
  ],
  [
    "R21",
    "a publication is too large that isn't",
    [...published, unpublished("tag1", "too_large")],
    [setting({ messageBytesMax: 1_000 }), ...published, unpublished("tag1", "too_large")],
  ],
  [
    "R21",
    "the outbox is full that isn't",
    [...published, unpublished("tag1", "outbox_full")],
    [...ada, publish("tag1", "ada", { bytes: 4_194_305 }), unpublished("tag1", "outbox_full")],
  ],
  [
    "R21",
    "a node refuses its own when all is healed",
    [...ada, settled, publish("tag1", "node", { as: null }), unpublished("tag1", "unavailable")],
    [...ada, publish("tag1", "node", { as: null }), unpublished("tag1", "unavailable"), settled],
  ],
]);
