// The checker finds a client that numbers its publications as it may not [PUB-15].
import type { HistoryEvent } from "@tailwire/simulation";
import { client, epoch, judge, setting, wrote } from "./histories.ts";

/** Publications of one client, on connections of its own. */
const sends = (...each: readonly (readonly [sequence: number, settled: number])[]) => [
  setting({ window: 2 }),
  client("ada"),
  epoch("A"),
  ...["c", "d"].map((connection): HistoryEvent => ({ type: "link", connection, client: "ada" })),
  ...each.map(([sequence, settled]) => wrote(`tag${sequence}`, { sequence, settled })),
];
const again = (sequence: number, settled: number): HistoryEvent =>
  wrote(`tag${sequence}`, { connection: "d", sequence, settled, ageMs: 0 });
const connected: HistoryEvent = { type: "status", client: "ada", state: "connected", pending: 0 };

judge([
  ["R31", "what is settled falls", sends([1, 0], [2, 1], [3, 0]), sends([1, 0], [2, 1], [3, 1])],
  ["R31", "it is settled before it is sent", sends([1, 1]), sends([1, 0])],
  [
    "R31",
    "what was settled is sent again, on another connection",
    [...sends([1, 0], [2, 1]), again(1, 0)],
    [...sends([1, 0], [2, 1]), again(2, 1)],
  ],
  [
    "R31",
    "what was settled is sent again, as if it were not",
    [...sends([1, 0], [3, 2]), again(2, 2)],
    [...sends([1, 0], [3, 2]), again(3, 2)],
  ],
  [
    "R31",
    "one more than the window is sent",
    [...sends([1, 0], [2, 0]), connected, wrote("tag3")],
    [...sends([1, 0], [2, 0]), connected, again(1, 0), again(2, 0), wrote("tag3", { settled: 1 })],
  ],
  [
    "R31",
    "one more than the window is sent after more than that before it was known",
    [...sends([1, 0], [2, 0], [3, 0]), connected, wrote("tag4")],
    [...sends([1, 0], [2, 0], [3, 0]), connected, again(3, 0)],
  ],
  [
    "R31",
    "257 are sent before the window is known",
    sends(...Array.from({ length: 257 }, (_, index) => [index + 1, 0] as const)),
    sends(...Array.from({ length: 256 }, (_, index) => [index + 1, 0] as const)),
  ],
  ["R31", "it has no number", sends([Number.NaN, 0]), sends([1, 0])],
  ["R31", "it doesn't say what is settled", sends([1, Number.NaN]), sends([1, 0])],
]);
