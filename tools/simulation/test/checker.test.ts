// The checker finds each broken promise in the smallest history that breaks it, and nothing else.
import { expect, test } from "vitest";
import { check, EMPTY_STATE, foldOne, type HistoryEvent, type Rule } from "@tailwire/simulation";

const channel = "room:1";

const place = (offset: number, epoch = "A") => ({
  epoch,
  offset,
  id: offset === 0 ? null : `id${offset}`,
});
const entry = (offset: number) => ({ offset, id: `id${offset}`, tag: `tag${offset}` });

const epoch = (name: string, parent: string | null = null, at = 0): HistoryEvent => ({
  type: "epoch",
  channel,
  epoch: name,
  parent,
  at,
});
const publish = (tag: string, publisher = "ada"): HistoryEvent => ({
  type: "publish",
  tag,
  channel,
  publisher,
});
const appended = (offset: number, changes: object = {}, name = "A"): HistoryEvent => ({
  type: "appended",
  channel,
  epoch: name,
  entry: { ...entry(offset), ...changes },
  again: false,
});
/** Taken as a repeat of the publication of this tag. */
const repeated = (offset: number, tag: string, name = "A"): HistoryEvent =>
  ({
    ...(appended(offset, { tag, id: tag.replace("tag", "id") }, name) as object),
    again: true,
  }) as HistoryEvent;
const published = (offset: number, name = "A"): HistoryEvent => ({
  type: "published",
  tag: `tag${offset}`,
  position: place(offset, name),
});
/** Published, appended and acknowledged. */
const done = (offset: number): HistoryEvent[] => [
  publish(`tag${offset}`),
  appended(offset),
  published(offset),
];
const subscribe = (changes: object = {}): HistoryEvent[] => [
  {
    type: "subscribe",
    sub: "s",
    channel,
    start: "latest",
    without: null,
    hasState: false,
    ...changes,
  },
  { type: "started", sub: "s", position: place(0) },
];
const delivery = (offset: number, changes: object = {}, name = "A"): HistoryEvent => ({
  type: "delivery",
  sub: "s",
  epoch: name,
  entry: { ...entry(offset), ...changes },
});
const gap = (
  reason: "trimmed" | "epoch" | "diverged" | "ahead",
  changes: object,
): HistoryEvent => ({
  type: "gap",
  sub: "s",
  reason,
  from: place(0),
  to: place(1),
  continuesAfter: place(1),
  lost: null,
  ...changes,
});
const page = (changes: object): HistoryEvent => ({
  type: "page",
  channel,
  after: place(0),
  before: null,
  epoch: "A",
  entries: [],
  more: false,
  gap: null,
  ...changes,
});
const token = (changes: object = {}): HistoryEvent => ({
  type: "token",
  connection: "c",
  user: "ada",
  expiresAt: Infinity,
  at: 0,
  ...changes,
});
const policy = (allowed: boolean): HistoryEvent => ({
  type: "policy",
  user: "ada",
  channel,
  allowed,
});
const sent = (wall = 0, at = wall): HistoryEvent => ({
  type: "sent",
  connection: "c",
  channel,
  wall,
  at,
});
const settled: HistoryEvent = { type: "settled" };

const SOUND: readonly HistoryEvent[] = [
  policy(true),
  token({ expiresAt: 1_000 }),
  epoch("A"),
  ...subscribe({ hasState: true, without: "bob" }),
  { type: "snapshot", sub: "s", position: place(0), state: EMPTY_STATE },
  { type: "request", connection: "c", id: "1" },
  ...done(1),
  { type: "answer", connection: "c", re: "1" },
  sent(6_000),
  delivery(1),
  publish("tag2", "bob"),
  appended(2),
  published(2),
  ...done(3),
  delivery(3),
  publish("tag4"),
  appended(4),
  { type: "unpublished", tag: "tag4", code: "indeterminate", may: true },
  publish("never"),
  { type: "unpublished", tag: "never", code: "forbidden", may: false },
  epoch("B", "A", 3),
  publish("tag5"),
  appended(4, { id: "id5", tag: "tag5" }, "B"),
  gap("diverged", { from: place(4), to: place(3, "B"), continuesAfter: place(3, "B") }),
  {
    type: "snapshot",
    sub: "s",
    position: place(3, "B"),
    state: ["tag1", "tag2", "tag3"].reduce(foldOne, EMPTY_STATE),
  },
  delivery(4, { id: "id5", tag: "tag5" }, "B"),
  { type: "published", tag: "tag5", position: { epoch: "B", offset: 4, id: "id5" } },
  page({ after: place(1), entries: [entry(2), entry(3)], more: true }),
  page({ after: null, before: place(3, "B"), epoch: "B", entries: [entry(1), entry(2)] }),
  { type: "held", what: "c", bytes: 10, bound: 10 },
  { type: "denied", action: "read", exists: true, answer: "no" },
  { type: "denied", action: "read", exists: false, answer: "no" },
  { type: "healed" },
  settled,
  { type: "left", what: "timers", count: 0 },
  { type: "rerun", hash: "x", again: "x" },
];

