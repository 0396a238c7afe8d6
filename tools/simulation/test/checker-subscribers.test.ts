// The checker holds subscribers to what they were told, what they handled, and what they are owed.
import { EMPTY_STATE, foldOne, type HistoryEvent } from "@tailwire/simulation";
import {
  channel,
  delivery,
  done,
  epoch,
  gap,
  judge,
  kept,
  place,
  publish,
  request,
  appended,
  caughtUp,
  settled,
  subscribe,
} from "./histories.ts";

const begun = [epoch("A"), ...subscribe(), ...done(1), ...done(2)];
const owed = [epoch("A"), ...subscribe({ hasState: true })];
const snapshot = (offset: number, state: string): HistoryEvent => ({
  type: "snapshot",
  sub: "s",
  position: place(offset),
  state,
  at: 0,
});
const edge = (offset: number, name = "A"): HistoryEvent => ({
  type: "edge",
  channel,
  epoch: name,
  offset,
});

const ahead: HistoryEvent = { type: "started", sub: "s", position: place(9), at: 0 };

/** Half a minute passes, and as much again. */
const later = [30_000, 60_000].map((at) => request(`${at}`, { at }));

judge([
  [
    "R7",
    "the position that is kept is behind what was handled",
    [...begun, delivery(1), delivery(2), kept(1)],
    [...begun, delivery(1), delivery(2), kept(2)],
  ],
  [
    "R7",
    "the position that is kept is ahead of what was handled",
    [...begun, delivery(1), delivery(2), kept(2, true)],
    [...begun, delivery(1), delivery(2), kept(1, true)],
  ],
  [
    "R7",
    "the position that is kept was passed over, and what lies there was wanted",
    [...begun, delivery(1), kept(2)],
    [
      epoch("A"),
      ...subscribe({ without: "bob" }),
      ...done(1),
      publish("tag2", "bob"),
      appended(2),
      delivery(1),
      kept(2),
    ],
  ],
  [
    "R12",
    "the state that is owed never comes, and nothing follows",
    [...owed, caughtUp, settled],
    [...owed, snapshot(0, EMPTY_STATE), caughtUp, settled],
  ],
  [
    "R12",
    "the state that is owed after a gap never comes, and nothing follows",
    [
      ...owed,
      snapshot(0, EMPTY_STATE),
      ...done(1),
      edge(1),
      gap("trimmed", { lost: 1 }),
      caughtUp,
      settled,
    ],
    [
      ...owed,
      snapshot(0, EMPTY_STATE),
      ...done(1),
      edge(1),
      gap("trimmed", { lost: 1 }),
      snapshot(1, foldOne(EMPTY_STATE, "tag1")),
      caughtUp,
      settled,
    ],
  ],
  [
    "R11",
    "a gap counts what nobody can",
    [...begun, epoch("B"), gap("epoch", { ...from0("B"), lost: 2 })],
    [...begun, epoch("B"), gap("epoch", from0("B"))],
  ],
  [
    "R11",
    "a gap by another epoch goes on beyond the edge",
    [...begun, ...newLog(), gap("epoch", from(3))],
    [...begun, ...newLog(), gap("epoch", from(2))],
  ],
  [
    "R21",
    "a subscriber is never told that it has everything",
    [epoch("A"), ...subscribe(), settled],
    [epoch("A"), ...subscribe(), caughtUp, settled],
  ],
  [
    "R21",
    "a subscriber is ahead of the log in the end",
    [epoch("A"), ...subscribe({ start: place(9) }).slice(0, 1), ahead, caughtUp, settled],
    [
      epoch("A"),
      ...subscribe({ start: place(9) }).slice(0, 1),
      ahead,
      gap("ahead", { from: place(9), to: place(0), continuesAfter: place(0) }),
      caughtUp,
      settled,
    ],
  ],
  [
    "R6",
    "a subscriber is told in the middle of a replay that it has everything",
    [
      epoch("A"),
      ...done(1),
      ...done(2),
      ...later,
      ...subscribe({ start: "earliest" }),
      delivery(1),
      caughtUp,
    ],
    [
      epoch("A"),
      ...done(1),
      ...done(2),
      ...later,
      ...subscribe({ start: "earliest" }),
      delivery(1),
      delivery(2),
      caughtUp,
    ],
  ],
]);

function from0(name: string): object {
  return { to: place(0, name), continuesAfter: place(0, name) };
}

function from(offset: number): object {
  return { to: place(offset, "B"), continuesAfter: place(offset, "B") };
}

function newLog(): readonly HistoryEvent[] {
  const entries = [1, 2].flatMap((offset) => {
    const tag = `new${offset}`;
    return [publish(tag), appended(offset, { id: tag, tag }, "B")];
  });
  return [epoch("B"), ...entries, edge(2, "B")];
}
