// An application's functions give and throw odd things while somebody asks to come in: that one is
// refused with a code, the log says in one line what was wrong, and nobody else is affected.
import { type Codec, jsonCodec, SUBPROTOCOL_MSGPACK, TailwireError } from "@tailwire/protocol";
import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocketServer } from "ws";
import { type Authenticate, createTailwire, type User } from "../../src/index.ts";
import { rejecting, THROWABLES } from "../oddities.ts";
import { expectRefusal, expectServed } from "./expect.ts";
import { Peer } from "./peer.ts";
import { listen, serve, type Served, until } from "./support.ts";
import { createServer } from "node:http";

const PAGE = "https://chat.example";
const GOOD = { headers: { Authorization: "Bearer good" } };
const user = { id: "ada" };

/** A server whose authenticate lets "good" in, and does with everybody else what it is told. */
async function serveOdd(act: () => unknown): Promise<Served> {
  const authenticate = (_request: unknown, token: string | null): unknown =>
    token === "good" ? { user } : act();
  return serve({
    identification: { authenticate: authenticate as Authenticate<User> },
    allowedOrigins: [PAGE],
    limits: { hookMs: 100 },
  });
}

/** One that fails is refused as the others are, a witness lives on, and one line names the hook. */
async function expectMistake(act: () => unknown, words: string | RegExp): Promise<void> {
  const served = await serveOdd(act);
  const { port, log, tailwire } = served;
  const witness = await Peer.welcomed(port, GOOD);
  await expectRefusal(port, {}, 503, "unavailable");
  expect(log.errors).toHaveLength(1);
  expect(log.errors[0]?.message).toMatch(words);
  expect(log.errors[0]?.fields).toMatchObject({ hook: "authenticate" });
  await expectRefusal(port, { headers: { Origin: PAGE } }, 503, "unavailable");
  expect(await witness.lives()).toBe(true);
  await expectServed(await Peer.open(port, GOOD));
  expect(tailwire.connections).toBe(2);
}

describe("authenticate", () => {
  test.each([undefined, null, false])(
    "[AUTH-3, AUTH-4] that gives %s refuses, and nothing is logged",
    async (given) => {
      const { port, log } = await serveOdd(() => given);
      await expectRefusal(port, {}, 401, "unauthenticated");
      const page = await Peer.open(port, { headers: { Origin: PAGE } });
      expect(await page.closed()).toEqual({ code: 4501, reason: "unauthenticated" });
      expect(log.errors).toEqual([]);
    },
  );

  test.each<readonly [string, unknown, string]>([
    ["true", true, "the answer is true"],
    ["a number", 1, "the answer is 1"],
    ["text", "ada", "the answer is a text"],
    ["an array", [user], "the answer is an array"],
    ["no user", { id: "ada" }, "user is nothing"],
    ["an empty id", { user: { id: "" } }, "user.id"],
    ["NaN as the end", { user, expiresAt: Number.NaN }, "expiresAt is NaN"],
    ["null as the end", { user, expiresAt: null }, "expiresAt is null"],
    ["an end in seconds", { user, expiresAt: 1_900_000_000 }, "looks like seconds"],
    ["a wildcard", { user, capabilities: [{ channel: "a:*", actions: [] }] }, "capabilities.0"],
    ["actions as text", { user, capabilities: [{ channel: "a", actions: "all" }] }, "actions"],
  ])("[CONN-7] that gives %s is a mistake", async (_what, given, words) => {
    await expectMistake(() => given, words);
  });

  test.each(Object.entries(THROWABLES))(
    "[CONN-7] may throw or reject with %s",
    async (_what, make) => {
      await expectMistake(() => {
        throw make();
      }, /^authenticate threw/);
      await expectMistake(() => rejecting(make()), /^authenticate threw/);
    },
  );

  test("[CONN-7] may never settle", async () => {
    await expectMistake(() => new Promise(() => undefined), /limits\.hookMs/);
  });

  test("[AUTH-3, AUTH-4] that names somebody whose token has ended refuses, for now", async () => {
    for (const expiresAt of [Date.now() - 1, new Date(Date.now() - 60_000)]) {
      const { port, log } = await serveOdd(() => ({ user, expiresAt }));
      await expectRefusal(port, {}, 401, "token_expired");
      const page = await Peer.open(port, { headers: { Origin: PAGE } });
      expect(await page.closed()).toEqual({ code: 4410, reason: "token_expired" });
      expect(log.errors).toEqual([]);
    }
  });

  test("[AUTH-9] may name the end as a date, and Infinity is never", async () => {
    const end = Date.now() + 3_600_000;
    for (const [expiresAt, told] of [
      [new Date(end), end],
      [end + 0.5, end],
      [Infinity, undefined],
    ] as const) {
      const { port } = await serveOdd(() => ({ user, expiresAt }));
      const peer = await Peer.welcomed(port);
      expect((await peer.message("welcome"))["expiresAt"]).toBe(told);
    }
  });
});

