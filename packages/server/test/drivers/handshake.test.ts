// The handshake over real sockets: who may come in with which token, from which page, in which
// version; and what everybody else is answered.
import { connect as connectTcp } from "node:net";
import { expect, test } from "vitest";
import type { UpgradeRequest } from "../../src/index.ts";
import { expectRefusal, expectServed } from "./expect.ts";
import { frame, helloMessage, OPCODES, Peer, type Request, upgradeRequest } from "./peer.ts";
import { serve, type Served, type ServeOptions, turns, until } from "./support.ts";

const PAGE = "https://chat.example";

/** A server that lets in whoever has the token "good", and writes down what it was asked. */
async function serveTokens(
  options: ServeOptions = {},
): Promise<Served & { tokens: (string | null)[] }> {
  const tokens: (string | null)[] = [];
  const authenticate = (_request: UpgradeRequest, token: string | null) => {
    tokens.push(token);
    return token === "good" ? { user: { id: "ada" } } : null;
  };
  return { ...(await serve({ identification: { authenticate }, ...options })), tokens };
}

const offer = (token: string): string =>
  `tailwire.bearer.${Buffer.from(token).toString("base64url")}`;
const offers = (...all: string[]) => ({ "Sec-WebSocket-Protocol": all.join(", ") });

test("[AUTH-1] a token in the Authorization header is what authenticate is given", async () => {
  const { port, tokens } = await serveTokens();
  await expectServed(await Peer.open(port, { headers: { Authorization: "Bearer good" } }));
  await expectServed(await Peer.open(port, { headers: { Authorization: "bearer   good " } }));
  expect(tokens).toEqual(["good", "good"]);
});

test("[AUTH-10] a token in the query is taken, after header and subprotocol, unless that is switched off", async () => {
  const { port, tokens } = await serveTokens();
  await expectServed(await Peer.open(port, { path: "/tailwire?room=7&token=good" }));
  const headers = { Authorization: "Bearer good" };
  await expectServed(await Peer.open(port, { path: "/tailwire?token=other", headers }));
  await expectRefusal(port, { path: "/tailwire?token=" }, 401, "unauthenticated");
  expect(tokens).toEqual(["good", "good", ""]);
  const strict = await serveTokens({ tokenInQuery: false });
  const refused = { path: "/tailwire?token=good" };
  await expectRefusal(strict.port, refused, 401, "unauthenticated");
  expect(strict.tokens).toEqual([null]);
});

test("[AUTH-1] an Authorization header of another scheme is no token", async () => {
  const { port, tokens } = await serveTokens();
  await expectRefusal(port, { headers: { Authorization: "Basic good" } }, 401, "unauthenticated");
  await expectRefusal(port, { headers: { Authorization: "Bearer" } }, 401, "unauthenticated");
  expect(tokens).toEqual([null, null]);
});

test("[AUTH-2] a token among the subprotocol offers is taken, and never echoed", async () => {
  const { port, tokens } = await serveTokens();
  for (const order of [
    ["tailwire.v1.json", offer("good")],
    [offer("good"), "tailwire.v1.json"],
  ]) {
    const peer = await Peer.open(port, { headers: offers(...order) });
    await expectServed(peer);
    expect(peer.response?.headers.get("sec-websocket-protocol")).toBe("tailwire.v1.json");
  }
  expect(tokens).toEqual(["good", "good"]);
});

test("[AUTH-1, AUTH-2] of a token in the header and one among the offers, the header's counts", async () => {
  const { port, tokens } = await serveTokens();
  const both = (header: string, offered: string) => ({
    headers: { Authorization: `Bearer ${header}`, ...offers("tailwire.v1.json", offer(offered)) },
  });
  await expectServed(await Peer.open(port, both("good", "bad")));
  await expectRefusal(port, both("bad", "good"), 401, "unauthenticated");
  expect(tokens).toEqual(["good", "bad"]);
});

test("[AUTH-3] without a token a program is answered 401 with a coded body", async () => {
  const { port, tailwire } = await serveTokens();
  await expectRefusal(port, {}, 401, "unauthenticated");
  expect(tailwire.connections).toBe(0);
});

test("[AUTH-4] a browser with a bad token is upgraded, told why, and closed for good", async () => {
  const { port, tailwire } = await serveTokens({ allowedOrigins: [PAGE] });
  const headers = { Origin: PAGE, ...offers("tailwire.v1.json", offer("bad")) };
  const peer = await Peer.open(port, { headers });
  expect(peer.response?.status).toBe(101);
  expect(await peer.closed()).toEqual({ code: 4501, reason: "unauthenticated" });
  expect(peer.messages).toMatchObject([
    { type: "error", code: "unauthenticated", fault: "client", retry: false },
  ]);
  expect(tailwire.connections).toBe(0);
});

test("[AUTH-3] a token of 10,000 characters is refused without asking authenticate", async () => {
  const { port, tokens } = await serveTokens();
  const headers = { Authorization: `Bearer ${"x".repeat(10_000)}` };
  await expectRefusal(port, { headers }, 401, "unauthenticated");
  expect(tokens).toEqual([]);
});

