/** Checks of §5 and the rules of §6: what is a message, and what is malformed. */
import { type Fields, inSequence, type Peer } from "./peer.ts";
import { type Check, randomName, type Stage } from "./stage.ts";
import { CannotJudge, must, quote } from "./verdict.ts";

const BATCH_MAX = 1_024;
const DEPTH_MAX = 64;
const KEYS_MAX = 32;
/** Larger messages are no matter for a judge. */
const BYTES_TRIED_MAX = 16_777_216;

interface Malformed {
  readonly text: string;
  readonly code?: string;
  /** The id that `re` has to name. */
  readonly re?: string;
  /** Malformed before it is parsed: nobody has to find the id. */
  readonly unparsed?: boolean;
}

/** Sends each as a WebSocket message, two per connection: a third one would close it. */
async function mustBeMalformed(stage: Stage, all: readonly Malformed[]): Promise<void> {
  for (let at = 0; at < all.length; at += 2) {
    const peer = await stage.welcomed();
    for (const malformed of all.slice(at, at + 2)) await refusedAsMalformed(peer, malformed);
    await peer.lives();
  }
}

async function refusedAsMalformed(
  peer: Peer,
  { text, code = "bad_message", re, unparsed = false }: Malformed,
): Promise<void> {
  const before = peer.messages.length;
  peer.sayText(text);
  const error = await peer.until(
    () => peer.messages.slice(before).find(({ type }) => type === "error" || type === "ack"),
    `error for ${quote(text)}`,
  );
  must(error.type === "error", `${quote(text)} was taken`);
  must(error.code === code, `${quote(text)} was answered with ${error.code}, not ${code}`);
  const named = error.re === re || (unparsed && error.re === undefined);
  must(named, `re is ${quote(error.re)} and not ${quote(re)} for ${quote(text)}`);
}

/** A message with what is to be malformed in it. */
function line(fields: Fields): Malformed & { readonly re: string } {
  const id = `m.${randomName()}`;
  return { text: JSON.stringify({ id, timestamp: 1, ...fields }), re: id };
}

/** A publish with data as raw text. */
function publishLine(channel: string, data: string, id = `m.${randomName()}`): Malformed {
  const head = { type: "publish", id, timestamp: 1, channel, event: "conf", ...inSequence() };
  return { text: `${JSON.stringify(head).slice(0, -1)},"data":${data}}`, re: id };
}

function nested(depth: number): string {
  return "[".repeat(depth) + "]".repeat(depth);
}

/** Publishes raw data, and gives the line that a subscriber gets. */
async function carried(stage: Stage, data: string): Promise<string> {
  const peer = await stage.welcomed();
  const channel = stage.channel();
  await peer.subscribe(channel);
  const { text, re = "" } = publishLine(channel, data);
  peer.sayText(text);
  await peer.placed(re);
  await peer.has(channel, 1);
  return peer.arrived.find(({ message }) => message.type === "publication")?.line ?? "";
}

