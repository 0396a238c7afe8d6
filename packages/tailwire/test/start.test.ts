/** The start command as a process of its own: what it prints, and how it ends. */
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createClient } from "@tailwire/client";
import { beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { build, packageFolder, startForTest, temporaryFolder } from "./support.ts";

beforeAll(build, 60_000);

function runIn(cwd: string, ...args: string[]): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, args, { cwd });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

const startIn = (cwd: string, ...args: string[]): ChildProcessWithoutNullStreams =>
  runIn(cwd, join(packageFolder, "dist", "start.js"), ...args);

const start = (...args: string[]): ChildProcessWithoutNullStreams =>
  startIn(temporaryFolder(), ...args);

/** As `npx tailwire` starts it. */
const bin = (...args: string[]): ChildProcessWithoutNullStreams =>
  runIn(temporaryFolder(), join(packageFolder, "dist", "bin.js"), ...args);

/** How it ended, and all that it printed. */
async function ended(
  child: ChildProcessWithoutNullStreams,
): Promise<{ code: unknown; out: string; err: string }> {
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
  const [code] = (await once(child, "close")) as [unknown];
  return { code, out, err };
}

describe("--broker", () => {
  test.each([
    ["redis://127.0.0.1:1", "127.0.0.1:1"],
    ["nats://127.0.0.1:1", "127.0.0.1:1"],
  ])("opens the broker of %s, and says why it can't be reached", async (url, place) => {
    const child = start("--port", "0", "--json", "--broker", url);
    let err = "";
    child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
    await vi.waitUntil(() => err.includes("the broker is down"), { timeout: 30_000 });
    expect(err).toContain(place);
  });

  test("is where the logs are said to be, without the password", async () => {
    const child = start("--port", "0", "--broker", "redis://ada:secret@127.0.0.1:1");
    const [words] = (await once(child.stdout, "data")) as [Buffer];
    expect(words.toString()).toContain("  logs       at redis://127.0.0.1:1\n");
    expect(words.toString()).not.toContain("secret");
  });
});

describe("--json", () => {
  test.each(["SIGINT", "SIGTERM"] as const)(
    "prints one line when it is ready, and %s ends it with 0",
    async (signal) => {
      const child = start("--port", "0", "--json");
      const end = ended(child);
      const [line] = (await once(child.stdout, "data")) as [Buffer];
      const { url, websocket, pid } = JSON.parse(line.toString()) as Record<string, string>;
      expect(pid).toBe(child.pid);
      expect(websocket).toBe(`${String(url).replace("http", "ws")}/tailwire`);
      expect((await fetch(String(url))).status).toBe(200);
      const client = createClient(String(websocket), { getToken: () => "ada" });
      await client.channel("room:1").publish("said", "hello");
      child.kill(signal);
      expect(await end).toEqual({ code: 0, out: line.toString(), err: "" });
      expect(line.toString().split("\n")).toHaveLength(2);
      await client.close();
    },
  );
});

describe("words", () => {
  test("have a program that talks to this very server, in ten lines", async () => {
    const child = start("--port", "0");
    const [words] = (await once(child.stdout, "data")) as [Buffer];
    const lines = words
      .toString()
      .split("\n")
      .filter((line) => line.startsWith("    "));
    expect(lines.length).toBeLessThan(10);
    const program = runIn(packageFolder, "--input-type=module", "-e", lines.join("\n"));
    const [said] = (await once(program.stdout, "data")) as [Buffer];
    expect(said.toString()).toMatch(/^\S+ says \{ text: 'hello' \}\n$/);
  });

  test("name the addresses and the policy", async () => {
    const child = start("--port", "0");
    const end = ended(child);
    await once(child.stdout, "data");
    child.kill("SIGTERM");
    const { code, out } = await end;
    expect(code).toBe(0);
    expect(out).toMatch(/http:\/\/127\.0\.0\.1:\d+\n/);
    expect(out).toMatch(/ws:\/\/127\.0\.0\.1:\d+\/tailwire\n/);
    expect(out).toContain("any token is the user's name");
    expect(out).toContain("room:{id} and demo:{id}");
  });

  test("--help lists every option and starts nothing", async () => {
    const { code, out } = await ended(start("--help"));
    expect(code).toBe(0);
    for (const option of ["--port", "--host", "--data", "--memory", "--json", "--help"]) {
      expect(out).toContain(option);
    }
  });
});

