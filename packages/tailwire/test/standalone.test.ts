/** The standalone server over real sockets on loopback: its files, its refusals, and its cut. */
import { createHash } from "node:crypto";
import { createServer } from "node:net";
import { type Client, createClient } from "@tailwire/client";
import { beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { Tally } from "../page/counters.ts";
import { DEFAULT_PORT, listen } from "../src/listen.ts";
import { type Standalone, startStandalone } from "../src/standalone.ts";
import { ask, build, codeOf, startForTest } from "./support.ts";

beforeAll(build, 60_000);

/** The modules that a module imports, its compiled text being regular. */
function importsOf(text: string): string[] {
  const statement = /^(?:import|export)\s(?:[\w$*{},\s]*\sfrom\s)?"([^"]+)";/gm;
  return [...text.matchAll(statement)].map(([, specifier]) => specifier ?? "");
}

describe("the page", () => {
  test("is served with all that it loads, and every module that those import", async () => {
    const standalone = await startForTest();
    const page = await ask(standalone, "/");
    expect(page.headers["content-type"]).toBe("text/html; charset=utf-8");
    const { imports } = JSON.parse(
      /<script type="importmap">(.*?)<\/script>/s.exec(page.text)?.[1] ?? "",
    ) as { readonly imports: Readonly<Record<string, string>> };
    const loaded = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path ?? "");
    const waiting = new Set([...loaded, ...Object.values(imports)]);
    for (const path of waiting) {
      const reply = await ask(standalone, path);
      const { "cache-control": caching, "x-content-type-options": sniffing } = reply.headers;
      expect({ path, status: reply.status, caching, sniffing }).toEqual({
        path,
        status: 200,
        caching: "no-cache",
        sniffing: "nosniff",
      });
      if (!path.endsWith(".js")) continue;
      expect(reply.headers["content-type"]).toBe("text/javascript; charset=utf-8");
      for (const specifier of importsOf(reply.text)) {
        waiting.add(imports[specifier] ?? new URL(specifier, `http://host${path}`).pathname);
      }
    }
    expect([...waiting]).toEqual(
      expect.arrayContaining([
        "/page/counters.js",
        "/modules/client/client.js",
        "/modules/client/drivers/browser.js",
        "/modules/protocol/codec-json.js",
      ]),
    );
    expect([...waiting].filter((path) => path.includes("node"))).toEqual([]);
  });

  test("may run no script but its own files and this very import map", async () => {
    const { headers, text } = await ask(await startForTest(), "/");
    const importMap = /<script type="importmap">(.*?)<\/script>/s.exec(text)?.[1] ?? "";
    const hash = createHash("sha256").update(importMap).digest("base64");
    const policy = String(headers["content-security-policy"]).split("; ");
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`script-src 'self' 'sha256-${hash}'`);
    expect(policy).toContain("require-trusted-types-for 'script'");
  });

  test("doesn't put what isn't a host into its policy", async () => {
    const headers = { Host: "a; script-src *" };
    const reply = await ask(await startForTest(), "/", { headers });
    expect(reply.headers["content-security-policy"]).not.toContain("script-src *");
  });

  test("answers HEAD without a body", async () => {
    const reply = await ask(await startForTest(), "/", { method: "HEAD" });
    expect(reply).toMatchObject({ status: 200, text: "" });
  });
});

describe("what isn't on the list isn't there", () => {
  test.each([
    "/nothing",
    "/page/",
    "/page/../../package.json",
    "/page/%2e%2e/%2e%2e/package.json",
    "/page/..%2fstart.js",
    "/page/page.tsbuildinfo",
    "/modules/client/../package.json",
    "/modules/client/../../../package.json",
    "/modules/client//etc/passwd.js",
    "/modules/client/drivers\\..\\index.js",
    "/modules/client/index.js%00",
    "/modules/server/index.js",
    "/modules/client/index.d.ts",
    "//etc/passwd",
    "/page/main.ts",
  ])("%s", async (path) => {
    const reply = await ask(await startForTest(), path);
    expect(reply.status).toBe(404);
    expect(codeOf(reply)).toBe("not_found");
  });
});

describe("refusals have a code", () => {
  test("a file can't be posted to", async () => {
    const reply = await ask(await startForTest(), "/", { method: "POST" });
    expect(reply).toMatchObject({ status: 405, headers: { allow: "GET, HEAD" } });
    expect(codeOf(reply)).toBe("method_not_allowed");
  });

  test("a plain GET of the WebSocket is told about Upgrade, and about proxies", async () => {
    const reply = await ask(await startForTest(), "/tailwire?token=x");
    expect(reply).toMatchObject({ status: 426, headers: { upgrade: "websocket" } });
    expect(codeOf(reply)).toBe("upgrade_required");
    expect(reply.text).toContain("proxy");
  });

  test("an upgrade at another path is not found", async () => {
    const headers = { Connection: "Upgrade", Upgrade: "websocket" };
    const reply = await ask(await startForTest(), "/elsewhere", { headers });
    expect(reply.status).toBe(404);
    expect(codeOf(reply)).toBe("not_found");
  });
});

/** Follows `demo:load` as Grace, and says when so many have come. */
async function follow(grace: Client): Promise<{ tally: Tally; all: (n: number) => Promise<void> }> {
  const tally = new Tally();
  const subscription = grace.channel("demo:load").subscribe();
  const waiting = new Map<number, () => void>();
  subscription.on("tick", ({ id, position }) => {
    if (subscription.position !== null) tally.begin(subscription.position);
    tally.receive(id, position);
    waiting.get(tally.received)?.();
  });
  await subscription.ready;
  return { tally, all: (n) => new Promise((resolve) => void waiting.set(n, resolve)) };
}