describe("a TailwireError that authenticate throws", () => {
  const banned = { code: "banned", description: "Until May.", fault: "client" } as const;

  test("[AUTH-3, AUTH-4] refuses for good where it is the client's fault and final", async () => {
    const { port, log, tailwire } = await serveOdd(() => {
      throw new TailwireError({ ...banned, retry: false });
    });
    const { response } = await expectRefusal(port, {}, 401, "banned");
    expect(response?.body).toContain("Until May.");
    const page = await Peer.open(port, { headers: { Origin: PAGE } });
    expect(await page.closed()).toEqual({ code: 4501, reason: "unauthenticated" });
    expect(page.messages).toMatchObject([{ type: "error", ...banned, retry: false }]);
    expect(log.errors).toEqual([]);
    expect(tailwire.stats().refused).toEqual({ banned: 2 });
  });

  test("[CONN-7] is told with 503 where it may pass", async () => {
    for (const traits of [
      { fault: "server", retry: true },
      { fault: "server", retry: false },
      { fault: "client", retry: true },
    ] as const) {
      const { port, log } = await serveOdd(() => {
        throw new TailwireError({ ...banned, code: "full", ...traits });
      });
      await expectRefusal(port, {}, 503, "full");
      await expectRefusal(port, { headers: { Origin: PAGE } }, 503, "full");
      expect(log.errors).toEqual([]);
    }
  });

  test("is a mistake like any other where its fields don't fit", async () => {
    for (const odd of [{ code: "x".repeat(5_000) }, { description: 7 }, { retry: undefined }]) {
      await expectMistake(() => {
        throw new TailwireError({ ...banned, retry: false, ...(odd as object) });
      }, "unfit");
    }
  });
});

describe("clientAddress", () => {
  test.each<readonly [string, () => unknown]>([
    ["throws", () => (undefined as unknown as string).split(",")],
    ["throws what can't be text", () => rejectedNow()],
    ["rejects", () => rejecting(new Error("late"))],
    ["never settles", () => new Promise(() => undefined)],
    ["gives nothing", () => undefined],
    ["gives a list", () => ["1.2.3.4"]],
    ["gives a number", () => 7],
  ])("[CONN-7] that %s refuses that one", async (_what, act) => {
    const clientAddress = ({ headers }: { headers: object }): string =>
      ("x-forwarded-for" in headers ? "1.2.3.4" : act()) as string;
    const { port, log } = await serve({ clientAddress, limits: { hookMs: 100 } });
    const proxied = { headers: { "X-Forwarded-For": "1.2.3.4" } };
    const witness = await Peer.welcomed(port, proxied);
    await expectRefusal(port, {}, 503, "unavailable");
    expect(log.errors).toHaveLength(1);
    expect(log.errors[0]?.message).toMatch(/^clientAddress/);
    expect(await witness.lives()).toBe(true);
    await expectServed(await Peer.open(port, proxied));
  });
});

function rejectedNow(): never {
  throw Object.create(null);
}

