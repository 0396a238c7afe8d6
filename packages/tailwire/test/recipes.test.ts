// The recipes' servers and clients are run as they stand there, each as a process of its own.
import {
  type ChildProcessWithoutNullStreams,
  execFileSync,
  spawn,
  spawnSync,
} from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { createServer } from "node:net";
import { basename, resolve } from "node:path";
import { SignJWT } from "jose";
import { beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { createClient } from "tailwire/client";
import { WebSocket } from "ws";

beforeAll(() => {
  // As before packing: all is compiled, and the client is in one file, too.
  execFileSync("npm", ["run", "--silent", "prepack", "-w", "tailwire"], { stdio: "inherit" });
}, 120_000);

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

/** A page's files on ports of their own, and processes that run them. */
class Recipe {
  readonly port: number;
  readonly proxyPort: number;
  readonly folder: string;

  private constructor(name: string, port: number, proxyPort: number) {
    this.port = port;
    this.proxyPort = proxyPort;
    this.folder = resolve(".tmp", "recipes", `${basename(name)}-${port}`);
    mkdirSync(this.folder, { recursive: true });
    const page = readFileSync(`docs/${name}.md`, "utf8");
    for (const [, file = "", code = ""] of page.matchAll(/```\w+ ([\w.-]+)\n([\s\S]*?)```/g)) {
      if (!page.includes(`\`${file}\``)) throw new Error(`${name} doesn't name ${file}`);
      writeFileSync(
        resolve(this.folder, file),
        code.replaceAll("3000", String(port)).replaceAll("8080", String(proxyPort)),
      );
    }
  }

  static async of(name: string): Promise<Recipe> {
    return new Recipe(name, await freePort(), await freePort());
  }

  run(command: string, ...args: string[]): ChildProcessWithoutNullStreams {
    const child = spawn(command, args, { cwd: this.folder });
    onTestFinished(() => void child.kill("SIGKILL"));
    return child;
  }

  /** The server, once it listens. */
  async serve(): Promise<ChildProcessWithoutNullStreams> {
    const server = this.run(process.execPath, "server.mjs");
    const errors = told(server.stderr);
    await Promise.race([once(server.stdout, "data"), once(server, "exit")]);
    if (errors() !== "") throw new Error(errors());
    return server;
  }

  /** The first line of its client. */
  async client(): Promise<string> {
    const client = this.run(process.execPath, "client.mjs");
    const errors = told(client.stderr);
    const [line] = (await Promise.race([once(client.stdout, "data"), once(client, "exit")])) as [
      unknown,
    ];
    if (errors() !== "") throw new Error(errors());
    return String(line);
  }
}

/** All that comes out of a stream so far. */
function told(stream: NodeJS.ReadableStream): () => string {
  let text = "";
  stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
  return () => text;
}

/** Whether a page of some origin gets a WebSocket, with headers that a browser would send. */
async function upgrades(port: number, headers: Record<string, string>): Promise<boolean> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/tailwire`, "tailwire.v1.json", { headers });
  onTestFinished(() => socket.terminate());
  const opened = once(socket, "open").then(() => true);
  const refused = once(socket, "unexpected-response").then(() => false);
  return Promise.race([opened, refused]);
}

describe.each([
  ["express", "{ status: 'packed' }\n"],
  ["fastify", "{ title: 'High tide' }\n"],
  ["hono", "{ text: 'Tea at four?' }\n"],
  ["jwt", "{ from: 'Ada', text: 'hello' }\n"],
])("%s", (name, said) => {
  test("gives its client what its page says", async () => {
    const recipe = await Recipe.of(`recipes/${name}`);
    await recipe.serve();
    expect(await recipe.client()).toBe(said);
    expect(readFileSync(`docs/recipes/${name}.md`, "utf8")).toContain(`\`${said.trim()}\``);
  });
});

describe("publishing", () => {
  test.each([
    ["express", "customer", "order:7"],
    ["fastify", "reader", "news:sea"],
    ["hono", "ada", "inbox:ada"],
  ])("is the server's own beside %s", async (name, token, channel) => {
    const recipe = await Recipe.of(`recipes/${name}`);
    await recipe.serve();
    const url = `ws://127.0.0.1:${recipe.port}/tailwire`;
    const client = createClient(url, { getToken: () => token });
    onTestFinished(() => client.close());
    await expect(client.channel(channel).publish("mine", 1)).rejects.toMatchObject({
      code: "forbidden",
    });
  });
});

test("Fastify closes while somebody is connected", async () => {
  const recipe = await Recipe.of("recipes/fastify");
  const server = await recipe.serve();
  await recipe.client();
  server.kill("SIGTERM");
  expect(await once(server, "exit")).toEqual([0, null]);
});