test("[AUTH-3] a token of 1 MB is refused, by Node's limit on headers or, where that was raised, by ours", async () => {
  const headers = { Authorization: `Bearer ${"x".repeat(1_000_000)}` };
  const usual = await serveTokens();
  const peer = await Peer.open(usual.port, { headers });
  expect(peer.response?.status).toBe(431);
  const raised = await serveTokens({ httpOptions: { maxHeaderSize: 2_000_000 } });
  await expectRefusal(raised.port, { headers }, 401, "unauthenticated");
  expect([...usual.tokens, ...raised.tokens]).toEqual([]);
});

const failing: readonly [string, () => Promise<null>][] = [
  [
    "throws",
    () => {
      throw new Error("down");
    },
  ],
  ["rejects", () => Promise.reject(new Error("down"))],
  ["never settles", () => new Promise(() => undefined)],
];

for (const [what, authenticate] of failing) {
  test(`[CONN-7] authenticate that ${what} is answered 503, and the next one is asked again`, async () => {
    let calls = 0;
    const { port, tailwire } = await serve({
      limits: { hookMs: 20 },
      identification: {
        authenticate: (_request, token) => {
          calls += 1;
          return token === "good" ? { user: { id: "ada" } } : authenticate();
        },
      },
    });
    await expectRefusal(port, {}, 503, "unavailable");
    await expectServed(await Peer.open(port, { headers: { Authorization: "Bearer good" } }));
    expect(calls).toBe(2);
    expect(tailwire.connections).toBe(1);
  });
}

test("[CONN-3] what a client sends while authenticate is thinking is read afterwards", async () => {
  let decide: (answer: { user: { id: string } }) => void = () => undefined;
  const answer = new Promise<{ user: { id: string } }>((resolve) => (decide = resolve));
  const { port, sockets } = await serve({ identification: { authenticate: () => answer } });
  const peer = Peer.ask(port);
  peer.say(helloMessage());
  await until(() => [...sockets][0]?.bytesRead === peer.socket.bytesWritten, "all bytes there");
  peer.say({ type: "ping" });
  decide({ user: { id: "ada" } });
  await peer.message("pong");
  expect(peer.messages.map(({ type }) => type)).toEqual(["welcome", "pong"]);
});

test("an anonymous server lets in whoever asks, with and without a token", async () => {
  const { port } = await serve();
  await expectServed(await Peer.open(port));
  await expectServed(await Peer.open(port, { headers: { Authorization: "Bearer anything" } }));
});

for (const headers of [
  offers("tailwire.v9.json"),
  { "Sec-WebSocket-Protocol": null },
  offers("x"),
]) {
  const offered = headers["Sec-WebSocket-Protocol"] ?? "nothing";
  test(`[VER-5] an offer of ${offered} is answered 400, naming what is supported`, async () => {
    const { port } = await serve();
    const { response } = await expectRefusal(port, { headers }, 400, "unsupported_version");
    expect(response?.body).toContain("tailwire.v1.json");
  });
}

test("[VER-2] an offer of v9 and v1 gets v1", async () => {
  const { port } = await serve();
  const peer = await Peer.open(port, { headers: offers("tailwire.v9.json", "tailwire.v1.json") });
  expect(peer.response?.headers.get("sec-websocket-protocol")).toBe("tailwire.v1.json");
  await expectServed(peer);
});

test("[CONN-7] an unknown path is answered 404 where nobody else listens for upgrades", async () => {
  const { port } = await serve();
  for (const path of ["/", "/tailwire/", "/Tailwire", "/other?x=/tailwire"]) {
    await expectRefusal(port, { path }, 404, "not_found");
  }
  await expectServed(await Peer.open(port, { path: "/tailwire?from=here" }));
});

test("an unknown path is left alone where somebody else listens for upgrades", async () => {
  const { port, http } = await serve();
  http.on("upgrade", (request, socket) => {
    if (request.url === "/other") socket.end("HTTP/1.1 418 I'm a teapot\r\n\r\n");
  });
  const peer = await Peer.open(port, { path: "/other" });
  expect(peer.response?.status).toBe(418);
  await expectServed(await Peer.open(port));
});

const malformed: readonly [string, Request["headers"] & object][] = [
  ["Sec-WebSocket-Version 12", { "Sec-WebSocket-Version": "12" }],
  ["no Sec-WebSocket-Version", { "Sec-WebSocket-Version": null }],
  ["no Sec-WebSocket-Key", { "Sec-WebSocket-Key": null }],
  ["a short Sec-WebSocket-Key", { "Sec-WebSocket-Key": "c2hvcnQ=" }],
  ["a malformed Sec-WebSocket-Protocol", offers("tailwire.v1.json", "")],
  ["an upgrade to something else", { Upgrade: "h2c" }],
];

