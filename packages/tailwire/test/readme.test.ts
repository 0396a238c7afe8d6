// The README's server and clients are run as they stand there, on a free port.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { resolve } from "node:path";
import { DEFAULT_RETENTION } from "@tailwire/server";
import { expect, onTestFinished, test, vi } from "vitest";
import { startForTest } from "./support.ts";

const readme = readFileSync("README.md", "utf8");

/** The first block of code behind a heading. */
function blockUnder(heading: string): string {
  const behind = readme.split(`\n## ${heading}\n`)[1] ?? "";
  return /```ts\n([\s\S]*?)```/.exec(behind)?.[1] ?? "";
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Runs a block. Its client stays connected until the test's file is done. */
async function run(name: string, block: string, port: number): Promise<void> {
  expect(block).toContain("3000");
  mkdirSync(".tmp/readme", { recursive: true });
  const path = `.tmp/readme/${name}-${port}.ts`;
  writeFileSync(path, block.replaceAll("3000", String(port)));
  await import(/* @vite-ignore */ resolve(path));
}

/** Everything that is printed from now on, a line each. */
function printedLines(): string[] {
  const printed: string[] = [];
  const log = vi.spyOn(console, "log").mockImplementation((...parts: unknown[]) => {
    printed.push(parts.map((part) => JSON.stringify(part)).join(" "));
  });
  onTestFinished(() => log.mockRestore());
  return printed;
}

test("the README's ten lines talk to the server that `npm start` starts", async () => {
  const { port } = await startForTest();
  const printed = printedLines();
  await run("ten-lines", blockUnder("A server to try things on"), port);
  await vi.waitUntil(() => printed.length > 0, { timeout: 15_000 });
  expect(printed).toEqual([expect.stringMatching(/^"[^"]+" "says" \{"text":"hello"\}$/)]);
});

test("documents name the default retention", () => {
  const { count, bytes, maxAgeMs } = DEFAULT_RETENTION;
  const mebibytes = `${bytes / 1_048_576} MiB`;
  for (const path of ["README.md", "docs/deployment.md"]) {
    const words = readFileSync(path, "utf8").replaceAll(/\s+/g, " ");
    expect(words).toMatch(
      new RegExp(
        `${count.toLocaleString("en")}.{0,20} ${mebibytes} and ${maxAgeMs / 60_000} minutes`,
      ),
    );
  }
});

test("the README's server and clients do what they say", async () => {
  const printed = printedLines();
  const port = await freePort();
  await run("server", blockUnder("A server"), port);
  // It follows for ever, so nobody waits for its end.
  void run("client", blockUnder("A client, in a browser or in Node"), port);
  await vi.waitUntil(() => printed.length >= 3, { timeout: 15_000 });
  expect(printed).toEqual([
    '"in the log at" 2',
    '"message" {"text":"hello"}',
    '"message" {"text":"hi"}',
  ]);
  printed.length = 0;
  await run("resume", blockUnder("When the connection is lost"), port);
  await vi.waitUntil(() => printed.length >= 3, { timeout: 15_000 });
  expect(printed.toSorted()).toEqual([
    '2 "publications" "in all"',
    '{"text":"hello"}',
    '{"text":"hi"}',
  ]);
});
