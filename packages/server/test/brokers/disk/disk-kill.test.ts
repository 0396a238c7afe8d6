// The disk broker in processes of its own: killed at random moments, and two at a time on one directory.
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { Broker, BrokerHost } from "@tailwire/server/broker-contract";
import { Dice, SimulatedClock } from "@tailwire/simulation";
import { diskBroker } from "../../../src/brokers/disk/open.ts";

const packageFolder = fileURLToPath(new URL("../../..", import.meta.url));

beforeAll(() => {
  const compiler = dirname(createRequire(import.meta.url).resolve("typescript/package.json"));
  execFileSync(process.execPath, [join(compiler, "bin", "tsc"), "-b", packageFolder]);
}, 120_000);

const RETENTION = { count: 1_000_000, bytes: 1e9, maxAgeMs: Infinity };
const LIMITS = { dedupeMs: 120_000, window: 256, producersMax: 1_000, appendMs: 10_000 };
const ignore = (): void => undefined;
const logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/**
 * Appends to four channels, eight at once in each, and writes a line for each answer. It goes on where
 * another was killed: what that one may have appended comes again.
 */
const APPENDER = `
import { writeSync } from "node:fs";
import { diskBroker } from "@tailwire/server";
import { JsonText } from "@tailwire/protocol";
const [directory, ...starts] = process.argv.slice(1);
const logger = { debug() {}, info() {}, warn: console.error, error: console.error };
const clock = { now: Date.now, monotonic: () => performance.now(), after: () => () => undefined };
const random = { fraction: Math.random, token: () => crypto.randomUUID() };
const broker = diskBroker({ directory })({ ...${JSON.stringify(LIMITS)}, clock, random, logger });
const once = async (log, channel, from, again, epoch) => {
  const now = performance.now();
  const batch = Array.from({ length: 8 }, (_, index) => {
    const sequence = from + index;
    return {
      id: channel + sequence, publisher: null, event: "said", notAfter: Infinity,
      data: JsonText.of({ sequence, text: "x".repeat(sequence % 500) }),
      producer: { id: channel, generation: 1, sequence, settled: Math.max(0, from - 9), fingerprint: sequence },
      ...(again && { repeat: { since: now, epoch } }),
    };
  });
  for (const [index, result] of (await log.append(batch)).entries()) {
    if (result.kind === "refused") throw new Error(result.code);
    writeSync(1, [channel, from + index, result.position.offset].join(" ") + "\\n");
  }
};
await Promise.all(["a", "b", "c", "d"].map(async (channel, place) => {
  const log = broker.log(channel, { count: 1e6, bytes: 1e9, maxAgeMs: Infinity });
  const { epoch } = await log.locate("latest");
  let from = Number(starts[place]);
  await once(log, channel, from, true, epoch);
  for (;;) await once(log, channel, from += 8, false);
}));
`;

function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), "tailwire-disk-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

