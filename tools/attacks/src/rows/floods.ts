/** Floods of one connection: what costs the server more than it costs the attacker. */
import { randomBytes } from "node:crypto";
import { msgpackCodec } from "@tailwire/protocol/msgpack";
import { type Flood, floodRow } from "../flood.ts";
import { fragments, frame, OPCODES, repeated } from "../frames.ts";
import { line, lines, Peer } from "../peer.ts";
import type { Row } from "../row.ts";

/** Bytes written at once. */
const BATCH_BYTES = 65_536;

/** A message near `messageBytesMax`. */
const LARGE = 65_000;

const many = (payload: string, opcode: number = OPCODES.text): Buffer =>
  repeated(frame(payload, { opcode }), BATCH_BYTES);

/** A publication whose data is this JSON text. */
const published = (data: string, channel = "room:1"): string =>
  line({ type: "publish", channel, event: "e", data: 0 }).replace('"data":0', `"data":${data}`);

const filled = (unit: string): string => unit.repeat(Math.floor(LARGE / unit.length));

/** A connection that follows so many channels. */
async function following(port: number, count: number, pattern = "room"): Promise<Peer> {
  const peer = await Peer.welcomed(port);
  const start = "latest";
  const subscribes = lines(count, (index) => ({
    type: "subscribe",
    channel: `${pattern}:${index}`,
    start,
  }));
  peer.send(frame(subscribes));
  await peer.hears(`"channel":"${pattern}:${count - 1}"`);
  return peer;
}

/** A connection to a room in which so much was said. */
async function beforeRoom(port: number): Promise<Peer> {
  const peer = await Peer.welcomed(port);
  const publish = { type: "publish", channel: "room:read", event: "e", data: 1 };
  for (let said = 0; said < 1_000; said += 500) peer.send(frame(lines(500, () => publish)));
  peer.send(frame(line({ type: "subscribe", channel: "room:read", start: "latest" })));
  await peer.hears('"caughtup"');
  return peer;
}

const TOKENS: readonly Flood[] = [
  {
    id: "B1",
    title: "900 fresh tokens in a message, with 256 subscriptions",
    prepare: (port) => following(port, 256),
    bytes: () => frame(lines(900, (index) => ({ type: "authenticate", token: `ada.${index}` }))),
  },
  {
    id: "B1-single",
    title: "fresh tokens in messages of their own, with 256 subscriptions",
    prepare: (port) => following(port, 256),
    bytes: () => many(line({ type: "authenticate", token: "ada.1" })),
  },
  {
    id: "B1-sluggish",
    title: "fresh tokens, where asking about each of 256 subscriptions takes 1 ms",
    prepare: (port) => following(port, 256, "sluggish"),
    bytes: () => frame(lines(900, (index) => ({ type: "authenticate", token: `ada.${index}` }))),
    isDear: true,
  },
];

const REQUESTS: readonly Flood[] = [
  {
    id: "B1-churn",
    title: "subscribing to one channel and leaving it, 600 lines in a message",
    bytes: () =>
      frame(
        lines(600, (index) =>
          index % 2 === 0
            ? { id: "x", type: "subscribe", channel: "room:a", start: "latest" }
            : { id: "x", type: "unsubscribe", channel: "room:a" },
        ),
      ),
  },
  {
    id: "B1-requests",
    title: "900 requests in a message, each answered at once",
    bytes: () => frame(lines(800, () => ({ type: "request", name: "echo", data: 1 }))),
  },
  {
    id: "B1-sluggish-requests",
    title: "800 requests in a message, each of which takes 1 ms",
    bytes: () => frame(lines(700, () => ({ type: "request", name: "sluggish", data: 1 }))),
    isDear: true,
  },
  {
    id: "B1-reads",
    title: "pages of 1,000 publications, 500 in a message",
    prepare: beforeRoom,
    bytes: () => frame(lines(500, () => ({ type: "read", channel: "room:read", count: 1_000 }))),
  },
  {
    id: "B1-publish",
    title: "500 publications in a message",
    bytes: () =>
      frame(lines(500, () => ({ type: "publish", channel: "room:p", event: "e", data: 1 }))),
  },
  {
    id: "B1-hooked",
    title: "500 publications to as many channels in a message, each asked about for 1 ms",
    bytes: () =>
      frame(
        lines(500, (index) => ({
          type: "publish",
          channel: `hooked:${index}`,
          event: "e",
          data: 1,
        })),
      ),
    isDear: true,
  },
];

