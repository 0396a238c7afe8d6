// Attached and taken back: several servers on one HTTP server, one on several, and one after another.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createClient } from "@tailwire/client";
import { describe, expect, onTestFinished, test } from "vitest";
import { createTailwire, type Logger, type TailwireServer } from "../../src/index.ts";
import { expectRefusal, expectServed } from "./expect.ts";
import { Peer } from "./peer.ts";
import { listen, turns } from "./support.ts";

const ignore = (): void => undefined;

function make(logger?: Logger): TailwireServer {
  const tailwire = createTailwire({ anonymous: true, channels: { "room:{id}": {} }, logger });
  onTestFinished(() => tailwire.close());
  return tailwire;
}

async function listening(): Promise<Server> {
  const http = createServer();
  await listen(http);
  return http;
}

const portOf = (http: Server): number => (http.address() as AddressInfo).port;

async function get(http: Server, path: string): Promise<number> {
  return (await fetch(`http://127.0.0.1:${portOf(http)}${path}`)).status;
}

const listeners = (http: Server): readonly number[] =>
  ["upgrade", "request", "close", "error", "connection"].map((event) => http.listenerCount(event));

describe("close()", () => {
  test("takes back all that attach added, and another may be attached, many times over", async () => {
    const http = await listening();
    const before = listeners(http);
    for (let round = 0; round < 12; round += 1) {
      const tailwire = make().attach(http);
      await expectServed(await Peer.open(portOf(http)));
      expect(await get(http, "/tailwire")).toBe(426);
      await tailwire.close();
      expect(listeners(http)).toEqual(before);
    }
  });

  test("of one leaves the other on the same HTTP server as it is", async () => {
    const http = await listening();
    const one = make().attach(http);
    make().attach(http, { path: "/admin" });
    const witness = await Peer.welcomed(portOf(http), { path: "/admin" });
    await one.close();
    expect(await witness.lives()).toBe(true);
    await expectRefusal(portOf(http), {}, 404, "not_found");
    expect(await get(http, "/tailwire")).toBe(404);
    expect(await get(http, "/admin")).toBe(426);
  });

  test("takes a path back for whoever wants it, while the last connections still close", async () => {
    const http = await listening();
    const former = make().attach(http);
    const peer = await Peer.welcomed(portOf(http));
    peer.answersClose = false;
    const closing = former.close();
    const next = make().attach(http);
    await expectServed(await Peer.open(portOf(http)));
    peer.socket.destroy();
    await closing;
    await expectServed(await Peer.open(portOf(http)));
    expect([former.connections, next.connections]).toEqual([0, 2]);
  });

  test("detaches from every HTTP server that one was attached to", async () => {
    const [one, two] = [await listening(), await listening()];
    const tailwire = make()
      .attach(one)
      .attach(two, { path: "/two" })
      .attach(two, { path: "/three" });
    await expectServed(await Peer.open(portOf(one)));
    await expectServed(await Peer.open(portOf(two), { path: "/two" }));
    await expectServed(await Peer.open(portOf(two), { path: "/three" }));
    expect(tailwire.connections).toBe(3);
    await tailwire.close();
    for (const http of [one, two]) expect(listeners(http).slice(0, 2)).toEqual([0, 0]);
  });
});

describe("several on one HTTP server", () => {
  test("each take their own path, and what is nobody's is answered", async () => {
    const http = await listening();
    const [chat, admin, third] = [make(), make(), make()];
    chat.attach(http);
    admin.attach(http, { path: "/admin" });
    third.attach(http, { path: "/a/b" });
    await expectServed(await Peer.open(portOf(http)));
    await expectServed(await Peer.open(portOf(http), { path: "/admin?x=1" }));
    await expectServed(await Peer.open(portOf(http), { path: "/a/b" }));
    expect([chat, admin, third].map(({ connections }) => connections)).toEqual([1, 1, 1]);
    await expectRefusal(portOf(http), { path: "/nobody" }, 404, "not_found");
    for (const [path, status] of [
      ["/", 404],
      ["/nobody", 404],
      ["/tailwire?x=1", 426],
      ["/admin", 426],
    ] as const) {
      expect(await get(http, path)).toBe(status);
    }
  });

  test("leave other listeners their paths and their requests", async () => {
    const http = await listening();
    make().attach(http);
    make().attach(http, { path: "/admin" });
    http.on("upgrade", (request, socket) => {
      if (request.url === "/theirs") socket.end("HTTP/1.1 418 I'm a teapot\r\n\r\n");
    });
    http.on("request", (_request, response) => response.writeHead(207).end());
    expect((await Peer.open(portOf(http), { path: "/theirs" })).response?.status).toBe(418);
    for (const path of ["/", "/tailwire", "/admin"]) expect(await get(http, path)).toBe(207);
    await expectServed(await Peer.open(portOf(http)));
    // An upgrade that may be theirs isn't answered for them.
    const unknown = Peer.ask(portOf(http), { path: "/nobody" });
    await expectServed(await Peer.open(portOf(http), { path: "/admin" }));
    await turns(20);
    expect([unknown.response, unknown.ended]).toEqual([null, false]);
  });
});

