// The judge itself: it lets a server with limits pass, and finds one without them, or that holds a turn.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { run } from "../src/command.ts";
import { wrongsOf } from "../src/flood.ts";
import { fragments, frame, OPCODES } from "../src/frames.ts";
import { Stage } from "../src/stage.ts";
import { rowsOf, TABLE } from "../src/table.ts";

const root = join(import.meta.dirname, "..", "..", "..");
const VICTIM = new URL("../dist/victim.js", import.meta.url);

beforeAll(() => {
  execFileSync("npx", ["tsc", "-b", "tools/attacks"], { cwd: root });
}, 60_000);

/** The finding of a row on a server with these limits. */
async function found(id: string, limits: object): Promise<string> {
  const stage = await Stage.set(VICTIM, limits);
  onTestFinished(() => stage.strike());
  const [row] = TABLE.filter((one) => one.id === id);
  return (await row?.run(stage))?.note ?? "no such row";
}

describe("a server without limits is found out:", () => {
  const without = { messagesPerSecond: 1e12, bytesPerSecond: 1e12, controlFramesMax: 1e12 };

  test.each(["B3", "B4", "B5"])(
    "%s",
    async (id) => {
      expect(await found(id, without)).toContain("over 10 % of a core");
    },
    60_000,
  );

  test("pings that nobody counts aren't told what was wrong", async () => {
    expect(await found("B4-pings", without)).toContain("not 4429");
  }, 60_000);
});

test("what is paid is judged by turns and by share, and nothing else passes for little", () => {
  const paid = { wallMs: 1_000, cpuMs: 100, longestTurnMs: 20 };
  expect(wrongsOf(paid)).toEqual([]);
  expect(wrongsOf({ ...paid, longestTurnMs: 20.1 })).toEqual(["a turn over 20 ms"]);
  expect(wrongsOf({ ...paid, cpuMs: 101 })).toEqual(["over 10 % of a core"]);
  expect(wrongsOf({ ...paid, cpuMs: 900 }, Infinity)).toEqual([]);
  expect(wrongsOf({ wallMs: Number.NaN, cpuMs: 0, longestTurnMs: Number.NaN })).toHaveLength(2);
});

test("a turn that is held is seen, however the attacker goes about it", async () => {
  const stage = await Stage.set(VICTIM, { hookMs: 40_000 });
  onTestFinished(() => stage.strike());
  await stage.reset();
  // A busy machine leaves it only a part of these 500 ms.
  await stage.hold(500);
  expect(wrongsOf(await stage.paid(), Infinity)).toEqual(["a turn over 20 ms"]);
}, 60_000);

test("rows are named by their group, by an attack and its kin, or each by itself", () => {
  expect(rowsOf(["B"])).toEqual(TABLE.filter(({ id }) => id.startsWith("B")));
  expect(rowsOf(["B4"]).map(({ id }) => id)).toEqual(["B4", "B4-pings"]);
  expect(rowsOf(["B4-pings", "B3"]).map(({ id }) => id)).toEqual(["B3", "B3-pings", "B4-pings"]);
  expect(rowsOf(["B1"]).some(({ id }) => id.startsWith("B1"))).toBe(true);
  expect(rowsOf(["Z", ""])).toEqual([]);
  expect(new Set(TABLE.map(({ id }) => id)).size).toBe(TABLE.length);
});

test("a command that makes no sense is told so", async () => {
  const told: string[] = [];
  const print = (text: string): void => void told.push(text);
  expect(await run(["--rows", "Q"], print)).toBe(2);
  expect(await run(["--help"], print)).toBe(0);
  expect(told[0]).toContain('"Q" names no row');
  expect(told[1]).toContain("--json");
});

test("frames are those of RFC 6455", () => {
  expect([...frame("ab")]).toEqual([0x81, 0x82, 0, 0, 0, 0, 0x61, 0x62]);
  expect([...frame("", { opcode: OPCODES.pong })]).toEqual([0x8a, 0x80, 0, 0, 0, 0]);
  expect([...frame("x".repeat(300)).subarray(0, 4)]).toEqual([0x81, 0xfe, 1, 44]);
  const heads = [0x01, 0x00, 0x80].flatMap((first) => [first, 0x80, 0, 0, 0, 0]);
  expect([...fragments(3, "")]).toEqual(heads);
});
