// Bad input over real sockets: malformed messages, violations of WebSocket and of the
// conversation's order. Each has its code.
import { expect, test } from "vitest";
import { frame, helloMessage, OPCODES, Peer, subscribed } from "./peer.ts";
import { expectUnharmed, fragments, raw, type Row, testRows } from "./stranger.ts";
import { serve, upTo } from "./support.ts";

const publish = { type: "publish", channel: "room:1", event: "message", data: 1 };
const subscribe = { type: "subscribe", channel: "room:1", start: "latest" };
const ping = { type: "ping" };
const rawPublish = (data: string): string =>
  raw(
    `"type":"publish","channel":"room:1","event":"message","sequence":1,"settled":0,"data":${data}`,
  );
const many = Object.fromEntries(upTo(33).map((n) => [`k${n}`, n]));

const messages: readonly Row[] = [
  ["[ENC-1]", "garbage text", "\u0000garbage\uffff", "bad_message"],
  ["[ENC-1]", "an empty line", "\n", "bad_message"],
  ["[ENC-1]", "a BOM before a message", `\ufeff${raw('"type":"ping"')}`, "bad_message"],
  ["[ENC-5]", "a binary message", frame("{}", { opcode: OPCODES.binary }), "bad_message"],
  ["[ENC-1]", "truncated JSON", '{"type":"ping","id":"r1"', "bad_message"],
  ["[ENC-4]", "JSON 65,000 deep", "[".repeat(65_000), "bad_message"],
  ["[ENC-4]", "data 100 deep", rawPublish(`${"[".repeat(100)}${"]".repeat(100)}`), "bad_message"],
  ["[ENC-1]", "a list", "[]", "bad_message"],
  ["[ENC-1]", "null", "null", "bad_message"],
  ["[MSG-4]", "an unknown type", { type: "request" }, "bad_message"],
  ["[MSG-4]", "a server's type", { type: "welcome" }, "bad_message"],
  ["[MSG-4]", "a type that objects have", { type: "hasOwnProperty" }, "bad_message"],
  ["[MSG-4]", "a type __proto__", { type: "__proto__" }, "bad_message"],
  ["[MSG-4]", "a type that is a list", { type: ["ping"] }, "bad_message"],
  ["[MSG-4]", "a message without a type", {}, "bad_message"],
  ["[MSG-6]", "a message of 36 keys", { ...ping, ...many }, "bad_message"],
  [
    "[ENC-2]",
    "a batch of 1,025 messages",
    `${raw('"type":"ping"')}\n`.repeat(1_025),
    "bad_message",
  ],
  ["[MSG-5]", "a key __proto__", raw('"type":"ping","__proto__":{"polluted":1}'), "bad_message"],
  [
    "[MSG-5]",
    "a key constructor",
    raw('"type":"ping","constructor":{"prototype":{}}'),
    "bad_message",
  ],
  ["[MSG-7]", "an id of 65 characters", { ...ping, id: "x".repeat(65) }, "bad_message"],
  ["[MSG-1]", "an empty id", { ...ping, id: "" }, "bad_message"],
  ["[MSG-7]", "an id with a newline", { ...ping, id: "a\nb" }, "bad_message"],
  ["[MSG-7]", "an id that is a number", { ...ping, id: 7 }, "bad_message"],
  ["[ENC-3]", "a timestamp of 1e400", '{"type":"ping","id":"r1","timestamp":1e400}', "bad_message"],
  ["[MSG-1]", "a timestamp of 2^53", { ...ping, timestamp: 2 ** 53 }, "bad_message"],
  ["[MSG-1]", "a timestamp below 0", { ...ping, timestamp: -1 }, "bad_message"],
  ["[ENC-3]", "data of 1e400", rawPublish("1e400"), "bad_message"],
  ["[ENC-3]", "data of NaN", rawPublish("NaN"), "bad_message"],
  ["[MSG-1]", "a publish without data", { ...publish, data: undefined }, "bad_message"],
  ["[MSG-1]", "an event with a space", { ...publish, event: "a b" }, "bad_message"],
  ["[MSG-1]", "an event of 65 characters", { ...publish, event: "e".repeat(65) }, "bad_message"],
  ["[MSG-1]", "a repeat of negative age", { ...publish, repeat: { ageMs: -1 } }, "bad_message"],
  ["[CONN-2]", "a second hello", helloMessage(2), "not_ready"],
  [
    "[SUB-6]",
    "an unsubscribe of nothing",
    { type: "unsubscribe", channel: "room:1" },
    "not_subscribed",
  ],
];