describe("attach refuses", () => {
  test("one path twice, of one server and of two", async () => {
    const http = createServer();
    const tailwire = make().attach(http);
    expect(() => tailwire.attach(http)).toThrow(
      "/tailwire of this HTTP server is attached already",
    );
    expect(() => make().attach(http)).toThrow("attached already");
    make().attach(http, { path: "/other" });
    expect(() => tailwire.attach(http, { path: "/other" })).toThrow("attached already");
    expect(http.listenerCount("upgrade")).toBe(1);
    await tailwire.close();
    make().attach(http);
  });

  test.each([
    "tailwire",
    "",
    "/chat?room=1",
    "/chat#top",
    "/chat/*",
    "*",
    "/rooms/:id",
    "/rooms/{id}",
    "/a b",
    "/täl",
    "//chat",
    "/a/../b",
    "http://chat.example/tailwire",
    7,
    null,
    ["/tailwire"],
  ])("the path %j", (path) => {
    const http = createServer();
    const attach = (): unknown => make().attach(http, { path: path as string });
    expect(attach).toThrow(RangeError);
    expect(attach).toThrow("/tailwire");
    expect(http.listenerCount("upgrade")).toBe(0);
  });

  test("an option that isn't one", () => {
    const options = { pfad: "/chat" } as { path?: string };
    expect(() => make().attach(createServer(), options)).toThrow("pfad");
  });

  test.each([
    ["nothing", undefined],
    ["a port", 3_000],
    ["an application of Express, which is a function", Object.assign(() => 1, { on: ignore })],
    ["an object", {}],
  ])("%s for an HTTP server", (_what, given) => {
    expect(() => make().attach(given as unknown as Server)).toThrow(TypeError);
    expect(() => make().attach(given as unknown as Server)).toThrow("createServer()");
  });

  test.each(["/", "/tailwire/", "/a/b.c", "/%20", "/~user"])("not the path %s", async (path) => {
    const http = await listening();
    make().attach(http, { path });
    await expectServed(await Peer.open(portOf(http), { path }));
  });
});

test("where all listeners were taken away, attaching anew brings them back", async () => {
  const http = await listening();
  make().attach(http, { path: "/former" });
  http.removeAllListeners("upgrade").removeAllListeners("request");
  make().attach(http);
  await expectServed(await Peer.open(portOf(http)));
  await expectServed(await Peer.open(portOf(http), { path: "/former" }));
  expect([http.listenerCount("upgrade"), http.listenerCount("request")]).toEqual([1, 1]);
});

test("a client of the former server finds the next one at the same path", async () => {
  const http = await listening();
  const former = make().attach(http);
  const client = createClient(`ws://127.0.0.1:${portOf(http)}/tailwire`);
  onTestFinished(() => client.close());
  await client.channel("room:1").publish("said", 1);
  await former.close();
  make().attach(http);
  client.retryNow();
  await expect(client.channel("room:1").publish("said", 2)).resolves.toBeDefined();
});

test("the first unknown path is warned of, and no other", async () => {
  const warnings: string[] = [];
  const warn = (_fields: object, message: string): void => void warnings.push(message);
  const http = await listening();
  make({ debug: ignore, info: ignore, warn, error: warn }).attach(http);
  for (const path of [`/${"x".repeat(5_000)}`, "/socket.io/", "/ws"]) {
    await expectRefusal(portOf(http), { path }, 404, "not_found");
  }
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatch(/"\/x{255}", and is served at \/tailwire$/);
});