describe("JWT", () => {
  test("refuses a token that somebody else has signed, for good", async () => {
    const recipe = await Recipe.of("recipes/jwt");
    await recipe.serve();
    const token = new SignJWT({ name: "Ada", rooms: ["7"] }).setProtectedHeader({ alg: "HS256" });
    const forged = await token
      .setSubject("user-1")
      .setExpirationTime("1h")
      .sign(new TextEncoder().encode("the key of somebody else, as long"));
    const url = `ws://127.0.0.1:${recipe.port}/tailwire`;
    const client = createClient(url, { getToken: () => forged });
    onTestFinished(() => client.close());
    await expect(client.channel("room:7").publish("message", "hello")).rejects.toMatchObject({
      code: "unauthenticated",
    });
  });

  test("lets its claims say which rooms somebody has", async () => {
    const recipe = await Recipe.of("recipes/jwt");
    await recipe.serve();
    const base = `127.0.0.1:${recipe.port}`;
    const client = createClient(`ws://${base}/tailwire`, {
      getToken: async () => (await fetch(`http://${base}/token`)).text(),
    });
    onTestFinished(() => client.close());
    await expect(client.channel("room:8").publish("message", "hello")).rejects.toMatchObject({
      code: "forbidden",
    });
  });
});

describe("cookies", () => {
  test("let a page of this host in, with its session, and nobody else", async () => {
    const recipe = await Recipe.of("recipes/cookies");
    await recipe.serve();
    const page = await fetch(`http://127.0.0.1:${recipe.port}/`);
    const cookie = String(page.headers.get("set-cookie")).split(";")[0] ?? "";
    const origin = `http://127.0.0.1:${recipe.port}`;
    expect(cookie).toMatch(/^session=[0-9a-f-]{36}$/);
    expect(await upgrades(recipe.port, { cookie, origin })).toBe(true);
    expect(await upgrades(recipe.port, { cookie, origin: "https://elsewhere.example" })).toBe(
      false,
    );
    expect(await upgrades(recipe.port, { cookie: "session=guessed" })).toBe(false);
    expect(await upgrades(recipe.port, {})).toBe(false);
  });
});

const nginx = spawnSync("nginx", ["-v"]).error === undefined;

describe("nginx", () => {
  test("is installed in CI", () => {
    if (!nginx) console.warn("There is no `nginx` on this machine: its recipe is skipped.");
    expect(nginx || process.env["CI"] !== "true").toBe(true);
  });

  test.skipIf(!nginx)("passes upgrades, origins and addresses on", async () => {
    const recipe = await Recipe.of("recipes/nginx");
    const server = await recipe.serve();
    const said = told(server.stdout);
    const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    const temporary = paths.map((path) => `${path}_temp_path ${recipe.folder};`).join(" ");
    writeFileSync(
      resolve(recipe.folder, "nginx.conf"),
      `daemon off; master_process off; pid nginx.pid; error_log stderr;
       events {} http { access_log access.log; ${temporary} include site.conf; }`,
    );
    const proxy = recipe.run("nginx", "-p", recipe.folder, "-c", "nginx.conf", "-e", "stderr");
    const errors = told(proxy.stderr);
    await vi.waitUntil(() => answers(recipe.proxyPort), { timeout: 15_000 });
    expect(await recipe.client()).toBe("through nginx\n");
    expect(said()).toBe("ada is there\n");
    // A page's own host has its port, which the proxy keeps.
    const host = `chat.example:${recipe.proxyPort}`;
    const authorization = "Bearer ada";
    const from = (origin: string): Record<string, string> => ({ host, origin, authorization });
    expect(await upgrades(recipe.proxyPort, from(`http://${host}`))).toBe(true);
    expect(await upgrades(recipe.proxyPort, from("http://elsewhere.example"))).toBe(false);
    // The log has no token.
    expect(readFileSync(resolve(recipe.folder, "access.log"), "utf8")).not.toContain("YWRh");
    expect(errors()).toBe("");
    proxy.kill("SIGTERM");
    await once(proxy, "exit");
  });
});

/** Whether anything answers requests there. */
function answers(port: number): Promise<boolean> {
  return new Promise((done) => {
    get({ port, host: "127.0.0.1", path: "/tailwire" }, (response) => {
      response.resume();
      done(true);
    }).on("error", () => done(false));
  });
}

test("a server as the deployment page has it says goodbye at SIGTERM, and ends", async () => {
  const recipe = await Recipe.of("deployment");
  const server = recipe.run(process.execPath, "--max-semi-space-size=4", "server.mjs");
  const errors = told(server.stderr);
  await vi.waitUntil(() => answers(recipe.port), { timeout: 15_000 });
  const url = `ws://127.0.0.1:${recipe.port}/tailwire`;
  const client = createClient(url, { getToken: () => "ada" });
  onTestFinished(() => client.close());
  await client.channel("news:sea").subscribe().ready;
  server.kill("SIGTERM");
  expect(await once(server, "exit")).toEqual([0, null]);
  expect(errors()).toBe("");
  await vi.waitUntil(() => client.status.state === "reconnecting");
  expect(client.status.reason).not.toBeNull();
});
