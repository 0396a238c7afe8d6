// The driver's assumptions about `ws` and about Node's sockets, sentence by sentence: run this before
// each update of either. Frames of our own go beside those of `ws` to the same socket.
import { createServer } from "node:http";
import type { Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { type ServerOptions, WebSocket, WebSocketServer } from "ws";
import { nodePorts } from "../../src/drivers/node-ports.ts";
import { NodeTransport, wire } from "../../src/drivers/socket.ts";
import { frame, OPCODES, Peer } from "./peer.ts";
import { fragments } from "./stranger.ts";
import { collectSockets, listen, turns, until } from "./support.ts";

interface Pair {
  readonly ws: WebSocket;
  readonly socket: Socket;
  readonly peer: Peer;
  /** Messages that `ws` handed over. */
  readonly received: string[];
  readonly errors: Error[];
  /** The code of the close event of `ws`. */
  closeCode: number | null;
}

/** A `ws` server made as the driver makes it, and what one accepted socket is joined to. */
async function accept(options: Partial<ServerOptions> = {}) {
  const webSockets = new WebSocketServer({
    maxPayload: 65_536,
    maxFragments: 64,
    maxBufferedChunks: 1_024,
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    ...options,
  });
  const http = createServer();
  const sockets = collectSockets(http);
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  const accepted = new Promise<{ ws: WebSocket; socket: Socket }>((resolve) => {
    http.on("upgrade", (request, socket: Socket, head) => {
      webSockets.handleUpgrade(request, socket, head, (ws) => resolve({ ws, socket }));
    });
  });
  return { port: await listen(http), accepted };
}

/** A `ws` on one side, a bare socket on the other. */
async function pair(options: Partial<ServerOptions> = {}): Promise<Pair> {
  const { port, accepted } = await accept(options);
  const peer = await Peer.open(port, { headers: { "Sec-WebSocket-Protocol": null } });
  const both: Pair = { ...(await accepted), peer, received: [], errors: [], closeCode: null };
  both.ws.on("message", (data: Buffer) => both.received.push(data.toString()));
  both.ws.on("error", (error) => both.errors.push(error));
  both.ws.on("close", (code) => (both.closeCode = code));
  return both;
}

const own = (text: string): Uint8Array => nodePorts.frame(Buffer.from(text), "text");
const texts = (peer: Peer): string[] =>
  peer.frames
    .filter(({ opcode }) => opcode === OPCODES.text)
    .map(({ payload }) => payload.toString());

test("frames of our own keep their order among those that ws sends", async () => {
  const { ws, socket, peer } = await pair();
  const expected: string[] = [];
  for (let index = 0; index < 200; index += 1) {
    const text = `"${index}${"x".repeat(index * 7)}"`;
    expected.push(text);
    if (index % 2 === 0) ws.send(text);
    else socket.write(own(text));
    if (index % 50 === 0) ws.ping();
  }
  await until(() => texts(peer).length === 200, "200 frames");
  expect(texts(peer)).toEqual(expected);
  expect(peer.frames.filter(({ opcode }) => opcode === OPCODES.ping)).toHaveLength(4);
});

test("frames of our own keep their order among those of ws while the socket is blocked", async () => {
  const { ws, socket, peer } = await pair();
  peer.socket.pause();
  const expected: string[] = [];
  while (socket.writableLength < 100_000 || expected.length % 2 === 1) {
    const text = `"${expected.length}${"x".repeat(50_000)}"`;
    if (expected.length % 2 === 0) ws.send(text);
    else socket.write(own(text));
    expected.push(text);
    await turns(1);
  }
  peer.socket.resume();
  await until(() => texts(peer).length === expected.length, "all frames");
  expect(texts(peer)).toEqual(expected);
});

const lengths = [1, 2, 124, 125, 126, 127, 128, 65_534, 65_535, 65_536, 65_537, 200_000];

test("frames of all three length forms are read by a parser that knows only RFC 6455", async () => {
  const { socket, peer } = await pair();
  for (const length of lengths) socket.write(own("é".repeat(length / 2) + "x".repeat(length % 2)));
  await until(() => peer.frames.length === lengths.length, "all frames");
  expect(peer.frames.map(({ payload }) => payload.length)).toEqual(lengths);
  expect(peer.frames.every(({ fin, opcode, masked }) => fin && opcode === 1 && !masked)).toBe(true);
});

test("frames of all three length forms are read by the client of ws", async () => {
  const { port, accepted } = await accept();
  const client = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
  onTestFinished(() => client.terminate());
  const received: string[] = [];
  client.on("message", (data: Buffer, isBinary) => received.push(isBinary ? "" : data.toString()));
  const { socket } = await accepted;
  const sent = lengths.map((length) => "x".repeat(length));
  for (const text of sent) socket.write(own(text));
  await until(() => received.length === lengths.length, "all frames");
  expect(received).toEqual(sent);
});

test("writableLength is 0 right after a write that the kernel took whole, so its bytes are free", async () => {
  const { socket, peer } = await pair();
  const shared = Buffer.from(own("x".repeat(1_000)));
  for (let index = 0; index < 100; index += 1) {
    shared.fill(97 + (index % 26), 4);
    socket.write(shared);
    expect(socket.writableLength).toBe(0);
  }
  await until(() => peer.frames.length === 100, "100 frames");
  for (const [index, { payload }] of peer.frames.entries()) {
    expect(payload.every((byte) => byte === 97 + (index % 26))).toBe(true);
  }
});

test("writableLength is above 0 after a write that the kernel didn't take, until an empty write's callback", async () => {
  const { socket, peer } = await pair();
  peer.socket.pause();
  let written = 0;
  while (socket.writableLength === 0) {
    socket.write(own("x".repeat(60_000)));
    written += 1;
    await turns(1);
  }
  let left = false;
  let waiting: number | null = null;
  socket.write(Buffer.alloc(0), () => {
    left = true;
    waiting = socket.writableLength;
  });
  await turns(200);
  expect(left).toBe(false);
  expect(socket.writableLength).toBeGreaterThan(0);
  peer.socket.resume();
  await until(() => left, "the callback");
  expect(waiting).toBe(0);
  await until(() => peer.frames.length === written, "all frames");
});

test("the callback of a write that a reset overtakes is given an error", async () => {
  const { socket, peer } = await pair();
  peer.socket.pause();
  while (socket.writableLength === 0) {
    socket.write(own("x".repeat(60_000)));
    await turns(1);
  }
  const outcome = new Promise<unknown>((resolve) => socket.write(Buffer.alloc(0), resolve));
  peer.socket.resetAndDestroy();
  expect(await outcome).toBeInstanceOf(Error);
});

const ignore = (): void => undefined;

function transportOf(ws: WebSocket, socket: Socket, drained = ignore): NodeTransport {
  wire(ws, socket, {
    input: { arrived: ignore, message: ignore },
    heartbeat: { assemble: ignore },
    drained,
    gone: ignore,
    failed: ignore,
  });
  return new NodeTransport(ws, socket);
}

test("after a close began the driver writes nothing more, and says that there is nothing to wait for", async () => {
  const both = await pair();
  const { ws, socket, peer } = both;
  const transport = transportOf(ws, socket);
  expect(transport.write([own("1"), own("2")])).toBe(true);
  transport.close(1012, "restarting");
  expect(transport.write([own("3")])).toBe(true);
  expect(await peer.closed()).toEqual({ code: 1012, reason: "restarting" });
  await until(() => both.closeCode !== null, "the close event");
  expect(transport.write([own("4")])).toBe(true);
  expect(texts(peer)).toEqual(["1", "2"]);
  expect(peer.frames.at(-1)?.opcode).toBe(OPCODES.close);
});

test("after the peer's close the driver writes nothing more", async () => {
  const both = await pair();
  const { ws, socket, peer } = both;
  const transport = transportOf(ws, socket);
  peer.answersClose = false;
  const code = Buffer.from([0x03, 0xe8]);
  peer.socket.write(frame(code, { opcode: OPCODES.close }));
  await until(() => ws.readyState !== ws.OPEN, "the close to be noticed");
  expect(transport.write([own("late")])).toBe(true);
  await until(() => both.closeCode === 1000, "the close event");
  expect(texts(peer)).toEqual([]);
});

test("the driver joins frames into one write, and reuses its memory only when they have gone", async () => {
  const { ws, socket, peer } = await pair();
  let drained = 0;
  const transport = transportOf(ws, socket, () => (drained += 1));
  peer.socket.pause();
  const sent: string[] = [];
  for (let blocked = false; !blocked; await turns(1)) {
    const two = ["a", "b"].map((name) => `"${sent.length}${name.repeat(30_000)}"`);
    sent.push(...two);
    blocked = !transport.write(two.map(own));
  }
  // Another connection writes meanwhile, through the same scratch memory.
  const other = await pair();
  const beside = transportOf(other.ws, other.socket);
  for (let index = 0; index < 4; index += 1) {
    beside.write([own("z".repeat(60_000)), own("y".repeat(60_000))]);
  }
  expect(drained).toBe(0);
  peer.socket.resume();
  await until(() => drained === 1, "the callback");
  await until(() => texts(peer).length === sent.length, "all frames");
  expect(texts(peer)).toEqual(sent);
});

const x = "x".repeat(1_000);
const invalid = Buffer.from([0xc3, 0x28]);
const violations: readonly [string, number, Buffer][] = [
  ["an unmasked frame", 1002, frame("{}", { masked: false })],
  ["an unmasked close frame", 1002, frame(Buffer.from([3, 232]), { opcode: 8, masked: false })],
  ["a reserved bit", 1002, frame("{}", { reserved: 0x40 })],
  ["a reserved opcode", 1002, frame("{}", { opcode: 3 })],
  ["a control frame over 125 bytes", 1002, frame(x, { opcode: OPCODES.ping })],
  ["a fragmented ping", 1002, frame("", { opcode: OPCODES.ping, fin: false })],
  ["a continuation of nothing", 1002, frame("x", { opcode: OPCODES.continuation })],
  ["a close code that isn't one", 1002, frame(Buffer.from([3, 231]), { opcode: OPCODES.close })],
  ["a close payload of one byte", 1002, frame("x", { opcode: OPCODES.close })],
  ["invalid UTF-8", 1007, frame(invalid)],
  ["invalid UTF-8 in a close reason", 1007, frame(Buffer.from([3, 232, 0xff]), { opcode: 8 })],
  ["a message over maxPayload", 1009, frame("x".repeat(65_537))],
  ["a length of 2^53", 1009, Buffer.from([0x81, 0xff, 0, 32, 0, 0, 0, 0, 0, 0])],
  ["fragments over maxPayload", 1009, fragments(40, "x".repeat(2_000))],
  ["65 fragments", 1008, fragments(65, "x")],
];

for (const [what, code, bytes] of violations) {
  test(`ws closes with ${code} by itself on ${what}, and emits an error and a close`, async () => {
    const both = await pair();
    both.peer.socket.write(bytes);
    expect((await both.peer.closed())?.code).toBe(code);
    await until(() => both.closeCode !== null, "the close event");
    expect(both.errors).toHaveLength(1);
    expect(both.received).toEqual([]);
  });
}

test("64 fragments are a message", async () => {
  const { peer, received } = await pair();
  peer.socket.write(fragments(63, "x"));
  peer.socket.write(frame("x", { opcode: OPCODES.continuation }));
  await until(() => received.length === 1, "the message");
  expect(received).toEqual(["x".repeat(64)]);
});

test("ws closes with 1008 when a frame comes in more chunks than maxBufferedChunks", async () => {
  const both = await pair({ maxBufferedChunks: 16 });
  const bytes = frame("x".repeat(1_000));
  for (let at = 0; at < 100 && both.closeCode === null && !both.peer.ended; at += 1) {
    both.peer.socket.write(bytes.subarray(at, at + 1));
    const before = both.socket.bytesRead;
    await until(() => both.socket.bytesRead > before || both.peer.ended, "a byte to arrive");
  }
  expect((await both.peer.closed())?.code).toBe(1008);
});

test("after pause() ws hands over what one read had brought, and nothing more until resume()", async () => {
  const { ws, socket, peer, received } = await pair();
  ws.once("message", () => ws.pause());
  const one = frame("x".repeat(100));
  const sent = 40_000;
  peer.socket.write(Buffer.concat(Array.from({ length: sent }, () => one)));
  await until(() => received.length > 0, "the first message");
  await turns(200);
  const { length } = received;
  // A read brings 64 KiB at most, and one more is buffered by the stream.
  expect(length * one.length).toBeLessThanOrEqual(2 * 65_536);
  expect(socket.bytesRead).toBeLessThanOrEqual(4 * 65_536);
  ws.resume();
  await until(() => received.length === sent, "all messages");
});

test("ws answers a flood of pings with a bounded number of pongs waiting", async () => {
  const { ws, socket, peer } = await pair();
  peer.socket.pause();
  const ping = frame("x".repeat(125), { opcode: OPCODES.ping });
  const flood = Buffer.concat(Array.from({ length: 1_000 }, () => ping));
  let pings = 0;
  ws.on("ping", () => (pings += 1));
  for (let round = 0; round < 60; round += 1) {
    peer.socket.write(flood);
    await turns(2);
  }
  await until(() => pings === 60_000 || ws.readyState !== ws.OPEN, "the pings to arrive");
  expect(socket.writableLength).toBeLessThanOrEqual(60 * 127);
});

test("a data listener that is put before that of ws sees the same bytes, and sees them first", async () => {
  const { ws, socket, peer } = await pair();
  const seen: string[] = [];
  let bytes = 0;
  socket.prependListener("data", (piece: Buffer) => {
    seen.push("bytes");
    bytes += piece.length;
  });
  ws.on("message", () => seen.push("message"));
  ws.on("pong", () => seen.push("pong"));
  const sent = [frame("x"), frame("", { opcode: OPCODES.pong }), frame("y".repeat(70))];
  for (const [index, one] of sent.entries()) {
    peer.socket.write(one);
    await until(() => seen.length === 2 * (index + 1), "the frame to be parsed");
  }
  expect(seen).toEqual(["bytes", "message", "bytes", "pong", "bytes", "message"]);
  expect(bytes).toBe(Buffer.concat(sent).length);
});

test("a close before ws has parsed a piece leaves its pings unanswered", async () => {
  const { ws, socket, peer } = await pair();
  socket.prependListener("data", () => {
    if (ws.readyState === ws.OPEN) ws.close(4429, "rate_limited");
  });
  const ping = frame("", { opcode: OPCODES.ping });
  peer.socket.write(Buffer.concat(Array.from({ length: 1_000 }, () => ping)));
  expect((await peer.closed())?.code).toBe(4429);
  expect(peer.frames.filter(({ opcode }) => opcode === OPCODES.pong)).toEqual([]);
});

test("after pause() nothing more is read, whatever ws does with what it has", async () => {
  const { ws, socket, peer } = await pair();
  socket.prependListener("data", () => ws.pause());
  const batch = Buffer.concat(Array.from({ length: 10_000 }, () => frame("")));
  for (let round = 0; round < 50; round += 1) peer.socket.write(batch);
  await until(() => socket.isPaused(), "the pause");
  await turns(100);
  const { bytesRead } = socket;
  await turns(100);
  expect(socket.bytesRead).toBe(bytesRead);
  expect(bytesRead).toBeLessThanOrEqual(4 * 65_536);
});
