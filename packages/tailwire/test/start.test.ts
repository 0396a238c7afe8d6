/** The start command as a process of its own: what it prints, and how it ends. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createClient } from "@tailwire/client";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { build, packageFolder, startForTest } from "./support.ts";

beforeAll(build, 60_000);

function start(...args: string[]): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, [join(packageFolder, "dist", "start.js"), ...args]);
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

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
    expect(out).toContain("room:{id} and demo:{id} are open");
  });

  test("--help lists every option and starts nothing", async () => {
    const { code, out } = await ended(start("--help"));
    expect(code).toBe(0);
    for (const option of ["--port", "--host", "--json", "--help"]) expect(out).toContain(option);
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
