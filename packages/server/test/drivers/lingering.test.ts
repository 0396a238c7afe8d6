// Peers that don't go when they are told to: what the server does about each has a limit.
import { connect as connectTcp, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { frame, OPCODES, Peer, type Request, upgradeRequest } from "./peer.ts";
import { serve, type Served, turns, until, upTo } from "./support.ts";

const LIMITS = { closeTimeoutMs: 20 };
const PAGE = "https://chat.example";

/** Asks for an upgrade, and keeps its side open when the server has ended its own. */
async function refusedAndStaying(port: number, request: Request): Promise<Socket> {
  const socket = connectTcp({ port, host: "127.0.0.1", allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => undefined);
  let ended = false;
  socket.on("end", () => (ended = true));
  socket.resume();
  socket.write(upgradeRequest(port, request));
  await until(() => ended, "the server to end its side");
  return socket;
}

async function expectLetGo({ sockets, tailwire }: Served): Promise<void> {
  await until(() => sockets.size === 0, "the server to let go");
  expect(tailwire.connections).toBe(0);
}

const refusals: readonly [string, Request][] = [
  ["401", {}],
  ["403", { headers: { Origin: "https://evil.example" } }],
  ["400 for its version", { headers: { "Sec-WebSocket-Protocol": "tailwire.v9.json" } }],
  ["404", { path: "/other" }],
];

const serveTokens = (): Promise<Served> =>
  serve({
    limits: LIMITS,
    allowedOrigins: [PAGE],
    identification: {
      authenticate: (_request, token) => (token === "good" ? { user: { id: "ada" } } : null),
    },
  });

for (const [status, request] of refusals) {
  test(`a peer that was answered ${status} and keeps its side open is let go of`, async () => {
    const served = await serveTokens();
    await refusedAndStaying(served.port, request);
    await expectLetGo(served);
  });
}

test("[AUTH-4] a browser with a bad token that never answers its close is let go of after closeTimeoutMs", async () => {
  const served = await serveTokens();
  const peer = Peer.ask(served.port, { headers: { Origin: PAGE } });
  peer.answersClose = false;
  await until(() => peer.closeFrame !== null, "the close");
  expect(peer.closeFrame?.code).toBe(4501);
  await expectLetGo(served);
});

test("a peer that breaks WebSocket's rules and never answers its close is let go of after closeTimeoutMs", async () => {
  const served = await serve({ limits: LIMITS });
  const peer = await Peer.welcomed(served.port);
  peer.answersClose = false;
  peer.socket.write(frame("x".repeat(65_537)));
  await until(() => peer.closeFrame !== null, "the close");
  expect(peer.closeFrame?.code).toBe(1009);
  await expectLetGo(served);
});

test("[CONN-1] a peer that never says hello is closed with 4408, and let go of", async () => {
  const served = await serve({ limits: { ...LIMITS, helloTimeoutMs: 20 } });
  const peer = await Peer.open(served.port);
  peer.answersClose = false;
  await until(() => peer.closeFrame !== null, "the close");
  expect(peer.closeFrame).toEqual({ code: 4408, reason: "hello_timeout" });
  await expectLetGo(served);
});

test("[LIVE-1] a peer that answers no ping is closed with 4409, and let go of", async () => {
  const limits = { ...LIMITS, pingIntervalMs: 250, pongTimeoutMs: 250 };
  const served = await serve({ limits });
  const peer = await Peer.welcomed(served.port);
  peer.answersClose = false;
  await until(() => peer.closeFrame !== null, "the close");
  expect(peer.closeFrame).toEqual({ code: 4409, reason: "heartbeat_timeout" });
  expect(peer.messages.filter(({ type }) => type === "ping")).toHaveLength(2);
  await expectLetGo(served);
});

test("upgrades whose authenticate is slow count towards connectionsMax", async () => {
  let decide: () => void = () => undefined;
  const thinking = new Promise<void>((resolve) => (decide = resolve));
  let asked = 0;
  const { port, tailwire } = await serve({
    limits: { connectionsMax: 2 },
    identification: {
      authenticate: async () => {
        asked += 1;
        await thinking;
        return { user: { id: "ada" } };
      },
    },
  });
  const peers = upTo(5).map(() => Peer.ask(port));
  await until(() => asked + peers.filter(({ response }) => response !== null).length === 5, "all");
  decide();
  const statuses: number[] = [];
  for (const peer of peers) statuses.push((await peer.answered()).status);
  await turns(5);
  expect(tailwire.connections).toBe(2);
  expect(statuses.toSorted((a, b) => a - b)).toEqual([101, 101, 503, 503, 503]);
});

const partial: readonly [string, readonly Buffer[]][] = [
  ["a byte of a frame's head", [frame("x").subarray(0, 1)]],
  ["a frame without its end", [frame("x".repeat(200)).subarray(0, 100)]],
  ["a fragment", [frame("x", { fin: false })]],
  ["a ping without its end", [frame("x", { opcode: OPCODES.ping }).subarray(0, 3)]],
  [
    "a fragment, and whole pings behind it",
    [frame("", { fin: false }), frame("x", { opcode: OPCODES.ping })],
  ],
];

test.each(partial)(
  "[CONN-9] a peer that sends %s and no more is closed with 4411",
  async (_, pieces) => {
    const served = await serve({ limits: { ...LIMITS, messageMs: 250 } });
    const peer = await Peer.welcomed(served.port);
    peer.answersClose = false;
    for (const piece of pieces) peer.socket.write(piece);
    await until(() => peer.closeFrame !== null, "the close");
    expect(peer.closeFrame).toEqual({ code: 4411, reason: "message_timeout" });
    await expectLetGo(served);
  },
);

test("a peer that closes and keeps its socket is let go of after closeTimeoutMs", async () => {
  const served = await serve({ limits: LIMITS });
  const peer = await Peer.welcomed(served.port);
  peer.socket.write(frame(Buffer.from([3, 232]), { opcode: OPCODES.close }));
  await expectLetGo(served);
});
