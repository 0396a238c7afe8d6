// MessagePack over real sockets: the same log, the same promises, other bytes.
import { describe, expect, test } from "vitest";
import { msgpackCodec } from "@tailwire/protocol/msgpack";
import { frame, OPCODES, Peer } from "./peer.ts";
import { connect, Follower, serve, until } from "./support.ts";

const BYTES = Uint8Array.from({ length: 256 }, (_, index) => index);
const OFFER = { headers: { "Sec-WebSocket-Protocol": "tailwire.v1.msgpack, tailwire.v1.json" } };

describe("[VER-6] a client that prefers MessagePack", () => {
  test("speaks it with a server that does", async () => {
    const { url, tailwire, port } = await serve({ codecs: [msgpackCodec] });
    const follower = new Follower(
      connect(url, { codec: msgpackCodec }).channel("room:1").subscribe({ start: "earliest" }),
    );
    const publisher = connect(url, { codec: msgpackCodec });
    const sent = [1, "grüße", { nested: [null, true, 1.5] }, BYTES, []];
    for (const data of sent) await publisher.channel("room:1").publish("message", data);
    await follower.has(sent.length);
    expect(follower.data).toEqual(sent);
    expect(tailwire.stats().errors).toEqual({});
    const peer = await Peer.open(port, OFFER);
    expect(peer.response?.headers.get("sec-websocket-protocol")).toBe("tailwire.v1.msgpack");
  });

  test("speaks JSON with a server that doesn't", async () => {
    const { url } = await serve();
    const client = connect(url, { codec: msgpackCodec });
    const room = client.channel("room:1");
    const follower = new Follower(room.subscribe({ start: "earliest" }));
    await room.publish("message", BYTES);
    await follower.has(1);
    expect(follower.data).toEqual([BYTES]);
  });
});

test("[ENC-9, ENC-11] subscribers of both encodings are given the same, whatever it came in", async () => {
  const { url } = await serve({ codecs: [msgpackCodec] });
  const text = connect(url);
  const binary = connect(url, { codec: msgpackCodec });
  const followers = [text, binary].map(
    (client) => new Follower(client.channel("room:1").subscribe({ start: "earliest" })),
  );
  const sent = [{ a: 1 }, BYTES, "text", new Uint8Array(0), null];
  for (const [index, data] of sent.entries()) {
    await (index % 2 === 0 ? text : binary).channel("room:1").publish("message", data);
  }
  for (const follower of followers) {
    await follower.has(sent.length);
    expect(follower.data).toEqual(sent);
  }
  expect(followers[0]?.ids).toEqual(followers[1]?.ids);
  const page = await binary.channel("room:1").read();
  expect(page.publications.map(({ data }) => data)).toEqual(sent);
});

test("[PUB-4] a client that comes back with the other encoding publishes once", async () => {
  const { url, port, broker } = await serve({ codecs: [msgpackCodec] });
  const peer = await Peer.welcomed(port);
  await peer.lives();
  const client = connect(url, { codec: msgpackCodec });
  let cuts = 0;
  broker.after = async () => {
    // The ack is lost: the connection is gone before it is written.
    if (cuts === 0) client.goOffline();
    cuts += 1;
  };
  const published = client.channel("room:1").publish("message", BYTES);
  await until(() => cuts === 1, "the first append");
  client.goOnline();
  await published;
  expect(broker.appended).toHaveLength(1);
  expect(broker.duplicates).toBe(1);
});

test("[ENC-5] a binary message is malformed where JSON is spoken, and text where MessagePack is", async () => {
  const { port } = await serve({ codecs: [msgpackCodec] });
  const text = await Peer.welcomed(port);
  text.socket.write(frame(Uint8Array.from([0x80]), { opcode: OPCODES.binary }));
  await text.message("error", ({ code }) => code === "bad_message");
  const binary = await Peer.open(port, OFFER);
  binary.say({ type: "ping" });
  expect((await binary.closed())?.code).toBe(4502);
});

test("[ENC-10] hostile MessagePack is answered, and costs nobody else anything", async () => {
  const { port, url } = await serve({ codecs: [msgpackCodec] });
  const others = connect(url);
  const follower = new Follower(others.channel("room:1").subscribe({ start: "earliest" }));
  const hostile = [
    [0xdf, 0xff, 0xff, 0xff, 0xff],
    [0xdd, 0xff, 0xff, 0xff, 0xff],
    [0xc6, 0xff, 0xff, 0xff, 0xff],
    Array.from({ length: 60_000 }, () => 0x91),
    [0xc7, 0x01, 0x05, 0x00],
    [0x81, 0xc0, 0xc0],
    [0x81],
  ];
  for (const bytes of hostile) {
    const peer = await Peer.open(port, OFFER);
    peer.socket.write(frame(Uint8Array.from(bytes), { opcode: OPCODES.binary }));
    // Before hello what is malformed closes at once [CONN-5], and what is too large as well.
    expect([4502, 1009]).toContain((await peer.closed())?.code);
  }
  await others.channel("room:1").publish("message", "still here");
  await follower.has(1);
});

test("[AUTH-4] a browser with a bad token is told in the encoding that it offered first", async () => {
  const { port } = await serve({
    codecs: [msgpackCodec],
    allowedOrigins: ["https://chat.example"],
    identification: { authenticate: () => null },
  });
  const headers = { ...OFFER.headers, Origin: "https://chat.example" };
  const peer = await Peer.open(port, { headers });
  expect((await peer.closed())?.code).toBe(4501);
  const [first] = peer.frames;
  expect(first?.opcode).toBe(OPCODES.binary);
  expect(msgpackCodec.decodeServerMessages(first?.payload ?? new Uint8Array(0))).toMatchObject([
    { message: { type: "error", code: "unauthenticated" } },
  ]);
});
