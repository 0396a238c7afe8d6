// Patches are planted in copies of a repository, and looked for there. This one is a sum and its test.
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Bench, isMissed, patchesIn, tryPatch } from "../src/patches.ts";
import { makeScratch, removeScratch, removeScratches } from "../src/scratch.ts";

let root = "";
let scratches: string[] = [];

/** The bench of the fake repository: the test of sums, and seeds that add nought. */
const BENCH: Bench = {
  build: async (scratch) => {
    scratches.push(scratch);
    return !readFileSync(join(scratch, "src/sum.js"), "utf8").includes("wrong type");
  },
  unit: async (scratch, sources) => {
    const caught = !sources.includes("src/sum.js") || evaluated(scratch, "sum(2, 3)") !== "5";
    return { caught, file: null, test: caught ? "sum.test.js: adds" : null, detail: null };
  },
  seeds: async (scratch) => {
    const caught = evaluated(scratch, "sum(0, 0)") !== "0";
    const seed = caught ? 1 : null;
    return { caught, seed, seeds: caught ? 1 : 9, rule: caught ? "R1" : null, detail: null };
  },
};

function evaluated(scratch: string, expression: string): string {
  const code = `import { sum } from "./src/sum.js"; console.log(${expression});`;
  const args = ["--input-type=module", "--eval", code];
  return execFileSync(process.execPath, args, { cwd: scratch, encoding: "utf8" }).trim();
}

beforeEach(() => {
  scratches = [];
  root = mkdtempSync(join(tmpdir(), "tailwire-fake-"));
  for (const folder of ["src", "patches", "elsewhere", ".git", "node_modules/@own"]) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  writeFileSync(join(root, "src/sum.js"), SUM);
  mkdirSync(join(root, "node_modules/other"));
  symlinkSync("../../src", join(root, "node_modules/@own/sum"));
});

afterEach(() => {
  removeScratches();
  rmSync(root, { recursive: true });
});

const SUM = "// Adds.\nexport function sum(a, b) {\n  return a + b;\n}\n";

/** A patch that puts something in the sum's place. */
function patchOf(name: string, instead: string, from = "a/", to = "b/"): string {
  const path = join(root, "patches", name);
  const lines = [
    `--- ${from}src/sum.js`,
    `+++ ${to}src/sum.js`,
    "@@ -1,4 +1,4 @@",
    " // Adds.",
    " export function sum(a, b) {",
    "-  return a + b;",
    `+  return ${instead};`,
    " }",
    "",
  ];
  writeFileSync(path, lines.join("\n"));
  return path;
}

test("a bug that both find is found by both, and the repository stays as it is", async () => {
  const found = await tryPatch(patchOf("both.patch", "a + b + 1"), root, BENCH);
  expect(found).toEqual({
    name: "both.patch",
    applies: true,
    builds: true,
    unit: { caught: true, test: "sum.test.js: adds" },
    sim: { caught: true, seeds: 1, rule: "R1" },
  });
  expect(isMissed(found)).toBe(false);
  expect(readFileSync(join(root, "src/sum.js"), "utf8")).toBe(SUM);
});

test("a bug that only one finds isn't missed; one that nobody finds is", async () => {
  const one = await tryPatch(patchOf("one.patch", "a * b - 1 + a * 0"), root, BENCH);
  expect([one.unit.caught, one.sim.caught, isMissed(one)]).toEqual([false, true, false]);
  const none = await tryPatch(patchOf("none.patch", "a + Math.abs(b)"), root, BENCH);
  expect([none.unit.caught, none.sim, isMissed(none)]).toEqual([
    false,
    { caught: false, seeds: 9, rule: null },
    true,
  ]);
});

test("a patch applies without the folders that git puts before paths, too", async () => {
  const { applies, unit } = await tryPatch(patchOf("bare.diff", "a - b", "", ""), root, BENCH);
  expect({ applies, caught: unit.caught }).toEqual({ applies: true, caught: true });
});

test("a patch that doesn't apply is missed, and nothing is tried", async () => {
  const path = patchOf("stale.patch", "a");
  writeFileSync(join(root, "src/sum.js"), SUM.replace("a + b", "b + a"));
  const found = await tryPatch(path, root, BENCH);
  expect({ applies: found.applies, missed: isMissed(found) }).toEqual({
    applies: false,
    missed: true,
  });
  writeFileSync(path, "this is no patch\n");
  expect((await tryPatch(path, root, BENCH)).applies).toBe(false);
  expect(scratches).toEqual([]);
});

test("wrong types alone catch nothing: they are told, and both still look", async () => {
  const path = patchOf("types.patch", "a + b /* wrong type */");
  const found = await tryPatch(path, root, BENCH);
  expect({ builds: found.builds, missed: isMissed(found) }).toEqual({
    builds: false,
    missed: true,
  });
});

test("a scratch is gone when its patch was tried, also when a trial throws", async () => {
  const path = patchOf("both.patch", "a - b");
  await tryPatch(path, root, BENCH);
  const failing = { ...BENCH, seeds: () => Promise.reject(new Error("no seeds here")) };
  await expect(tryPatch(path, root, failing)).rejects.toThrow("no seeds here");
  expect(scratches).toHaveLength(2);
  expect(scratches.filter((scratch) => existsSync(scratch))).toEqual([]);
});

test("a scratch has its own packages, links to the others, and nothing of git", () => {
  const scratch = makeScratch(root);
  writeFileSync(join(scratch, "node_modules/@own/sum/sum.js"), "");
  expect(readFileSync(join(scratch, "src/sum.js"), "utf8")).toBe("");
  expect(readFileSync(join(root, "src/sum.js"), "utf8")).toBe(SUM);
  writeFileSync(join(root, "node_modules/other/file"), "there");
  expect(readFileSync(join(scratch, "node_modules/other/file"), "utf8")).toBe("there");
  expect(readdirSync(scratch)).not.toContain(".git");
  removeScratch(scratch);
  expect(existsSync(join(root, "node_modules/other/file"))).toBe(true);
});

test("patches and diffs of a folder are tried in order of their names, and nothing else", () => {
  for (const name of ["b.patch", "a.diff", "notes.md"]) patchOf(name, "a");
  expect(patchesIn(join(root, "patches")).map((path) => path.slice(root.length))).toEqual([
    "/patches/a.diff",
    "/patches/b.patch",
  ]);
});