describe("a ticket", () => {
  test.each<readonly [string, unknown]>([
    ["nobody", null],
    ["nothing", undefined],
    ["text", "ada"],
    ["no user", {}],
    ["an end in seconds", { user, expiresAt: 1_900_000_000 }],
    ["a wildcard", { user, capabilities: [{ channel: "a:*", actions: [] }] }],
  ])("for %s is refused at once, in words", async (_what, given) => {
    const { tailwire } = await serve();
    expect(() => tailwire.ticket(given as { user: User })).toThrow(TypeError);
    expect(() => tailwire.ticket(given as { user: User })).toThrow(/^ticket: /);
  });

  test("[AUTH-13] lets in whom it was made for, whatever became of that since", async () => {
    const { port, tailwire } = await serve();
    const given = { user: { id: "ada" }, expiresAt: Date.now() + 60_000 };
    const ticket = tailwire.ticket(given);
    given.user.id = "";
    given.expiresAt = Number.NaN;
    await expectServed(await Peer.open(port, { path: `/tailwire?ticket=${ticket}` }));
  });

  test("[AUTH-13] of somebody whose token has ended is refused when it is shown", async () => {
    const { port, tailwire } = await serve();
    const ticket = tailwire.ticket({ user, expiresAt: Date.now() - 1 });
    await expectRefusal(port, { path: `/tailwire?ticket=${ticket}` }, 401, "token_expired");
  });

  test("takes an origin in any form that means it, and refuses what is none", async () => {
    const { port, tailwire } = await serve();
    const ticket = tailwire.ticket({ user }, { origin: "https://Chat.example:443/" });
    const asked = {
      path: `/tailwire?ticket=${ticket}`,
      headers: { Origin: PAGE, Host: "chat.example" },
    };
    await expectServed(await Peer.open(port, asked));
    expect(() => tailwire.ticket({ user }, { origin: "chat.example" })).toThrow(RangeError);
    const misspelt = { orgin: PAGE } as { origin?: string };
    expect(() => tailwire.ticket({ user }, misspelt)).toThrow("orgin");
  });
});

describe("an upgrade that somebody else takes as well", () => {
  const others: Readonly<Record<string, (served: Served) => void>> = {
    "another WebSocket server on every path": ({ http }) =>
      void new WebSocketServer({ server: http }),
    "another WebSocket server, which aborts what isn't its path": ({ http }) =>
      void new WebSocketServer({ server: http, path: "/theirs" }),
    "a listener that ends every socket": ({ http }) => {
      http.on("upgrade", (_request, socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    },
    "a listener that destroys every socket": ({ http }) => {
      http.on("upgrade", (_request, socket) => socket.destroy());
    },
  };

  for (const [what, add] of Object.entries(others)) {
    test(`fails alone, with a line that names the cause: ${what}`, async () => {
      const served = await serve();
      const { port, log, tailwire } = served;
      const witness = await Peer.welcomed(port);
      add(served);
      for (let tries = 0; tries < 3; tries += 1) {
        const peer = Peer.ask(port);
        await until(() => peer.ended, "the end of the socket");
      }
      expect(await witness.lives()).toBe(true);
      expect(tailwire.connections).toBe(1);
      const lines = log.errors.map(({ message }) => message);
      // A socket that is gone at once tells nothing about who took it.
      const wanted = what.includes("destroys") ? [] : [/another WebSocket server/];
      expect(lines).toEqual(wanted.map((words) => expect.stringMatching(words) as unknown));
    });
  }
});

describe("the logger", () => {
  test.each<readonly [string, object]>([
    ["throws", { error: rejectedNow, warn: rejectedNow, debug: rejectedNow, info: rejectedNow }],
    ["rejects", { error: () => rejecting(Object.create(null)) }],
    ["lacks everything", {}],
  ])("that %s harms nobody", async (_what, logger) => {
    const http = createServer();
    const authenticate = (_request: unknown, token: string | null): unknown =>
      token === "good" ? { user } : 7;
    const tailwire = createTailwire({
      authenticate: authenticate as Authenticate<User>,
      channels: { lobby: {} },
      logger: logger as never,
    }).attach(http);
    onTestFinished(() => tailwire.close());
    const port = await listen(http);
    const witness = await Peer.welcomed(port, GOOD);
    await expectRefusal(port, {}, 503, "unavailable");
    expect(await witness.lives()).toBe(true);
  });
});

test("[CLOSE-5] a throw in here ends the connection that it happened on with 1011, and is logged", async () => {
  // A codec that breaks its contract stands for a bug of ours: nothing guards it but the socket's handlers.
  let isBroken = false;
  const broken: Codec = {
    ...jsonCodec,
    subprotocol: SUBPROTOCOL_MSGPACK,
    clientBatch: (wire) => {
      if (isBroken) throw new Error("a bug of ours");
      return jsonCodec.clientBatch(wire);
    },
  };
  const { port, log } = await serve({ codecs: [broken] });
  const witness = await Peer.welcomed(port);
  const peer = await Peer.welcomed(port, {
    headers: { "Sec-WebSocket-Protocol": SUBPROTOCOL_MSGPACK },
  });
  isBroken = true;
  peer.say({ type: "ping" });
  expect(await peer.closed()).toEqual({ code: 1011, reason: "internal" });
  expect(log.errors).toMatchObject([{ fields: { error: { message: "a bug of ours" } } }]);
  expect(await witness.lives()).toBe(true);
});