function clientFor(standalone: Standalone, user: string): Client {
  const client = createClient(standalone.websocket, { getToken: () => user });
  onTestFinished(() => client.close());
  return client;
}

/** Resolves when a client has lost its connection and is back; it is not made to wait. */
function lostAndBack(client: Client): Promise<void> {
  return new Promise((resolve) => {
    let lost = false;
    client.onStatus(({ state, retryAt }) => {
      if (retryAt !== null) client.retryNow();
      if (state === "reconnecting") lost = true;
      if (lost && state === "connected") resolve();
    });
  });
}

describe("a cut", () => {
  test.each(["ada", "grace"])(
    "of %s under load loses nothing and repeats nothing",
    async (user) => {
      const standalone = await startForTest();
      const ada = clientFor(standalone, "ada");
      const grace = clientFor(standalone, "grace");
      const { tally, all } = await follow(grace);
      const some = all(200);
      const everything = all(1_000);
      const publish = (n: number): Promise<unknown> => ada.channel("demo:load").publish("tick", n);
      const first = Array.from({ length: 500 }, (_, n) => publish(n));
      await some;
      const back = lostAndBack(user === "ada" ? ada : grace);
      const cut = ask(standalone, `/demo/cut?user=${user}`, {
        method: "POST",
        headers: { Origin: standalone.url },
      });
      const rest = Array.from({ length: 500 }, (_, n) => publish(500 + n));
      expect(JSON.parse((await cut).text)).toEqual({ cut: 1 });
      await Promise.all([back, everything, ...first, ...rest]);
      expect(tally).toMatchObject({ received: 1_000, missed: 0, duplicated: 0, toldMissing: 0 });
    },
  );

  test("of somebody who isn't there cuts nothing", async () => {
    const standalone = await startForTest();
    const headers = { Origin: standalone.url };
    const reply = await ask(standalone, "/demo/cut?user=nobody", { method: "POST", headers });
    expect(JSON.parse(reply.text)).toEqual({ cut: 0 });
  });

  test.each([
    ["without an Origin", {}],
    ["from another page", { Origin: "http://evil.example" }],
    ["from another port of this machine", { Origin: "http://127.0.0.1:1" }],
    ["from a page without an origin", { Origin: "null" }],
    [
      "from a name that somebody pointed at this machine",
      { Origin: "http://evil.example", Host: "evil.example" },
    ],
  ])("is refused %s", async (_whence, headers: Record<string, string>) => {
    const standalone = await startForTest();
    const ada = clientFor(standalone, "ada");
    await ada.channel("room:1").publish("said", "still here");
    const reply = await ask(standalone, "/demo/cut?user=ada", { method: "POST", headers });
    expect(reply.status).toBe(403);
    expect(codeOf(reply)).toBe("forbidden_origin");
    expect(ada.status.state).toBe("connected");
  });

  test("needs POST and a user", async () => {
    const standalone = await startForTest();
    const headers = { Origin: standalone.url };
    expect(codeOf(await ask(standalone, "/demo/cut?user=ada", { headers }))).toBe(
      "method_not_allowed",
    );
    expect(codeOf(await ask(standalone, "/demo/cut", { method: "POST", headers }))).toBe(
      "missing_user",
    );
  });
});

describe("the development policy", () => {
  test("any token is the user's name; undeclared channels are forbidden", async () => {
    const ada = clientFor(await startForTest(), "ada");
    await expect(ada.channel("room:1").publish("said", "hello")).resolves.toBeDefined();
    await expect(ada.channel("secret").publish("said", "hello")).rejects.toMatchObject({
      code: "forbidden",
    });
  });

  test("no token is refused", async () => {
    const { websocket } = await startForTest();
    const nobody = createClient(websocket);
    await expect(nobody.channel("room:1").publish("said", "hello")).rejects.toMatchObject({
      fault: "client",
    });
    expect(nobody.status).toMatchObject({ state: "closed", reason: "unauthenticated" });
  });
});

test("the machine's figures are published, and kept for who comes later", async () => {
  const ada = clientFor(await startForTest(), "ada");
  for await (const { data } of ada.channel("demo:machine").subscribe({ start: "earliest" })) {
    expect(data).toEqual({
      cpuPercent: expect.any(Number) as unknown,
      memoryBytes: expect.any(Number) as unknown,
      loopDelayMs: expect.any(Number) as unknown,
      connections: 1,
    });
    break;
  }
});

describe("listening", () => {
  test("has room for a crowd that comes back at once", async () => {
    const server = createServer();
    onTestFinished(() => void server.close());
    const asked = vi.spyOn(server, "listen");
    await listen(server, "127.0.0.1", 0);
    expect(asked).toHaveBeenCalledWith(
      { host: "127.0.0.1", port: 0, backlog: 4_096 },
      expect.any(Function),
    );
  });

  test("an explicit port that is taken is an error with a code", async () => {
    const { port } = await startForTest();
    await expect(startStandalone({ port })).rejects.toMatchObject({ code: "port_in_use" });
  });

  test("another free port will do, where the default one is taken", async () => {
    const blocker = createServer();
    const taken = new Promise((resolve) => {
      // Somebody else may have taken it already, which serves as well.
      blocker.once("error", resolve).listen(DEFAULT_PORT, "127.0.0.1", () => resolve(null));
    });
    await taken;
    onTestFinished(() => void blocker.close());
    const standalone = await startStandalone({ port: null });
    onTestFinished(() => standalone.close());
    expect(standalone.port).not.toBe(DEFAULT_PORT);
    expect((await ask(standalone, "/")).status).toBe(200);
  });

  test("an address that this machine hasn't got is an error with a code", async () => {
    await expect(startStandalone({ host: "192.0.2.1" })).rejects.toMatchObject({
      code: "bad_host",
    });
  });
});