const ENCODING: Readonly<Record<string, Check>> = {
  "ENC-1": async (stage) => {
    const peer = await stage.welcomed();
    const channel = stage.channel();
    const acks = await peer.publishMany(channel, 20);
    const offsets = acks.map(({ position }) => position.offset);
    const rising = offsets.every((offset, index) => offset > (offsets[index - 1] ?? 0));
    must(rising, `lines of one WebSocket message stand at ${quote(offsets)}`);
    for (let count = 0; count < 4; count += 1) peer.sayText("");
    const { text } = peer.line({ type: "ping" });
    peer.sayText(text);
    await peer.lives();
    const pong = peer.messages.some(
      (message) => message.type === "pong" && text.includes(message.re),
    );
    must(pong, "a last line without newline wasn't carried out");
    const ping = (): string => line({ type: "ping" }).text;
    await mustBeMalformed(stage, [
      { text: `${ping()}\n\n${ping()}\n` },
      { text: `\uFEFF${ping()}\n` },
      { text: "[]\n" },
    ]);
  },

  "ENC-2": async (stage) => {
    const peer = await stage.welcomed();
    const pings = (count: number): string =>
      Array.from({ length: count }, (_, at) => `{"type":"ping","id":"${at}","timestamp":1}\n`).join(
        "",
      );
    if (pings(BATCH_MAX + 1).length > peer.welcome.limits.messageBytesMax) {
      throw new CannotJudge("1,025 lines are over messageBytesMax there");
    }
    peer.sayText(pings(BATCH_MAX));
    await peer.answer(String(BATCH_MAX - 1));
    const before = peer.messages.length;
    await refusedAsMalformed(peer, { text: pings(BATCH_MAX + 1) });
    await peer.lives();
    const pongs = peer.messages.slice(before).filter(({ type }) => type === "pong").length;
    must(pongs === 1, `${pongs - 1} lines of a batch that is too long were carried out`);
  },

  "ENC-3": async (stage) => {
    const channel = stage.channel();
    const lines = [
      publishLine(channel, "1e400"),
      publishLine(channel, '{"deep":[-1e999]}'),
      { text: '{"type":"ping","id":"m.1","timestamp":1e400}', re: "m.1" },
    ];
    await mustBeMalformed(
      stage,
      lines.map((malformed) => ({ ...malformed, unparsed: true })),
    );
    const peer = await stage.welcomed();
    const { position } = await peer.subscribe(channel);
    must(position.offset === 0, "data with a number that no double holds is in the log");
  },

  "ENC-4": async (stage) => {
    await carried(stage, nested(DEPTH_MAX));
    await carried(stage, `"${nested(DEPTH_MAX + 10)}"`);
    const peer = await stage.welcomed();
    peer.sayText(publishLine(stage.channel(), nested(DEPTH_MAX + 1)).text);
    const error = await peer.message("error");
    must(error.code === "bad_message", `65 levels were answered with ${error.code}`);
    peer.sayText(publishLine(stage.channel(), "[".repeat(10_000)).text);
    await peer.lives();
  },

  "ENC-5": async (stage) => {
    const peer = await stage.welcomed();
    const { text, id } = peer.line({ type: "ping" });
    peer.sayBytes(Buffer.from(text), true);
    const error = await peer.message("error");
    must(error.code === "bad_message", `a binary message was answered with ${error.code}`);
    await peer.lives();
    const taken = peer.messages.some((message) => message.type === "pong" && message.re === id);
    must(!taken, "a binary message was carried out");
  },

  "ENC-6": async (stage) => {
    const sent = String.raw`{ "b" : 1 , "a":[1.50,1e3, null,"x y"], "b":2,"7":true,"lone":"\ud800" }`;
    const text = await carried(stage, sent);
    const { data } = JSON.parse(text) as { readonly data: unknown };
    const expected = JSON.stringify(sorted(JSON.parse(sent)));
    must(JSON.stringify(sorted(data)) === expected, `${quote(sent)} came as ${quote(text)}`);
    must(/\\ud800/i.test(text), "a lone surrogate didn't stay an escape");
    must(!/" *:  *|, +"/.test(text), `spaces stayed: ${quote(text)}`);
  },

  "ENC-7": async (stage) => {
    const peer = await stage.welcomed();
    const { messageBytesMax } = peer.welcome.limits;
    if (messageBytesMax > BYTES_TRIED_MAX) throw new CannotJudge("messageBytesMax is very large");
    const bare = peer.line({ type: "ping", padding: "" }).text.length;
    const { text, id } = peer.line({
      type: "ping",
      padding: "x".repeat(messageBytesMax - bare - 4),
    });
    peer.sayText(text.padEnd(messageBytesMax, " "));
    await peer.answer(id);
    peer.sayText(text.padEnd(messageBytesMax + 1, " "));
    await peer.closedWith(1009);
  },

  "ENC-8": async (stage) => {
    const peer = await stage.welcomed();
    peer.sayBytes(Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), false);
    await peer.closedWith(1007);
  },

  "CHAN-1": async (stage) => {
    const bad = ["", "a b", "a::b", ":a", "a/", "a/../b", ".", "a:..", "ä", "a\u0000", "a?b"];
    bad.push("x".repeat(201));
    await mustBeMalformed(
      stage,
      bad.map((channel) => ({
        ...line({ type: "subscribe", channel, start: "latest" }),
        code: "bad_channel",
      })),
    );
    const peer = await stage.welcomed();
    for (const channel of ["Az09_@+=,~!.-", "a:b/c", "...", "constructor", "x".repeat(200)]) {
      const answer = await peer.ask({ type: "subscribe", channel, start: "latest" });
      const named = answer.type === "error" && answer.code === "bad_channel";
      must(!named, `${quote(channel)} is a name, but was answered with bad_channel`);
    }
  },
};

