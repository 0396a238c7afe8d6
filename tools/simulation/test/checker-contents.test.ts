// The checker compares publications whole, whoever is given them and wherever they stand.
import { appended, delivery, entry, epoch, judge, page, publish, subscribe } from "./histories.ts";

const begun = [epoch("A"), ...subscribe(), publish("tag1"), appended(1)];

judge([
  [
    "R25",
    "a subscriber is given another payload under the same id",
    [...begun, delivery(1, { content: "cut" })],
    [...begun, delivery(1)],
  ],
  ["R25", "a subscriber is given another event", [...begun, delivery(1, { event: "drawn" })]],
  ["R25", "a subscriber is given another publisher", [...begun, delivery(1, { publisher: "Bob" })]],
  ["R25", "a subscriber is given another timestamp", [...begun, delivery(1, { timestamp: 1 })]],
  [
    "R25",
    "a page has another payload than the log",
    [...begun, ...page({ entries: [entry(1, { content: "cut" })] })],
    [...begun, ...page({ entries: [entry(1)] })],
  ],
  [
    "R5",
    "what is in the log was published with another payload",
    [epoch("A"), publish("tag1"), appended(1, { content: "cut" })],
    [epoch("A"), publish("tag1"), appended(1)],
  ],
  [
    "R5",
    "what is in the log was published as another event",
    [epoch("A"), publish("tag1"), appended(1, { event: "drawn" })],
  ],
  [
    "R5",
    "two users have one public id",
    [epoch("A"), publish("tag1"), appended(1), publish("tag2", "bob", { as: "bob" }), appended(2)],
    [
      epoch("A"),
      publish("tag1"),
      appended(1),
      publish("tag2", "bob", { as: "bob" }),
      appended(2, { publisher: "Bob" }),
    ],
  ],
  [
    "R5",
    "one session has two public ids",
    [epoch("A"), publish("tag1"), appended(1), publish("tag2"), appended(2, { publisher: "Bob" })],
  ],
  [
    "R5",
    "what the server published has a publisher",
    [epoch("A"), publish("tag1", "node", { as: null }), appended(1)],
    [epoch("A"), publish("tag1", "node", { as: null }), appended(1, { publisher: null })],
  ],
  [
    "R5",
    "timestamps of a log go back",
    [
      epoch("A"),
      publish("tag1"),
      appended(1, { timestamp: 2 }),
      publish("tag2"),
      appended(2, { timestamp: 1 }),
    ],
    [
      epoch("A"),
      publish("tag1"),
      appended(1, { timestamp: 1 }),
      publish("tag2"),
      appended(2, { timestamp: 1 }),
    ],
  ],
]);
