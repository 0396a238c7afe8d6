// Channel names and positions as attackers send them: a grammar that lets nothing through, and
// forged positions that end in a gap that says so.
import { expect, test } from "vitest";
import { offsets, Peer } from "./peer.ts";
import { raw, type Row, testRows } from "./stranger.ts";
import { serve, until, upTo } from "./support.ts";

const EPOCH = "x".repeat(16);
const start = (value: unknown) => ({ type: "subscribe", channel: "room:1", start: value });
const position = (offset: unknown, epoch: unknown = EPOCH, id: unknown = null) =>
  start({ epoch, offset, id });
const rawOffset = (offset: string): string =>
  raw(
    `"type":"subscribe","channel":"room:1","start":{"epoch":"${EPOCH}","offset":${offset},"id":null}`,
  );

const positions: readonly Row[] = [
  ["[DEL-1]", "an offset below 0", position(-1), "bad_position"],
  ["[DEL-1]", "an offset of 1.5", position(1.5), "bad_position"],
  ["[DEL-1]", "an offset of 2^53", position(2 ** 53), "bad_position"],
  ["[DEL-1]", "an offset as text", position("1"), "bad_position"],
  ["[ENC-3]", "an offset of 1e400", rawOffset("1e400"), "bad_message"],
  ["[ENC-3]", "an offset of -1e400", rawOffset("-1e400"), "bad_message"],
  ["[ENC-3]", "an offset of NaN", rawOffset("NaN"), "bad_message"],
  ["[DEL-1]", "an empty epoch", position(1, ""), "bad_position"],
  ["[DEL-1]", "an epoch of 65 characters", position(1, "x".repeat(65)), "bad_position"],
  ["[DEL-1]", "an epoch that is an object", position(1, {}), "bad_position"],
  ["[DEL-1]", "an id of 129 characters", position(1, EPOCH, "x".repeat(129)), "bad_position"],
  ["[DEL-1]", "a position without an id", start({ epoch: EPOCH, offset: 1 }), "bad_position"],
  ["[MSG-1]", "a start of another word", start("now"), "bad_message"],
  ["[MSG-1]", "a start of no kind", start({}), "bad_message"],
  ["[MSG-1]", "a start that is null", start(null), "bad_message"],
  ["[MSG-1]", "a start that is a list", start([]), "bad_message"],
  [
    "[CHAN-1]",
    "a start with only __proto__",
    raw('"type":"subscribe","start":{"__proto__":1}'),
    "bad_channel",
  ],
  ["[MSG-1]", "a rewind below 0", start({ rewind: { count: -1 } }), "bad_message"],
  ["[MSG-1]", "a rewind of 1e9", start({ rewind: { count: 1e9 } }), "bad_message"],
  ["[MSG-1]", "a rewind of no kind", start({ rewind: {} }), "bad_message"],
];

const badNames: readonly (readonly [string, unknown])[] = [
  ["an empty channel", ""],
  ["a channel of 10 KB", "x".repeat(10_240)],
  ["a channel of 201 characters", `room:${"x".repeat(196)}`],
  ["a channel with NUL", "room:\u0000"],
  ["a channel with CR and LF", "room:1\r\nSET x"],
  ["a channel with a last newline", "room:1\n"],
  ["a channel with ..", "room:../secret"],
  ["a channel that ends in ..", "room:.."],
  ["a channel with a look-alike", "r\u043eom:1"],
  ["a channel that isn't NFC", "room:e\u0301"],
  ["a channel with *", "room:*"],
  ["a channel with >", "room:>"],
  ["a channel with braces", "room:{1}"],
  ["a channel with a space", "room: 1"],
  ["a channel with %31", "room:%31"],
  ["a channel with a lone surrogate", "room:\ud800"],
  ["a channel that ends in a separator", "room:"],
  ["a channel that is a list", ["room:1"]],
  ["a channel that is null", null],
];

const forbiddenNames = ["__proto__", "constructor", "toString", "room", "room:1:2", "other:1"];

const subscribeTo = (channel: unknown) => ({ type: "subscribe", channel, start: "earliest" });
const publishTo = (channel: unknown) => ({ type: "publish", channel, event: "message", data: 1 });

const channels: readonly Row[] = [
  ...badNames.flatMap(([what, channel]): Row[] => [
    ["[CHAN-1]", what, subscribeTo(channel), "bad_channel"],
    ["[CHAN-1]", `${what}, published to,`, publishTo(channel), "bad_channel"],
  ]),
  ...forbiddenNames.flatMap((channel): Row[] => [
    ["[AUTH-7]", `a channel ${channel}`, subscribeTo(channel), "forbidden"],
    ["[AUTH-7]", `a channel ${channel}, published to,`, publishTo(channel), "forbidden"],
  ]),
];

testRows(positions, (port) => Peer.welcomed(port));
testRows(channels, (port) => Peer.welcomed(port));

test("[AUTH-7] channels that nothing declares are all answered alike", async () => {
  const { port } = await serve();
  const peer = await Peer.welcomed(port);
  peer.say(...forbiddenNames.map(subscribeTo));
  await peer.message("error", ({ re }) => re === peer.lastId);
  const errors = peer.messages.filter(({ type }) => type === "error");
  const told = errors.map(({ id: _id, re: _re, timestamp: _timestamp, ...rest }) => rest);
  expect(told).toEqual(upTo(6).map(() => told[0]));
});

const forged: readonly [string, (epoch: string) => object, string, boolean][] = [
  ["a position of another epoch", () => ({ epoch: EPOCH, offset: 3, id: null }), "epoch", true],
  ["a future offset", (epoch) => ({ epoch, offset: 1_000, id: null }), "ahead", false],
  [
    "an offset of 2^53 − 1",
    (epoch) => ({ epoch, offset: Number.MAX_SAFE_INTEGER, id: null }),
    "ahead",
    false,
  ],
  ["another's id", (epoch) => ({ epoch, offset: 3, id: "someone/else.1" }), "diverged", true],
];

for (const [what, forge, reason, replays] of forged) {
  test(`[${reason === "diverged" ? "[DEL-6]" : "[DEL-4]"}] ${what} is answered with a gap "${reason}", and goes on from what it names`, async () => {
    const { port, tailwire } = await serve();
    const channel = tailwire.channel("room:{id}", { id: "1" });
    let epoch = "";
    for (const value of upTo(5)) {
      ({ epoch } = (await channel.publish("message", value)).position);
    }
    const peer = await Peer.welcomed(port);
    peer.say({ type: "subscribe", channel: "room:1", start: forge(epoch) });
    expect(await peer.message("ack")).toMatchObject({ recovered: false });
    await peer.message("caughtup");
    expect(await peer.message("gap")).toMatchObject({ reason, lost: null });
    await channel.publish("message", 6);
    await until(() => offsets(peer).includes(6), "the next publication");
    expect(offsets(peer)).toEqual(replays ? upTo(6) : [6]);
  });
}
