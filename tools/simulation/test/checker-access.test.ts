// The checker knows who may see and who may publish, pages and clock jumps included.
import {
  appended,
  channel,
  epoch,
  judge,
  policy,
  publish,
  request,
  sent,
  token,
  wrote,
} from "./histories.ts";

const asked = (changes: object) =>
  request("1", { what: "publish", channel, grant: "c", ...changes });
const publishes = (changes: object = {}) => [
  epoch("A"),
  publish("tag1"),
  wrote("tag1"),
  asked(changes),
  appended(1),
];

judge([
  [
    "R17",
    "something is appended of who may not publish",
    [token(), ...publishes()],
    [policy(true), token(), ...publishes()],
  ],
  [
    "R17",
    "something is appended that came on a connection without a token",
    [policy(true), token(), ...publishes({ grant: null })],
  ],
  [
    "R17",
    "something is appended that came long after the token's end",
    [policy(true), token({ expiresAt: 1_000 }), ...publishes({ wall: 6_251 })],
    [policy(true), token({ expiresAt: 1_000 }), ...publishes({ wall: 6_250 })],
  ],
  [
    "R17",
    "something is appended after it was forbidden and a fresh token came",
    [policy(true), policy(false), token(), ...publishes({ at: 5_251 })],
    [policy(true), policy(false), token(), ...publishes({ at: 5_250 })],
  ],
  [
    "R17",
    "a clock jumps ahead of the token's end, and the channel is sent still",
    [policy(true), token({ expiresAt: 1_000 }), sent(1_000_000, 10)],
    [policy(true), token({ expiresAt: 1_000 }), sent(900, 10)],
  ],
]);