for (const [what, headers] of malformed) {
  test(`a request with ${what} is answered 400 or 426, and makes no connection`, async () => {
    const { port, tailwire } = await serve();
    const peer = await Peer.open(port, { headers });
    expect([400, 426]).toContain(peer.response?.status);
    await until(() => peer.ended, "the end");
    expect(tailwire.connections).toBe(0);
  });
}

test("[CONN-7] connections beyond connectionsMax are answered 503 until one has gone", async () => {
  const { port, tailwire } = await serve({ limits: { connectionsMax: 2 } });
  const first = await Peer.welcomed(port);
  await Peer.welcomed(port);
  await expectRefusal(port, {}, 503, "unavailable");
  first.socket.destroy();
  await until(() => tailwire.connections === 1, "the first to have gone");
  await expectServed(await Peer.open(port));
});

test("a reset at any byte of the handshake harms nobody", async () => {
  const served = await serveTokens({ limits: { hookMs: 50 } });
  const { port, tailwire, sockets, log } = served;
  const good = { headers: { Authorization: "Bearer good" } };
  const witness = await Peer.welcomed(port, good);
  const request = upgradeRequest(port, good);
  const hello = `${JSON.stringify({ id: "r1", timestamp: 1, ...helloMessage() })}\n`;
  for (let length = 0; length <= request.length; length += length < request.length - 5 ? 7 : 1) {
    const socket = connectTcp(port, "127.0.0.1");
    socket.on("error", () => undefined);
    await new Promise<void>((resolve) => {
      socket.once("connect", () => {
        socket.write(request.slice(0, length), () => {
          socket.resetAndDestroy();
          resolve();
        });
      });
    });
  }
  for (let stage = 0; stage < 4; stage += 1) {
    const peer = await Peer.open(port, good);
    if (stage > 0) peer.socket.write(Buffer.from([0x80 | OPCODES.text]));
    if (stage > 1) peer.say(helloMessage());
    if (stage > 2) peer.socket.write(hello);
    await turns(stage);
    peer.socket.resetAndDestroy();
  }
  await until(() => sockets.size === 1, "all but the witness to have gone");
  expect(tailwire.connections).toBe(1);
  expect(log.errors).toEqual([]);
  expect(await witness.lives()).toBe(true);
});

test("a reset while authenticate is thinking harms nobody", async () => {
  let decide: () => void = () => undefined;
  const thinking = new Promise<void>((resolve) => (decide = resolve));
  let asked = 0;
  const { port, tailwire, sockets } = await serve({
    identification: {
      authenticate: async (_request, token) => {
        asked += 1;
        if (token !== "quick") await thinking;
        return token === "bad" ? null : { user: { id: "ada" } };
      },
    },
  });
  const bearer = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } });
  const witness = await Peer.welcomed(port, bearer("quick"));
  const slow = ["good", "bad", "good", "bad"].map((token) => Peer.ask(port, bearer(token)));
  await until(() => asked === 5, "all to be asked for");
  for (const { socket } of slow.slice(0, 2)) socket.resetAndDestroy();
  for (const { socket } of slow.slice(2)) socket.destroy();
  await turns(5);
  decide();
  await until(() => sockets.size === 1, "all but the witness to have gone");
  expect(tailwire.connections).toBe(1);
  expect(await witness.lives()).toBe(true);
});

const lenient: readonly [string, Request, number][] = [
  ["a Content-Length and a body", { headers: { "Content-Length": "5" } }, 400],
  ["a Content-Length of nothing", { headers: { "Content-Length": "0" } }, 400],
  ["a chunked body", { headers: { "Transfer-Encoding": "chunked" } }, 400],
  ["two Hosts", { more: ["Host: other.example"] }, 400],
  ["HTTP/1.0", { version: "HTTP/1.0" }, 400],
  ["version 8", { headers: { "Sec-WebSocket-Version": "8" } }, 426],
  ["version 13.0", { headers: { "Sec-WebSocket-Version": "13.0" } }, 426],
  ["version 0x0d", { headers: { "Sec-WebSocket-Version": "0x0d" } }, 426],
  ["two versions", { more: ["Sec-WebSocket-Version: 13"] }, 426],
  ["no version", { headers: { "Sec-WebSocket-Version": null } }, 426],
];

test.each(lenient)("[CONN-8] an upgrade with %s is refused", async (_, request, status) => {
  const { port, tailwire } = await serve();
  const peer = await expectRefusal(port, request, status, "bad_handshake");
  const version = peer.response?.headers.get("sec-websocket-version");
  expect(version).toBe(status === 426 ? "13" : undefined);
  expect(tailwire.connections).toBe(0);
});

test("[CONN-8] messages in an upgrade's body are carried out by nobody", async () => {
  const { port, tailwire } = await serve();
  const behind = frame(JSON.stringify(helloMessage()));
  const headers = { "Content-Length": String(behind.length) };
  const peer = await Peer.open(port, { headers, behind });
  expect(peer.response?.status).toBe(400);
  expect(tailwire.stats().messagesIn).toBe(0);
});