test("a sound history breaks no promise", () => {
  // What diverged is seen before it is withdrawn.
  const seen = SOUND.flatMap((event) => (event.type === "gap" ? [delivery(4), event] : [event]));
  expect(check(seen)).toEqual([]);
});

test("a state may be of a later epoch than the log that couldn't serve a position", () => {
  const began: HistoryEvent[] = [epoch("A"), publish("tag1"), appended(1), epoch("B", "A", 0)];
  const told: HistoryEvent[] = [
    ...subscribe({ hasState: true }),
    { type: "snapshot", sub: "s", position: place(0), state: EMPTY_STATE },
    delivery(1),
    epoch("C"),
    gap("diverged", { from: place(1), to: place(0, "B"), continuesAfter: place(0, "C") }),
    { type: "snapshot", sub: "s", position: place(0, "C"), state: EMPTY_STATE },
  ];
  expect(check([...began, ...told])).toEqual([]);
});

test("what a client that keeps the protocol may be told, where things cross, is no violation", () => {
  const codes = ["not_subscribed", "fenced", "forbidden", "limit_exceeded", "held", "removed"];
  const closes = ["done", "rate_limited", "session_in_use", "1006"];
  const told = codes.map((code) => ({ type: "told", connection: "c", code }) as const);
  const ended = closes.map((close) => ({ type: "verdict", connection: "c", close }) as const);
  expect(check([...told, ...ended])).toEqual([]);
});

type Broken = readonly [Rule, string, readonly HistoryEvent[]];

const BROKEN: readonly Broken[] = [
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
    "R2",
    "an id is in a log and again in the one after it was wiped",
    [epoch("A"), publish("tag1"), appended(1), epoch("B"), repeated(1, "tag1", "B")],
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
      epoch("A"),
      publish("tag1"),
      appended(1),
      { type: "unpublished", tag: "tag1", code: "forbidden", may: false },
    ],
  ],
  ["R5", "nobody published what is in the log", [epoch("A"), appended(1)]],
  ["R5", "a page has what was never appended", [epoch("A"), page({ entries: [entry(1)] })]],
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
    [epoch("A"), publish("tag2"), publish("tag1"), repeated(1, "tag1"), repeated(2, "tag2")],
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
      epoch("A"),
      publish("tag1"),
      appended(1),
      { type: "unpublished", tag: "tag1", code: "indeterminate", may: true },
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
      { type: "snapshot", sub: "s", position: place(0), state: "7:7" },
    ],
  ],
  [
    "R14",
    "a page has a hole",
    [epoch("A"), ...done(1), ...done(2), ...done(3), page({ entries: [entry(1), entry(3)] })],
  ],
  [
    "R14",
    "a page begins too late",
    [epoch("A"), ...done(1), ...done(2), page({ entries: [entry(2)] })],
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
      { type: "subscribe", sub: "s", channel, start: "latest", without: null, hasState: false },
      { type: "started", sub: "s", position: place(1) },
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
  [
    "R20",
    "a request is answered twice",
    [
      { type: "request", connection: "c", id: "1" },
      { type: "answer", connection: "c", re: "1" },
      { type: "answer", connection: "c", re: "1" },
    ],
  ],
  ["R20", "a request is never answered", [{ type: "request", connection: "c", id: "1" }, settled]],
  [
    "R21",
    "a publication has no outcome though all was healed",
    [epoch("A"), publish("tag1"), { type: "healed" }, settled],
  ],
  ["R21", "timers fire without end", [{ type: "idled", timers: 11, bound: 10 }]],
  ["R23", "a healthy subscriber is delayed", [{ type: "delayed", sub: "s", ms: 11, bound: 10 }]],
  ["R24", "something is left when all have gone", [{ type: "left", what: "timers", count: 1 }]],
  [
    "R25",
    "two are given different contents under one id",
    [epoch("A"), ...subscribe(), ...done(1), delivery(1, { tag: "other" })],
  ],
  [
    "R26",
    "what was acknowledged isn't delivered in the end",
    [epoch("A"), ...subscribe(), ...done(1), { type: "healed" }, settled],
  ],
  ["R27", "something crashes", [{ type: "crash", error: "boom" }]],
  ...["already_subscribed", "bad_message", "id_conflict", "not_ready", "too_large"].map(
    (code): Broken => [
      "R27",
      `a client is told ${code}`,
      [{ type: "told", connection: "c", code }],
    ],
  ),
  ...["bad_message", "protocol_violation", "too_large", "1002", "1007"].map((close): Broken => [
    "R27",
    `a connection is closed with ${close}`,
    [{ type: "verdict", connection: "c", close }],
  ]),
  [
    "R27",
    "a node sends what can't be read",
    [{ type: "unreadable", connection: "c", detail: "publication.event: expected text" }],
  ],
  ["R28", "a seed runs otherwise the second time", [{ type: "rerun", hash: "x", again: "y" }]],
];

for (const [rule, what, history] of BROKEN) {
  test(`${rule} is broken, and nothing else, when ${what}`, () => {
    expect(check(history).map((violation) => violation.rule)).toEqual([rule]);
  });
}