const violations: readonly Row[] = [
  ["[ENC-7]", "a message over 64 KiB", "x".repeat(65_537), 1009],
  ["[ENC-7]", "a frame of 2^62 bytes", Buffer.from([0x81, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0]), 1009],
  ["[ENC-7]", "fragments over 64 KiB", fragments(40, "x".repeat(2_000)), 1009],
  ["[CLOSE-1]", "endless empty fragments", fragments(1_000, ""), 1008],
  ["[ENC-8]", "invalid UTF-8", frame(Buffer.from([0x22, 0xff, 0x22])), 1007],
  ["[CLOSE-1]", "an unmasked message", frame("{}", { masked: false }), 1002],
  [
    "[CLOSE-1]",
    "an unmasked close",
    frame(Buffer.from([3, 232]), { opcode: 8, masked: false }),
    1002,
  ],
  ["[CLOSE-1]", "a reserved bit", frame("{}", { reserved: 0x40 }), 1002],
  ["[CLOSE-1]", "a close of one byte", frame("x", { opcode: OPCODES.close }), 1002],
  [
    "[MSG-7]",
    "a batch of five bad messages",
    "1\n2\n3\n4\n5\n",
    { code: "bad_message", close: 4400 },
  ],
];

const early = { code: "not_ready", close: 4502 };
const bad = { code: "bad_message", close: 4502 };
const hello = helloMessage();
const behind = `${rawPublish("1")}\n${JSON.stringify({ id: "r2", timestamp: 1, ...hello })}`;

const first: readonly Row[] = [
  ["[CONN-2]", "a publish before hello", publish, early],
  ["[CONN-2]", "a subscribe before hello", subscribe, early],
  ["[CONN-2]", "an unsubscribe before hello", { type: "unsubscribe", channel: "room:1" }, early],
  ["[CONN-2]", "a ping before hello", ping, early],
  ["[CONN-2]", "a publish with a hello behind it", behind, early],
  ["[CONN-5]", "garbage before hello", "garbage", bad],
  ["[CONN-5]", "a binary message before hello", frame("x", { opcode: OPCODES.binary }), bad],
  ["[CONN-5]", "a session of 15 characters", { ...hello, session: "x".repeat(15) }, bad],
  ["[CONN-5]", "a generation of 0", { ...hello, generation: 0 }, bad],
  ["[CONN-5]", "a hello without a client", { ...hello, client: undefined }, bad],
  ["[CONN-4]", "a first message over 16 KiB", "x".repeat(16_385), 1009],
  ["[CONN-4]", "a first message over 64 KiB", "x".repeat(65_537), 1009],
];

testRows(messages, (port) => Peer.welcomed(port));
testRows(violations, (port) => Peer.welcomed(port));
testRows(first, (port) => Peer.open(port));

test("[MSG-7] the third bad message closes with 4400, after an answer to each", async () => {
  const served = await serve();
  const witness = await subscribed(served.port, "room:1");
  const peer = await Peer.welcomed(served.port);
  for (const type of ["a", "b"]) {
    peer.say({ type });
    expect(await peer.lives()).toBe(true);
  }
  peer.say({ type: "c" });
  expect(await peer.closed()).toEqual({ code: 4400, reason: "bad_message" });
  const errors = peer.messages.filter(({ type }) => type === "error");
  expect(errors.map((error) => error["code"])).toEqual(upTo(3).map(() => "bad_message"));
  await expectUnharmed(served, witness, 1);
});

test("[MSG-4] good messages of a batch are carried out around a bad one", async () => {
  const served = await serve();
  const peer = await Peer.welcomed(served.port);
  peer.say(publish, { type: "nonsense" }, { ...publish, data: 2 });
  await peer.message("ack", ({ re }) => re === "r4");
  expect(served.broker.appended.map(({ data }) => data)).toEqual(["1", "2"]);
  expect(peer.messages.filter(({ type }) => type === "error").map(({ re }) => re)).toEqual(["r3"]);
});

test("[MSG-6, MSG-5] unknown fields are ignored, and keys named __proto__ in data stay data", async () => {
  const served = await serve();
  const witness = await subscribed(served.port, "room:1");
  const peer = await Peer.welcomed(served.port);
  peer.socket.write(frame(rawPublish('{"__proto__":{"polluted":true},"constructor":1}')));
  peer.say({ ...publish, later: { revision: 2 } });
  await peer.message("ack", ({ re }) => re === peer.lastId);
  await witness.message("publication", ({ offset }) => offset === 2);
  expect(served.broker.appended[0]?.data).toBe('{"__proto__":{"polluted":true},"constructor":1}');
  expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
});
