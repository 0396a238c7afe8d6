// The checker finds where a start lies by the log and the wire, and asks nobody.
import type { HistoryEvent, Place } from "@tailwire/simulation";
import {
  answer,
  appended,
  channel,
  done,
  epoch,
  judge,
  place,
  publish,
  request,
  setting,
  subscribe,
} from "./histories.ts";

const cut = { type: "edge", channel, epoch: "A", offset: 1 } as const;
const cutAgain = { ...cut, offset: 2 };
const log = [epoch("A"), ...done(1), ...done(2), ...done(3), cut];
/** A subscription of an application that begins there. */
const begins = (start: unknown, at: number, changes: object = {}): HistoryEvent[] => [
  ...subscribe({ start, ...changes }).slice(0, 1),
  { type: "started", sub: "s", position: place(at), at: 0 },
];
/** The same on the wire. */
const answers = (start: unknown, at: number, changes: object = {}): HistoryEvent[] => [
  request("1", { what: "subscribe", channel, start }),
  answer("1", { position: place(at), ...changes }),
];
const told = (what: "caughtup" | "subscribed", position: Place): HistoryEvent => ({
  type: "told",
  connection: "c",
  what,
  channel,
  code: null,
  retry: false,
  position,
});
/** Half a minute passes, and as much again. */
const later = [30_000, 60_000].map((at) => request(`${at}`, { at }));
const timed = [1, 2, 3].flatMap((offset) => [
  publish(`tag${offset}`),
  appended(offset, { timestamp: 1_000 * offset }),
]);
const lateLog = [setting({ wall: 3_000 }), epoch("A"), ...timed];

judge([
  ["R16", "latest begins at 0", [...log, ...begins("latest", 0)], [...log, ...begins("latest", 3)]],
  [
    "R16",
    "latest begins before what it may miss, and joins nobody",
    [...log, ...begins("latest", 2)],
    [
      epoch("A"),
      ...done(1),
      ...subscribe({ sub: "other" }).slice(0, 1),
      { type: "started", sub: "other", position: place(1), at: 0 },
      ...done(2),
      ...begins("latest", 1),
    ],
  ],
  [
    "R6",
    "earliest begins where it was before it was asked for, and shares no other's question",
    [...log.slice(0, -1), cut, cutAgain, ...begins("earliest", 1)],
    [
      ...log,
      ...subscribe({ sub: "other", start: "earliest" }).slice(0, 1),
      cutAgain,
      ...begins("earliest", 1),
    ],
  ],
  ["R6", "earliest begins at the end", [...log, ...begins("earliest", 3)]],
  [
    "R6",
    "earliest begins before what is retained",
    [...log, ...begins("earliest", 0)],
    [...log, ...begins("earliest", 1)],
  ],
  [
    "R6",
    "a rewind by count begins elsewhere",
    [...log, ...begins({ rewind: { count: 1 } }, 3)],
    [...log, ...begins({ rewind: { count: 1 } }, 2)],
  ],
  [
    "R6",
    "a rewind by count begins before the edge",
    [...log, ...begins({ rewind: { count: 9 } }, 0)],
    [...log, ...begins({ rewind: { count: 9 } }, 1)],
  ],
  [
    "R6",
    "a rewind by age begins at the end",
    [...lateLog, ...begins({ rewind: { ageMs: 1_500 } }, 3)],
    [...lateLog, ...begins({ rewind: { ageMs: 1_500 } }, 1)],
  ],
  [
    "R6",
    "a rewind by age begins too early",
    [...lateLog, ...begins({ rewind: { ageMs: 1_500 } }, 0)],
    [
      ...lateLog,
      { type: "jumped", device: "broker", ms: -1_000, at: 0 },
      ...begins({ rewind: { ageMs: 1_500 } }, 0),
    ],
  ],
  [
    "R16",
    "a node answers latest with another place",
    [...log, ...answers("latest", 0)],
    [...log, ...answers("latest", 3)],
  ],
  [
    "R6",
    "a node answers earliest with the end",
    [...log, ...answers("earliest", 3)],
    [...log, ...answers("earliest", 1)],
  ],
  [
    "R6",
    "recovered is said of what was trimmed",
    [...log, ...answers(place(0), 0, { recovered: true })],
    [...log, ...answers(place(0), 0, { recovered: false })],
  ],
  [
    "R6",
    "recovered is said of what a node can't hold, where a broker was early only later",
    [...log, { ...cutAgain, early: true }, ...answers(place(0), 0, { recovered: true })],
    [...log, { ...cutAgain, early: true }, ...answers(place(1), 1, { recovered: true })],
  ],
  [
    "R6",
    "recovered is said of a place that is another publication's",
    [...log, ...answers({ ...place(2), id: "other" }, 2, { recovered: true })],
    [...log, ...answers(place(2), 2, { recovered: true })],
  ],
  [
    "R6",
    "it goes on from another place than was asked for",
    [...log, ...answers(place(2), 3, { recovered: true })],
  ],
  ["R6", "nothing is said of recovery", [...log, ...answers(place(2), 2)]],
  [
    "R11",
    "a gap is announced where there is none",
    [...log, ...answers(place(2), 2, { recovered: false })],
  ],
  [
    "R6",
    "caughtup is said before the end",
    [...log, ...answers("earliest", 1), told("caughtup", place(2))],
    [...log, ...answers("earliest", 1), told("caughtup", place(3))],
  ],
  [
    "R16",
    "a subscription that the server begins begins at 0",
    [...log, ...later, told("subscribed", place(0))],
    [...log, ...later, told("subscribed", place(3))],
  ],
]);
