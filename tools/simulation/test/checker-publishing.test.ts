// The checker sees on the wire how often something was sent and what was answered, and asks nobody.
import type { HistoryEvent } from "@tailwire/simulation";
import {
  answer,
  appended,
  channel,
  client,
  epoch,
  judge,
  place,
  policy,
  publish,
  published,
  request,
  token,
  unpublished,
  wrote,
} from "./histories.ts";

const may = [client("ada"), policy(true), token()];
const comes = (id = "1", connection = "c") =>
  request(id, { connection, what: "publish", channel, grant: "c" });
const log = [...may, epoch("A"), publish("tag1"), wrote("tag1"), comes(), appended(1)];
/** The same again on another connection. */
const again = (changes: object = {}) => [
  wrote("tag1", { connection: "d", ageMs: 0, ...changes }),
  comes("1", "d"),
];
const given = (code: string) => unpublished("tag1", code, { may: true });

judge([
  [
    "R1",
    "an ack names a place in an epoch that was over before it was sent again",
    [...log, epoch("B"), ...again(), answer("1", { connection: "d", position: place(1) })],
    [...log, epoch("B"), answer("1", { position: place(1) })],
  ],
  [
    "R1",
    "an ack names a place that was lost with the log's end",
    [
      epoch("A"),
      publish("tag1"),
      appended(1),
      epoch("B", "A", 0),
      { ...published(1), position: place(1, "B") } as HistoryEvent,
    ],
    [epoch("A"), publish("tag1"), appended(1), epoch("B", "A", 1), published(1)],
  ],
  [
    "R9",
    "an ack on the wire names another place",
    [...log, answer("1", { position: place(2) })],
    [...log, answer("1", { position: place(1) })],
  ],
  [
    "R2",
    "what was sent again is taken again after the log was wiped, whatever its client says",
    [...log, epoch("B"), ...again(), appended(1, {}, "B")],
    [...log, epoch("B"), comes(), appended(1, {}, "B")].filter((event) => event !== log[5]),
  ],
  [
    "R5",
    "something is appended before it has come to a node",
    [...may, epoch("A"), publish("tag1"), wrote("tag1"), appended(1)],
    log,
  ],
  [
    "R8",
    "what is said to be sent again overtakes, and comes for the first time",
    [
      ...may,
      epoch("A"),
      publish("tag1"),
      publish("tag2"),
      wrote("tag2", { id: "2" }),
      comes("2"),
      appended(1, { tag: "tag2", id: "id2" }),
      wrote("tag1", { ageMs: 5 }),
      comes(),
      appended(2, { tag: "tag1", id: "id1" }),
    ],
    [
      ...may,
      epoch("A"),
      publish("tag1"),
      publish("tag2"),
      wrote("tag1", { connection: "lost" }),
      wrote("tag2", { id: "2" }),
      comes("2"),
      appended(1, { tag: "tag2", id: "id2" }),
      wrote("tag1", { ageMs: 5 }),
      comes(),
      appended(2, { tag: "tag1", id: "id1" }),
    ],
  ],
  [
    "R10",
    "what may have come is sent as if for the first time",
    [...log, ...again({ ageMs: null })],
    [...log.slice(0, -1), answer("1", { code: "held", retry: true }), ...again({ ageMs: null })],
  ],
  [
    "R10",
    "what is sent again says that it is younger than it is",
    [...log, ...again({ at: 500, ageMs: 400 })],
    [...log, ...again({ at: 500, ageMs: 500 })],
  ],
  [
    "R10",
    "what was given up is sent again",
    [...log, answer("1", { code: "indeterminate" }), given("indeterminate"), ...again()],
    [...log, given("taken back"), ...again()],
  ],
  [
    "R10",
    "what was acknowledged is sent again",
    [...log, published(1), ...again()],
    [
      ...log.slice(0, -1),
      answer("1", { code: "held", retry: true }),
      wrote("tag1"),
      comes(),
      appended(1),
      published(1),
      ...again(),
    ],
  ],
]);