const PARSERS: readonly Flood[] = [
  {
    id: "B2",
    title: "209 digits and a letter, over and over",
    bytes: () => frame(published(`"${filled(`${"1".repeat(209)}a`)}"`)),
  },
  {
    id: "B2-numbers",
    title: "1e100 and 20,000 empty lists",
    bytes: () => frame(published(`[1e100,${filled("[],")}1]`)),
  },
  {
    id: "B2-base64",
    title: "48 KiB of bytes as base64",
    bytes: () => frame(published("0").replace('"data":0', `"bytes":"${filled("AAAA")}"`)),
  },
  {
    id: "B2-msgpack",
    title: "209 digits and a letter as MessagePack's data",
    prepare: speakingMsgpack,
    bytes: () => packed({ data: { text: `"${filled(`${"1".repeat(209)}a`)}"` } }),
  },
  {
    id: "B2-keys",
    title: "500 keys that nobody else has in each of ten messages, as MessagePack",
    prepare: speakingMsgpack,
    bytes: () => {
      const messages = Array.from({ length: 10 }, (_, message) => {
        const keys = Array.from({ length: 490 }, (_key, index) => [`${message}k${index}`, 1]);
        return encoded({ type: "ping", unknown: Object.fromEntries(keys) as unknown });
      });
      return frame(Buffer.concat(messages), { opcode: OPCODES.binary });
    },
  },
];

/** A connection that speaks MessagePack. */
async function speakingMsgpack(port: number): Promise<Peer> {
  const peer = await Peer.open(port, { subprotocol: "tailwire.v1.msgpack" });
  const session = randomBytes(16).toString("base64url");
  const client = { name: "raw", version: "1" };
  const message = encoded({ type: "hello", session, generation: 1, client });
  peer.send(frame(message, { opcode: OPCODES.binary }));
  await peer.hears("welcome");
  return peer;
}

const packed = (fields: object): Buffer =>
  frame(
    encoded({ type: "publish", channel: "room:1", event: "e", sequence: 1, settled: 0, ...fields }),
    {
      opcode: OPCODES.binary,
    },
  );

/** A message as MessagePack. */
function encoded(fields: object): Uint8Array {
  const message = { id: "p", timestamp: 1, ...fields };
  return msgpackCodec.encode(message as Parameters<typeof msgpackCodec.encode>[0]) as Uint8Array;
}

const FRAMES: readonly Flood[] = [
  { id: "B3", title: "empty text messages", bytes: () => many("") },
  {
    id: "B3-pings",
    title: "messages of 40 bytes",
    bytes: () => many('{"type":"ping","id":"p","timestamp":1}'),
  },
  { id: "B4", title: "pongs", bytes: () => many("", OPCODES.pong), closes: 4429 },
  { id: "B4-pings", title: "pings", bytes: () => many("", OPCODES.ping), closes: 4429 },
  {
    id: "B5",
    title: "messages of 60 empty fragments",
    bytes: () => repeated(fragments(60, ""), BATCH_BYTES),
  },
  {
    id: "B5-tiny",
    title: "messages of 60 fragments of a byte",
    bytes: () => repeated(fragments(60, " "), BATCH_BYTES),
    closes: 4400,
  },
  {
    id: "B5-split",
    title: "a ping in 40 fragments",
    bytes: () => repeated(split('{"type":"ping","id":"p","timestamp":1}  '), BATCH_BYTES),
  },
];

/** A message with a byte to each fragment. */
function split(text: string): Buffer {
  return Buffer.concat(
    Array.from(text, (character, index) =>
      frame(character, {
        opcode: index === 0 ? OPCODES.text : OPCODES.continuation,
        fin: index === text.length - 1,
      }),
    ),
  );
}

const LINES: readonly Flood[] = [
  {
    id: "B6-hellos",
    title: "hello again, 500 in a message",
    bytes: () =>
      frame(
        lines(400, () => ({
          type: "hello",
          session: "session-of-an-attacker",
          generation: 1,
          client: { name: "r", version: "1" },
        })),
      ),
  },
  {
    id: "B6-open",
    title: "1,024 lines of rubbish after hello",
    bytes: () => frame("x\n".repeat(1_024)),
    closes: 4400,
  },
  {
    id: "B6-empty",
    title: "65,000 empty lines",
    bytes: () => frame("\n".repeat(LARGE)),
    closes: 4400,
  },
];

export const FLOODS: readonly Row[] = [...TOKENS, ...REQUESTS, ...PARSERS, ...FRAMES, ...LINES].map(
  floodRow,
);