function run(program: string, ...args: readonly string[]): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, ["--input-type=module", "-e", program, ...args], {
    cwd: packageFolder,
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

let seed = 0;

/** Each draws other tokens. */
function opened(directory: string): Broker {
  const random = new Dice((seed += 1));
  const host: BrokerHost = { ...LIMITS, clock: new SimulatedClock(), random, logger };
  return diskBroker({ directory })(host);
}

/** Publications in a log, as the lines of the appender. */
async function linesOf(broker: Broker, channel: string): Promise<string[]> {
  const log = broker.log(channel, RETENTION);
  const read = await log.read(await log.locate("earliest"), { count: 1_000_000, bytes: 1e9 });
  return read.publications.map(({ id, offset }) => `${channel} ${id.slice(1)} ${offset}`);
}

const CHANNELS = ["a", "b", "c", "d"] as const;

test("whatever a killed process acknowledged is there, once, in order, six times over", async () => {
  const directory = temporaryFolder();
  const next: Record<string, number> = { a: 1, b: 1, c: 1, d: 1 };
  const dice = new Dice(7);
  const acknowledged: string[] = [];
  for (let round = 0; round < 6; round += 1) {
    const child = run(APPENDER, directory, ...CHANNELS.map((name) => String(next[name])));
    let errors = "";
    child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
    const closed = once(child, "close");
    let left = 1 + Math.floor(dice.fraction() * 600);
    for await (const line of createInterface(child.stdout)) {
      acknowledged.push(line);
      left -= 1;
      if (left === 0) child.kill("SIGKILL");
      const [channel = "", sequence] = line.split(" ");
      next[channel] = Number(sequence) + 1;
    }
    await closed;
    expect(errors).toBe("");
    // A batch is answered as a whole, and may have been told of in part.
    for (const name of CHANNELS) next[name] = 1 + 8 * Math.floor(((next[name] ?? 1) - 1) / 8);
    const broker = opened(directory);
    for (const name of CHANNELS) {
      const logged = await linesOf(broker, name);
      const told = new Set(acknowledged.filter((line) => line.startsWith(name)));
      expect(logged).toEqual(logged.map((_, index) => `${name} ${index + 1} ${index + 1}`));
      expect([...told].filter((line) => !logged.includes(line))).toEqual([]);
    }
    await broker.close();
  }
  expect(acknowledged.length).toBeGreaterThan(100);
});

describe("the lock", () => {
  const HOLDER = `
import { diskBroker } from "@tailwire/server";
const clock = { now: Date.now, monotonic: () => performance.now(), after: () => () => undefined };
const random = { fraction: Math.random, token: () => crypto.randomUUID() };
diskBroker({ directory: process.argv[1] })({ ...${JSON.stringify(LIMITS)}, clock, random, logger: {} });
console.log("open");
process.stdin.resume();
`;

  test("of a process that runs is respected, and of one that was killed taken", async () => {
    const directory = temporaryFolder();
    const child = run(HOLDER, directory);
    await once(child.stdout, "data");
    expect(() => opened(directory)).toThrow(
      expect.objectContaining({
        code: "directory_in_use",
        message: expect.stringContaining(`Process ${child.pid} uses ${directory}`) as unknown,
      }),
    );
    const closed = once(child, "close");
    child.kill("SIGKILL");
    await closed;
    await opened(directory).close();
    expect(readdirSync(directory)).toEqual([]);
  });

  test("of another broker of this process is respected until that is closed", async () => {
    const directory = temporaryFolder();
    const first = opened(directory);
    expect(() => opened(directory)).toThrow(/directory_in_use.*Another broker of this process/);
    await first.close();
    await opened(directory).close();
  });

  test("of a process whose number is another's by now is nobody's", async () => {
    const directory = temporaryFolder();
    writeFileSync(join(directory, `lock.${process.pid}.1.gone`), "");
    await opened(directory).close();
    expect(readdirSync(directory)).toEqual([]);
  });
});

describe("the directory", () => {
  test("is made where it isn't there", async () => {
    const directory = join(temporaryFolder(), "a", "b");
    await opened(directory).close();
    expect(readdirSync(directory)).toEqual([]);
  });

  test("of somebody else is refused, and nothing is left in it", () => {
    const directory = temporaryFolder();
    writeFileSync(join(directory, "thesis.txt"), "");
    expect(() => opened(directory)).toThrow(/directory_foreign.*thesis\.txt/);
    expect(readdirSync(directory)).toEqual(["thesis.txt"]);
  });

  test("that is a file is an error in words", () => {
    const path = join(temporaryFolder(), "file");
    writeFileSync(path, "");
    expect(() => opened(path)).toThrow(/directory_failed.*file can't be used: EEXIST/);
  });

  test.each([
    [undefined, /expected an object/],
    [{}, /needs a directory/],
    [{ directory: "" }, /directory is/],
    [{ directory: 7 }, /directory is/],
    [{ directory: "a", path: "b" }, /has no "path"/],
  ])("has to be named: %j isn't enough", (options, words) => {
    expect(() => diskBroker(options as { directory: string })).toThrow(words);
  });
});
