// The checker finds each broken promise in the smallest history that breaks it, and nothing else.
import { expect, test } from "vitest";
import { check, EMPTY_STATE, foldOne, type HistoryEvent } from "@tailwire/simulation";
import {
  type Broken,
  answer,
  appended,
  caughtUp,
  client,
  channel,
  delivery,
  done,
  entry,
  epoch,
  gap,
  judge,
  page,
  place,
  policy,
  publish,
  published,
  refused,
  request,
  repeated,
  sent,
  setting,
  settled,
  subscribe,
  token,
  unpublished,
} from "./histories.ts";

const SOUND: readonly HistoryEvent[] = [
  policy(true),
  token({ expiresAt: 1_000 }),
  epoch("A"),
  ...subscribe({ hasState: true, without: "bob" }),
  { type: "snapshot", sub: "s", position: place(0), state: EMPTY_STATE, at: 0 },
  request("1"),
  ...done(1),
  answer("1"),
  sent(6_000),
  delivery(1),
  publish("tag2", "bob"),
  appended(2),
  published(2),
  ...done(3),
  delivery(3),
  publish("tag4"),
  ...refused("tag4", "indeterminate", [appended(4)]),
  unpublished("tag4", "indeterminate"),
  publish("never"),
  ...refused("never", "forbidden"),
  unpublished("never", "forbidden"),
  epoch("B", "A", 3),
  publish("tag5"),
  appended(4, { id: "id5", tag: "tag5" }, "B"),
  gap("diverged", { from: place(4), to: place(3, "B"), continuesAfter: place(3, "B") }),
  {
    type: "snapshot",
    sub: "s",
    position: place(3, "B"),
    state: ["tag1", "tag2", "tag3"].reduce(foldOne, EMPTY_STATE),
    at: 0,
  },
  delivery(4, { id: "id5", tag: "tag5" }, "B"),
  { type: "published", tag: "tag5", position: { epoch: "B", offset: 4, id: "id5" } },
  ...page({ after: place(1), count: 2, epoch: "B", entries: [entry(2), entry(3)], more: true }),
  ...page({ after: null, before: place(3, "B"), epoch: "B", entries: [entry(1), entry(2)] }),
  { type: "held", what: "c", bytes: 10, bound: 10 },
  { type: "denied", action: "read", exists: true, answer: "no" },
  { type: "denied", action: "read", exists: false, answer: "no" },
  caughtUp,
  { type: "healed" },
  settled,
  { type: "left", what: "timers", count: 0 },
  { type: "rerun", hash: "x", again: "x" },
];

test("a sound history breaks no promise", () => {
  // A subscriber may have seen a publication that the log then lost.
  const seen = SOUND.flatMap((event) => (event.type === "gap" ? [delivery(4), event] : [event]));
  expect(check(seen)).toEqual([]);
});

test("a state may be of a later epoch than the log that couldn't serve a position", () => {
  const told: HistoryEvent[] = [
    epoch("A"),
    ...subscribe({ hasState: true }),
    { type: "snapshot", sub: "s", position: place(0), state: EMPTY_STATE, at: 0 },
    publish("tag1"),
    appended(1),
    delivery(1),
    epoch("B", "A", 0),
    epoch("C"),
    gap("diverged", { from: place(1), to: place(0, "B"), continuesAfter: place(0, "C") }),
    { type: "snapshot", sub: "s", position: place(0, "C"), state: EMPTY_STATE, at: 0 },
  ];
  expect(check(told)).toEqual([]);
});

const closed = (code: number): HistoryEvent => ({ type: "cut", connection: "c", code });

const told = (code: string, changes: object = {}): HistoryEvent => ({
  type: "told",
  connection: "c",
  what: "unsubscribed",
  channel,
  code,
  retry: false,
  position: null,
  ...changes,
});

const complaint = (code: string): HistoryEvent => ({ type: "complaint", connection: "c", code });

/** How a code is told: in an answer, with an end of what was begun, or by itself. */
/** A publication whose fate is still open. */
const doubtful: readonly HistoryEvent[] = [policy(true), token(), epoch("A"), publish("tag1")];

const answered = (code: string): HistoryEvent[] => [request("1"), answer("1", { code })];

test("what a client that keeps the protocol may be told, where things cross, is no violation", () => {
  const codes = ["not_subscribed", "fenced", "forbidden", "limit_exceeded", "held", "removed"];
  const closes = [1000, 1006, 4429, 4510];
  const all = codes.flatMap((code) => [...answered(code), told(code), complaint(code)]);
  expect(check([...all, ...closes.map(closed)])).toEqual([]);
});

