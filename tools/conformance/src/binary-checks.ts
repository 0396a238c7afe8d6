/** Checks of payloads and of MessagePack (§4, §5): the same messages in other bytes. */
import type { BinaryPeer } from "./binary-peer.ts";
import { type Check, randomName, type Stage } from "./stage.ts";
import { must, quote } from "./verdict.ts";

const BYTES = Uint8Array.from([0, 1, 127, 128, 254, 255]);

/** A connection after welcome. */
async function welcomed(stage: Stage): Promise<BinaryPeer> {
  const peer = await stage.openBinary();
  peer.say(stage.hello());
  await peer.message(({ type }) => type === "welcome", "welcome");
  return peer;
}

/** Sends bytes that have to be answered as malformed, and to change nothing. */
async function refused(stage: Stage, what: string, bytes: readonly number[]): Promise<void> {
  const peer = await welcomed(stage);
  peer.sayBytes(Uint8Array.from(bytes));
  const error = await peer.message(({ type }) => type === "error", `error for ${what}`);
  const code = error.type === "error" ? error.code : "";
  must(code === "bad_message", `${what} was answered with ${code}`);
  const [ping = ""] = peer.say({ type: "ping" });
  await peer.answer(ping);
}

function bytesOf(fields: object): unknown {
  return "bytes" in fields ? fields.bytes : undefined;
}

export const BINARY_CHECKS: Readonly<Record<string, Check>> = {
  "VER-6": async (stage) => {
    const peer = await welcomed(stage);
    const channel = stage.channel();
    const { position } = await peer.ack({ type: "publish", channel, event: "conf", data: 1 });
    must(position !== undefined, "an ack came without its position");
    await peer.ack({ type: "subscribe", channel, start: "earliest" });
    const { type } = await peer.message((one) => one.type === "publication", "publication");
    must(type === "publication", "nothing is delivered");
  },

  "ENC-9": async (stage) => {
    const peer = await stage.welcomed();
    const channel = stage.channel();
    const head = { type: "publish", channel, event: "conf" };
    const bytes = Buffer.from(BYTES).toString("base64");
    await peer.ack({ ...head, bytes });
    await peer.subscribe(channel, "earliest");
    await peer.has(channel, 1);
    const line = peer.arrived.find(({ message }) => message.type === "publication")?.line ?? "{}";
    const came = JSON.parse(line) as { bytes?: unknown; data?: unknown };
    must(came.bytes === bytes && !("data" in came), `${quote(bytes)} came as ${quote(line)}`);
    const bad: object[] = [
      { bytes, data: 1 },
      {},
      { bytes: "AAE" },
      { bytes: "AA-_" },
      { bytes: 7 },
    ];
    for (let at = 0; at < bad.length; at += 2) {
      const other = await stage.welcomed();
      for (const fields of bad.slice(at, at + 2)) {
        await other.refusal({ ...head, ...fields }, "bad_message");
      }
    }
  },

  "ENC-10": async (stage) => {
    const peer = await welcomed(stage);
    const pings = Array.from({ length: 50 }, () => ({ type: "ping" }));
    for (const id of peer.say(...pings)) await peer.answer(id);
    await refused(stage, "a truncated map", [0x82, 0xa4, 0x74, 0x79]);
    await refused(stage, "a list", [0x91, 0x01]);
    await refused(stage, "an extension", [0x81, 0xa1, 0x61, 0xc7, 0x01, 0x05, 0x00]);
    await refused(stage, "a map of 2^32 - 1", [0xdf, 0xff, 0xff, 0xff, 0xff]);
    await refused(stage, "a key that isn't text", [0x81, 0x01, 0x01]);
    const nested = [...Array.from({ length: 66 }, () => 0x91), 0x01];
    await refused(stage, "66 levels", [0x81, 0xa1, 0x61, ...nested]);
    const batch = await welcomed(stage);
    const many = Array.from({ length: 1_025 }, () => ({ type: "ping" }));
    const [first = ""] = batch.say(...many);
    await batch.message(({ type }) => type === "error", "error for 1,025 maps");
    const [ping = ""] = batch.say({ type: "ping" });
    await batch.answer(ping);
    const carried = batch.messages.some((message) => "re" in message && message.re === first);
    must(!carried, "of 1,025 maps one was carried out");
  },

  "ENC-11": async (stage) => {
    const binary = await welcomed(stage);
    const text = await stage.welcomed();
    const channel = stage.channel();
    const data = { text: `grüße ${randomName()}`, list: [1, null, true] };
    await binary.ack({ type: "publish", channel, event: "conf", data });
    await binary.ack({ type: "publish", channel, event: "conf", bytes: BYTES });
    await text.publish(channel, data);
    await text.subscribe(channel, "earliest");
    const [first, second] = await text.has(channel, 2);
    must(quote(first?.data) === quote(data), `data came as ${quote(first)}`);
    must(Buffer.from(second?.bytes ?? []).equals(BYTES), `bytes came as ${quote(second)}`);
    await binary.ack({ type: "subscribe", channel, start: "earliest" });
    const third = await binary.message(
      (message) => message.type === "publication" && message.offset === 3,
      "publication 3",
    );
    const published = binary.messages.filter(({ type }) => type === "publication");
    const own = published[1];
    must(quote((third as { data?: unknown }).data) === quote(data), `came as ${quote(third)}`);
    const came = own === undefined ? undefined : bytesOf(own);
    must(
      came instanceof Uint8Array && Buffer.from(came).equals(BYTES),
      "bytes don't come as a bin",
    );
  },
};