/** Objects with their keys in order, so that two texts of one value are the same. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}

const MESSAGES: Readonly<Record<string, Check>> = {
  "MSG-1": async (stage) => {
    const channel = stage.channel();
    const publish = { type: "publish", channel, event: "conf", sequence: 2, settled: 1, data: 1 };
    await mustBeMalformed(stage, [
      { text: '{"type":"ping","timestamp":1}' },
      line({ type: 7 }),
      line({ type: "ping", timestamp: -1 }),
      line({ type: "ping", timestamp: 1.5 }),
      line({ type: "ping", timestamp: 2 ** 53 }),
      line({ type: "ping", timestamp: "1" }),
      line({ ...publish, event: "no spaces" }),
      line({ ...publish, event: "x".repeat(65) }),
      line({ ...publish, data: undefined }),
      line({ ...publish, repeat: { ageMs: -1 } }),
      line({ ...publish, sequence: undefined }),
      line({ ...publish, settled: undefined }),
      line({ ...publish, settled: 2 }),
      line({ type: "subscribe", channel, start: "newest" }),
      line({ type: "subscribe", channel, start: { rewind: { count: 1_000_001 } } }),
      { ...line({ type: "unsubscribe", channel: 7 }), code: "bad_channel" },
      {
        ...line({ type: "subscribe", channel, start: { epoch: "e", offset: "1", id: null } }),
        code: "bad_position",
      },
    ]);
  },

  "MSG-3": async (stage) => {
    const peer = await stage.welcomed();
    const channel = stage.channel();
    const requests = Array.from({ length: 100 }, (_, index) =>
      index % 2 === 0 ? { type: "ping" } : { type: "publish", channel, event: "conf", data: index },
    );
    const ids = peer.say(...requests, { type: "unsubscribe", channel });
    for (const id of ids) await peer.answer(id);
    await peer.lives();
  },

  "MSG-4": async (stage) => {
    await mustBeMalformed(stage, [
      line({ type: "conf-unknown" }),
      line({ type: "constructor", channel: stage.channel() }),
    ]);
  },

  "MSG-5": async (stage) => {
    const lines = ["__proto__", "constructor", "prototype"].map((key) => {
      const { text, re } = line({ type: "ping" });
      return { text: text.replace("{", `{"${key}":{},`), re };
    });
    await mustBeMalformed(stage, lines);
    const text = await carried(stage, '{"__proto__":{"a":1},"constructor":2,"prototype":3}');
    const { data } = JSON.parse(text) as { readonly data: object };
    const keys = Object.keys(data).toSorted();
    must(keys.length === 3, `of three keys within data came ${quote(keys)}`);
  },

  "MSG-6": async (stage) => {
    const extra = (count: number): Fields =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`x${index}`, { a: 1 }]));
    const peer = await stage.welcomed();
    const answer = await peer.ask({ type: "ping", ...extra(KEYS_MAX - 3) });
    must(answer.type === "pong", `a ping of 32 keys was answered with ${answer.type}`);
    await mustBeMalformed(stage, [line({ type: "ping", ...extra(KEYS_MAX - 2) })]);
  },

  "MSG-7": async (stage) => {
    const peer = await stage.welcomed();
    await refusedAsMalformed(peer, line({ type: "conf-unknown" }));
    await refusedAsMalformed(peer, { text: '{"type":"ping","id":"no spaces","timestamp":1}' });
    await peer.lives();
    peer.say({ type: "conf-unknown" });
    await peer.closedWith(4400);
  },
};

export const ENCODING_CHECKS: Readonly<Record<string, Check>> = { ...ENCODING, ...MESSAGES };