judge([
  [
    "R1",
    "an acknowledged publication isn't in the log",
    [epoch("A"), publish("tag1"), published(1)],
  ],
  [
    "R2",
    "one id stands at two places",
    [epoch("A"), publish("tag1"), appended(1), appended(2, { id: "id1", tag: "tag1" })],
  ],
  [
    "R3",
    "a subscriber is given another id than the log has there",
    [epoch("A"), ...subscribe(), ...done(1), delivery(1, { id: "other" })],
  ],
  [
    "R4",
    "a refused publication is in the log",
    [
      policy(true),
      token(),
      epoch("A"),
      publish("tag1"),
      ...refused("tag1", "forbidden", [appended(1)]),
      unpublished("tag1", "forbidden"),
    ],
  ],
  [
    "R4",
    "what was overtaken stands in the log",
    [...doubtful, ...refused("tag1", "overtaken", [appended(1)]), unpublished("tag1", "overtaken")],
    [
      ...doubtful,
      ...refused("tag1", "overtaken", [appended(1), epoch("B", "A")]),
      unpublished("tag1", "overtaken"),
    ],
  ],
  ["R5", "nobody published what is in the log", [epoch("A"), appended(1)]],
  ["R5", "a page has what was never appended", [epoch("A"), ...page({ entries: [entry(1)] })]],
  ["R6", "one is skipped", [epoch("A"), ...subscribe(), ...done(1), ...done(2), delivery(2)]],
  [
    "R7",
    "one is delivered twice",
    [epoch("A"), ...subscribe(), ...done(1), delivery(1), delivery(1)],
  ],
  [
    "R8",
    "a publisher's second is before its first",
    [epoch("A"), publish("tag2"), publish("tag1"), appended(1), appended(2)],
  ],
  [
    "R8",
    "of two repeats the second is before the first",
    [
      policy(true),
      token(),
      epoch("A"),
      publish("tag2"),
      publish("tag1"),
      ...repeated(1, "tag1"),
      ...repeated(2, "tag2"),
    ],
  ],
  [
    "R9",
    "an ack names another place",
    [
      epoch("A"),
      publish("tag1"),
      publish("tag2", "bob"),
      appended(1),
      appended(2),
      { type: "published", tag: "tag1", position: place(2) },
    ],
  ],
  [
    "R10",
    "an indeterminate publication is acknowledged after all",
    [
      policy(true),
      token(),
      epoch("A"),
      publish("tag1"),
      ...refused("tag1", "indeterminate", [appended(1)]),
      unpublished("tag1", "indeterminate"),
      published(1),
    ],
  ],
  [
    "R10",
    "an indeterminate publication is there under two ids",
    [epoch("A"), publish("tag1"), appended(1), appended(2, { tag: "tag1" })],
  ],
  [
    "R11",
    "a gap is told of what is retained",
    [epoch("A"), ...subscribe(), ...done(1), gap("trimmed", { lost: 1 })],
  ],
  [
    "R11",
    "a gap names the wrong number",
    [
      epoch("A"),
      ...subscribe(),
      ...done(1),
      { type: "edge", channel, epoch: "A", offset: 1 },
      gap("trimmed", { lost: 2 }),
    ],
  ],
  [
    "R11",
    "a gap is told though the log goes on",
    [
      epoch("A"),
      ...subscribe(),
      epoch("B", "A", 0),
      gap("epoch", { continuesAfter: place(0, "B") }),
    ],
  ],
  [
    "R11",
    "a gap says ahead of what is there",
    [epoch("A"), ...subscribe(), ...done(1), gap("ahead", {})],
  ],
  [
    "R12",
    "a delivery comes before the snapshot that is owed",
    [epoch("A"), ...subscribe({ hasState: true }), ...done(1), delivery(1)],
  ],
  [
    "R13",
    "a snapshot isn't what the log comes to",
    [
      epoch("A"),
      ...subscribe({ hasState: true }),
      { type: "snapshot", sub: "s", position: place(0), state: "7:7", at: 0 },
    ],
  ],
  [
    "R14",
    "a page has a hole",
    [epoch("A"), ...done(1), ...done(2), ...done(3), ...page({ entries: [entry(1), entry(3)] })],
  ],
  [
    "R14",
    "a page begins too late",
    [epoch("A"), ...done(1), ...done(2), ...page({ entries: [entry(2)] })],
  ],
  [
    "R15",
    "an epoch changes without a word",
    [
      epoch("A"),
      ...subscribe(),
      epoch("B"),
      publish("tag1"),
      appended(1, {}, "B"),
      delivery(1, {}, "B"),
    ],
  ],
  ["R15", "an epoch is used again", [epoch("A"), epoch("A")]],
  [
    "R16",
    "a start lies behind what was published later",
    [
      epoch("A"),
      ...subscribe().slice(0, 1),
      { type: "started", sub: "s", position: place(1), at: 0 },
      ...done(1),
    ],
  ],
  ["R17", "a channel is sent to who may not see it", [token(), sent()]],
  [
    "R17",
    "a channel is sent long after the token's end",
    [policy(true), token({ expiresAt: 1_000 }), sent(6_251)],
  ],
  [
    "R17",
    "a channel is sent after it was forbidden and a fresh token came",
    [policy(true), policy(false), token(), sent(0, 5_251)],
  ],
  [
    "R18",
    "forbidden and nonexistent are told apart",
    [
      { type: "denied", action: "read", exists: true, answer: "forbidden" },
      { type: "denied", action: "read", exists: false, answer: "not found" },
    ],
  ],
  ["R19", "more is held than may be", [{ type: "held", what: "c", bytes: 11, bound: 10 }]],
  ["R20", "a request is answered twice", [request("1"), answer("1"), answer("1")]],
  ["R20", "a request is never answered", [request("1"), settled]],
  [
    "R21",
    "a publication has no outcome though all was healed",
    [epoch("A"), publish("tag1"), { type: "healed" }, settled],
  ],
  [
    "R21",
    "timers fire without end",
    [{ type: "stormed", what: "timers", count: 11, bound: 10 }],
    [{ type: "stormed", what: "timers", count: 10, bound: 10 }],
  ],
  [
    "R19",
    "a connection has more requests in progress than are read",
    [setting({ requestsMax: 1 }), request("1"), request("2")],
    [setting({ requestsMax: 1 }), request("1"), answer("1"), request("2")],
  ],
  ["R24", "something is left when all have gone", [{ type: "left", what: "timers", count: 1 }]],
  [
    "R25",
    "two are given different contents under one id",
    [epoch("A"), ...subscribe(), ...done(1), delivery(1, { tag: "other" })],
  ],
  [
    "R26",
    "what was acknowledged isn't delivered in the end",
    [epoch("A"), ...subscribe(), caughtUp, ...done(1), { type: "healed" }, settled],
  ],
  [
    "R30",
    "a gap is written, and nothing of what lies behind it",
    [{ type: "gapped", connection: "c", channel, behind: 2, followed: false }],
    [
      { type: "gapped", connection: "c", channel, behind: 2, followed: true },
      { type: "gapped", connection: "c", channel, behind: 0, followed: false },
    ],
  ],
  [
    "R29",
    "a node has counted more than there was",
    [{ type: "counted", what: "gaps", said: 2, least: 1, most: 1 }],
    [{ type: "counted", what: "gaps", said: 1, least: 1, most: 1 }],
  ],
  ["R27", "something crashes", [{ type: "crash", error: "boom" }]],
  ...["already_subscribed", "bad_message", "id_conflict", "not_ready", "too_large"].map(
    (code): Broken => ["R27", `a request is answered with ${code}`, answered(code)],
  ),
  [
    "R27",
    "one session's id_conflict comes from nobody else",
    [client("ada"), client("bob"), ...answered("id_conflict")],
    [client("ada"), client("ada's copy", "ada", "ada"), ...answered("id_conflict")],
  ],
  ["R27", "a subscription ends by bad_position", [told("bad_position")], [told("removed")]],
  ["R27", "a client is told bad_message", [complaint("bad_message")], [complaint("internal")]],
  ...[1002, 1003, 1007, 1008, 1009, 1010, 4400, 4502].map((code): Broken => [
    "R27",
    `a connection is closed with ${code}`,
    [closed(code)],
  ]),
  [
    "R27",
    "a node sends what can't be read",
    [{ type: "unreadable", connection: "c", detail: "publication.event: expected text" }],
  ],
  ["R28", "a seed runs otherwise the second time", [{ type: "rerun", hash: "x", again: "y" }]],
]);
