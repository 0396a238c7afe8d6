// Floods on real sockets: what `ws` doesn't tell of is counted all the same, a flood isn't read, and its
// sender is told what it did.
import { expect, test } from "vitest";
import { frame, helloMessage, OPCODES, Peer, subscribed } from "./peer.ts";
import { expectUnharmed, fragments } from "./stranger.ts";
import { serve, turn, turns, until } from "./support.ts";

/** A hundred messages at once, and next to nothing afterwards. */
const TIGHT = { messagesPerSecond: 1, burstSeconds: 100 };

/** Whole messages of so many fragments, the last of which is a continuation that ends it. */
const fragmented = (count: number, payload: string): Buffer =>
  Buffer.concat([
    fragments(count - 1, payload),
    frame(payload, { opcode: OPCODES.continuation, fin: true }),
  ]);

const floods: readonly (readonly [string, Buffer])[] = [
  ["empty messages", frame("")],
  ["messages", frame('{"type":"pong","id":"p","timestamp":1,"re":"x"}')],
  ["empty fragments", fragmented(60, "")],
  ["fragments of a message", fragmentsOf('{"type":"pong","id":"p","timestamp":1,"re":"x"}')],
];

/** A message with a byte to each fragment. */
function fragmentsOf(text: string): Buffer {
  return Buffer.concat(
    Array.from(text, (character, index) =>
      frame(character, {
        opcode: index === 0 ? OPCODES.text : OPCODES.continuation,
        fin: index === text.length - 1,
      }),
    ),
  );
}

test.each(floods)("[FLOW-5, FLOW-6] %s without end aren't read", async (_what, bytes) => {
  const served = await serve({ limits: TIGHT });
  const witness = await subscribed(served.port, "room:1");
  const peer = await Peer.welcomed(served.port);
  const socket = [...served.sockets].at(-1);
  const batch = Buffer.concat(
    Array.from({ length: Math.ceil(65_536 / bytes.length) }, () => bytes),
  );
  for (let round = 0; round < 20; round += 1) {
    peer.socket.write(batch);
    await turn();
  }
  await until(() => peer.ended || socket?.isPaused() === true, "the flood to be stopped");
  const before = socket?.bytesRead;
  await turns(100);
  // One piece was read, and the stream may have taken a few more before it stopped.
  expect(socket?.bytesRead).toBe(before);
  expect(before).toBeLessThanOrEqual(8 * 65_536);
  await expectUnharmed(served, witness, 1);
});

test.each([
  ["pings", OPCODES.ping],
  ["pongs", OPCODES.pong],
] as const)("[FLOW-7] %s without end are told 4429", async (_what, opcode) => {
  const served = await serve();
  const witness = await subscribed(served.port, "room:1");
  const peer = await Peer.welcomed(served.port);
  const one = frame("", { opcode });
  peer.socket.write(Buffer.concat(Array.from({ length: 10_000 }, () => one)));
  expect(await peer.closed()).toEqual({ code: 4429, reason: "rate_limited" });
  // Ten at most are answered, and none once they are too many.
  expect(peer.frames.filter((answer) => answer.opcode === OPCODES.pong).length).toBeLessThan(11);
  await expectUnharmed(served, witness, 1);
});

test("[FLOW-7] ten pings are answered", async () => {
  const { port } = await serve();
  const peer = await Peer.welcomed(port);
  for (let sent = 0; sent < 10; sent += 1) {
    peer.socket.write(frame(String(sent), { opcode: OPCODES.ping }));
  }
  const pongs = (): string[] =>
    peer.frames
      .filter(({ opcode }) => opcode === OPCODES.pong)
      .map(({ payload }) => payload.toString());
  await until(() => pongs().length === 10, "ten pongs");
  expect(pongs()).toEqual(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
  expect(await peer.lives()).toBe(true);
});

test.each([
  ["empty messages", frame("")],
  ["empty fragments", fragmented(60, "")],
] as const)("[CONN-4] %s before hello are told 1009 in the end", async (_what, bytes) => {
  const { port } = await serve();
  const peer = await Peer.open(port);
  peer.socket.write(
    Buffer.concat(Array.from({ length: Math.ceil(18_000 / bytes.length) }, () => bytes)),
  );
  expect((await peer.closed())?.code).toBe(1009);
});

test("[CONN-4] 16 KiB that begin with hello are taken", async () => {
  const { port } = await serve();
  const peer = await Peer.open(port);
  const hello = { id: "h", timestamp: 1, ...helloMessage(), padding: "" };
  const padding = "x".repeat(16_384 - JSON.stringify(hello).length);
  peer.socket.write(frame(JSON.stringify({ ...hello, padding })));
  expect(await peer.message("welcome")).toMatchObject({ re: "h" });
});

test("a browser whose token is refused isn't read any further than its farewell takes", async () => {
  const served = await serve({ identification: { authenticate: () => null } });
  const peer = await Peer.open(served.port, {
    headers: { Origin: `http://127.0.0.1:${served.port}` },
  });
  peer.answersClose = false;
  await peer.message("error");
  const socket = [...served.sockets].at(-1);
  const batch = Buffer.concat(Array.from({ length: 10_000 }, () => frame("")));
  for (let round = 0; round < 20; round += 1) {
    peer.socket.write(batch);
    await turn();
  }
  await until(() => socket?.isPaused() === true || peer.ended, "it to be left alone");
  expect(socket?.bytesRead).toBeLessThanOrEqual(8 * 65_536);
});

test("an upgrade that is refused isn't read any further than its answer takes", async () => {
  const served = await serve();
  const peer = await Peer.open(served.port, { path: "/nowhere" });
  expect(peer.response?.status).toBe(404);
  const socket = [...served.sockets].at(-1);
  for (let round = 0; round < 20 && !peer.ended; round += 1) {
    peer.socket.write(Buffer.alloc(65_536));
    await turn();
  }
  await until(() => socket === undefined || socket.isPaused() || peer.ended, "it to be left alone");
  expect(socket?.bytesRead ?? 0).toBeLessThanOrEqual(8 * 65_536);
});