describe("what can't be done ends with 1, a code, and nothing on standard output", () => {
  test("an unknown option", async () => {
    const { code, out, err } = await ended(start("--prot", "80"));
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toMatch(/^tailwire: bad_option: .*--prot.*--help\.\n$/);
  });

  test("a port that is taken", async () => {
    const { port } = await startForTest();
    const { code, out, err } = await ended(start("--port", String(port), "--json"));
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toMatch(/^tailwire: port_in_use: .*\n$/);
  });
});

describe("logs", () => {
  test("are kept in a directory that git ignores, and the next start goes on with them", async () => {
    const folder = temporaryFolder();
    const positions: unknown[] = [];
    for (let round = 0; round < 2; round += 1) {
      const child = startIn(folder, "--port", "0", "--json");
      const [line] = (await once(child.stdout, "data")) as [Buffer];
      const { websocket } = JSON.parse(line.toString()) as { readonly websocket: string };
      const client = createClient(websocket, { getToken: () => "ada" });
      positions.push((await client.channel("room:1").publish("said", round)).position);
      await client.close();
      const end = once(child, "close");
      child.kill("SIGKILL");
      await end;
    }
    const [first, second] = positions as [{ epoch: string }, unknown];
    expect(second).toMatchObject({ epoch: first.epoch, offset: 2 });
    expect(readFileSync(join(folder, ".tailwire", ".gitignore"), "utf8")).toBe("*\n");
  });

  test("that another server keeps there are left to it: a line says so, and memory will do", async () => {
    const folder = temporaryFolder();
    const first = startIn(folder, "--port", "0", "--json");
    await once(first.stdout, "data");
    const second = startIn(folder, "--port", "0", "--json");
    const end = ended(second);
    await once(second.stdout, "data");
    second.kill("SIGTERM");
    const { code, err } = await end;
    expect(code).toBe(0);
    expect(err).toMatch(
      /^tailwire: directory_in_use: Process \d+ uses .* kept in memory this time\.\n$/,
    );
    expect(err).toContain(`Process ${first.pid} `);
  });

  test("that were asked for and can't be had are an error", async () => {
    const folder = temporaryFolder();
    const first = startIn(folder, "--port", "0", "--json", "--data", "logs");
    await once(first.stdout, "data");
    const second = await ended(startIn(folder, "--port", "0", "--json", "--data", "logs"));
    expect(second).toMatchObject({ code: 1, out: "" });
    expect(second.err).toMatch(/^tailwire: directory_in_use: .*\n$/);
  });

  test("in memory leave nothing behind", async () => {
    const folder = temporaryFolder();
    const child = startIn(folder, "--port", "0", "--json", "--memory");
    await once(child.stdout, "data");
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe("npx tailwire", () => {
  /** The process that serves, when it does. */
  async function served(child: ChildProcessWithoutNullStreams): Promise<number> {
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const { pid } = JSON.parse(line.toString()) as { readonly pid: number };
    onTestFinished(() => {
      if (isAlive(pid)) process.kill(pid, "SIGKILL");
    });
    return pid;
  }

  const isAlive = (pid: number): boolean => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };

  const commandLine = (pid: number): string =>
    execFileSync("ps", ["-o", "args=", "-p", String(pid)], { encoding: "utf8" });

  test.each(["SIGINT", "SIGTERM"] as const)("passes %s on, and ends with 0", async (signal) => {
    const child = bin("--port", "0", "--json");
    const end = ended(child);
    const pid = await served(child);
    expect(commandLine(pid)).toContain("--max-semi-space-size=4 ");
    child.kill(signal);
    expect((await end).code).toBe(0);
    expect(isAlive(pid)).toBe(false);
  });

  test("ends its server, too, when it is killed", async () => {
    const child = bin("--port", "0", "--json");
    const pid = await served(child);
    child.kill("SIGKILL");
    await vi.waitUntil(() => !isAlive(pid), { timeout: 15_000 });
    expect(isAlive(pid)).toBe(false);
  });

  test("ends with the server's code, and as a shell says it where a signal killed that", async () => {
    expect(await ended(bin("--prot", "80"))).toMatchObject({ code: 1, out: "" });
    const child = bin("--port", "0", "--json");
    const end = ended(child);
    process.kill(await served(child), "SIGKILL");
    expect((await end).code).toBe(128 + 9);
  });

  test("leaves a size that somebody has chosen", async () => {
    const chosen = runIn(
      temporaryFolder(),
      "--max-semi-space-size=8",
      join(packageFolder, "dist", "bin.js"),
      "--json",
      "--port=0",
    );
    expect(await served(chosen)).toBe(chosen.pid);
  });
});
