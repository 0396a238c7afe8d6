// The driver on Node: every failed attempt says why, in a word that stays the same.
import { createServer as createHttpServer, type Server, type ServerResponse } from "node:http";
import { createServer as createTcpServer, type Server as TcpServer, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { WebSocket as WsWebSocket } from "ws";
import { findWs } from "../../src/drivers/find-ws.ts";
import { portsWith } from "../../src/drivers/node.ts";

const ports = portsWith();

interface Closed {
  readonly code: number;
  readonly reason: string;
}

/** A port at which something listens until the test ends. */
async function listen(server: Server | TcpServer): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

/** How an attempt ends that never opens. */
function attempt(url: string): Promise<Closed> {
  return new Promise((resolve, reject) => {
    ports.connect(url, ["tailwire.v1.json"], {
      opened: () => reject(new Error("it opened")),
      received: () => reject(new Error("it received something")),
      closed: (code, reason) => resolve({ code, reason }),
    });
  });
}

/** The outcome of an attempt at a server that answers so instead of upgrading. */
async function answeredWith(answer: (response: ServerResponse) => void): Promise<Closed> {
  const server = createHttpServer((_request, response) => answer(response));
  return attempt(`ws://127.0.0.1:${await listen(server)}/tailwire`);
}

const HTML = "<html><title>Bad Gateway</title></html>";

test.each([
  [400, '{"code":"unsupported_version","description":"Offer …"}', "unsupported_version"],
  [403, '{"code":"forbidden_origin","description":"Pages …"}', "forbidden_origin"],
  [404, '{"code":"not_found"}', "not_found"],
  [426, '{"code":"not_found"}', "not_found"],
  [503, '{"code":"unavailable","description":"Later."}', "unavailable"],
  [503, '{"code":"a_code_of_next_year"}', "a_code_of_next_year"],
  [502, HTML, "http_502"],
  [429, '{"error":"slow down"}', "http_429"],
  [500, '{"code":7}', "http_500"],
  [500, '{"code":"Something went wrong!"}', "http_500"],
  [500, "null", "http_500"],
  [504, "", "http_504"],
  [302, "", "http_302"],
  [200, "hello", "http_200"],
  [401, "", "http_401"],
  [401, '{"message":"Unauthorized"}', "http_401"],
])("[CONN-7] %d %s is told as %s, and doesn't end the client", async (status, body, word) => {
  const closed = await answeredWith((response) => {
    response.writeHead(status, { location: "/elsewhere", "retry-after": "3600" }).end(body);
  });
  expect(closed).toEqual({ code: 1006, reason: word });
});

test.each([
  ["unauthenticated", 4501],
  ["banned_until_monday", 4501],
  ["token_expired", 1006],
])("[AUTH-3, CONN-7] a server that answers 401 %s closes as %d does", async (reason, code) => {
  const body = JSON.stringify({ code: reason, description: "The token …" });
  const closed = await answeredWith((response) => response.writeHead(401).end(body));
  expect(closed).toEqual({ code, reason });
});

test.each([
  ["never ends", (response: ServerResponse) => void response.write('{"code":"unavailable"}')],
  [
    "breaks off",
    (response: ServerResponse) => {
      response.write('{"code":"unavailable"}', () => response.destroy());
    },
  ],
])("a coded body that %s counts all the same", async (_, write) => {
  const closed = await answeredWith((response) => write(response.writeHead(503)));
  expect(closed).toEqual({ code: 1006, reason: "unavailable" });
});

test("a body without an end is read up to 4 KiB", async () => {
  let written = 0;
  const closed = await answeredWith((response) => {
    response.writeHead(503);
    const more = (): void => {
      written += 1_024;
      if (!response.destroyed) response.write("x".repeat(1_024), () => setImmediate(more));
    };
    more();
  });
  expect(closed.reason).toBe("http_503");
  expect(written).toBeLessThan(10_000_000);
});

test("nobody who listens, and no such host, are told by the system's codes", async () => {
  const server = createTcpServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  expect(await attempt(`ws://127.0.0.1:${port}/`)).toEqual({ code: 1006, reason: "ECONNREFUSED" });
  const { reason } = await attempt("ws://no-such-host.invalid/");
  expect(reason).toMatch(/^(?:ENOTFOUND|EAI_AGAIN)$/);
});

test.each([
  ["hangs up", (socket: Socket) => socket.end(), "ECONNRESET"],
  ["resets", (socket: Socket) => socket.resetAndDestroy(), "ECONNRESET"],
  ["speaks something else", (socket: Socket) => socket.end("220 smtp\r\n"), /^HPE_/],
  [
    "upgrades without knowing how",
    (socket: Socket) =>
      socket.end("HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
    "",
  ],
])("a server that %s", async (_, answer, reason) => {
  const server = createTcpServer((socket) => socket.once("data", () => answer(socket)));
  const closed = await attempt(`ws://127.0.0.1:${await listen(server)}/`);
  expect(closed).toEqual({ code: 1006, reason: expect.stringMatching(reason) as string });
});

test("a socket that is closed while it connects, or while a body comes, is aborted", async () => {
  for (const answer of ["", "HTTP/1.1 503 No\r\nContent-Length: 9\r\n\r\n{"]) {
    const gone: Promise<void>[] = [];
    let asked: () => void = () => undefined;
    const isAsked = new Promise<void>((resolve) => (asked = resolve));
    const server = createTcpServer((socket) => {
      gone.push(new Promise((resolve) => socket.once("close", () => resolve())));
      socket.once("data", () => socket.write(answer, () => asked()));
    });
    const port = await listen(server);
    const ended = new Promise<Closed>((resolve) => {
      const socket = ports.connect(`ws://127.0.0.1:${port}/`, [], {
        opened: () => undefined,
        received: () => undefined,
        closed: (code, reason) => resolve({ code, reason }),
      });
      void isAsked.then(() => socket.close(1000, "done"));
    });
    expect((await ended).code).toBe(1006);
    await Promise.all(gone);
    expect(gone).toHaveLength(1);
  }
});

test("a subprotocol or an address that `ws` can't take throws, and leaves nothing", () => {
  const events = {
    opened: () => undefined,
    received: () => undefined,
    closed: () => undefined,
  };
  expect(() => ports.connect("ws://127.0.0.1:9/", ["not a token"], events)).toThrow(SyntaxError);
  expect(() => ports.connect("ws://[", [], events)).toThrow(SyntaxError);
});

test("`ws` is found beside the first place that has it, whatever the others are", () => {
  const here = import.meta.url;
  expect(findWs([here])).not.toBe(null);
  // As in a CommonJS bundle, whose `import.meta` is empty.
  expect(findWs([undefined, here])).not.toBe(null);
  expect(
    findWs(["", "relative/path.js", "/nowhere/bundle.cjs", "webpack://x/y.js", here]),
  ).not.toBe(null);
  expect(findWs([undefined, "/nowhere/bundle.cjs"])).toBe(null);
  expect(findWs([])).toBe(null);
});

test("where there is neither `ws` nor a WebSocket, that is said at once", async () => {
  vi.stubGlobal("WebSocket", undefined);
  vi.doMock("../../src/drivers/find-ws.ts", () => ({ PLACES: [], findWs: () => null }));
  vi.resetModules();
  onTestFinished(() => {
    vi.unstubAllGlobals();
    vi.doUnmock("../../src/drivers/find-ws.ts");
  });
  const { portsWith: barePortsWith } = await import("../../src/drivers/node.ts");
  expect(() => barePortsWith()).toThrow(/^missing_websocket: .*npm install ws/);
  // Given one of either form, nothing is missing.
  expect(() => barePortsWith(WsWebSocket)).not.toThrow();
});

test("what couldn't be opened is told in words, too: the status, and what the body says", async () => {
  const wordsOf = async (status: number, body: string): Promise<string> => {
    const server = createHttpServer((_request, response) => response.writeHead(status).end(body));
    const url = `ws://127.0.0.1:${await listen(server)}/tailwire`;
    return new Promise((resolve) => {
      ports.connect(url, [], {
        opened: () => undefined,
        received: () => undefined,
        closed: (_code, _reason, words = "") => resolve(words),
      });
    });
  };
  const coded = '{"code":"forbidden_origin","description":"Pages of this origin …"}';
  expect(await wordsOf(403, coded)).toBe("HTTP 403: Pages of this origin …");
  expect(await wordsOf(502, HTML)).toBe(`HTTP 502: ${HTML}`);
  expect(await wordsOf(500, "x".repeat(4_000))).toBe(`HTTP 500: ${"x".repeat(200)}`);
  expect(await wordsOf(504, "")).toBe("HTTP 504: nothing");
});
