// Children that end, that crash, and that have no end; nothing is left of one that is ended.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Ended, endChildren, runScript } from "../src/children.ts";

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tailwire-children-"));
});

afterAll(() => rmSync(folder, { recursive: true }));

function run(code: string, silentMs: number): Promise<Ended> {
  return runScript(["--eval", code], { cwd: folder, silentMs });
}

test("a child's last line is its word, and what it complains of is kept", async () => {
  const ended = await run('console.log("1"); console.log("2"); console.error("oh"); ', 60_000);
  expect(ended).toEqual({ last: "2", code: 0, isStuck: false, complaint: "oh\n" });
  expect(await run("process.exit(3)", 60_000)).toMatchObject({ last: "", code: 3 });
});

test("a child that prints nothing any more is ended, whatever it does", async () => {
  const ended = await run('console.log("7"); setImmediate(() => { for (;;); })', 1_000);
  expect(ended).toMatchObject({ isStuck: true, code: null });
});

test("a child's own children end with it", async () => {
  const file = join(folder, "grandchild");
  writeFileSync(file, "");
  const grandchild = `
    require("node:fs").writeFileSync(${JSON.stringify(file)}, String(process.pid));
    console.log("there");
    setInterval(() => undefined, 1_000)`;
  const child = run(
    `require("node:child_process").spawn(process.execPath, ["--eval", ${JSON.stringify(grandchild)}], { stdio: "inherit" });`,
    60_000,
  );
  await expect.poll(() => readFileSync(file, "utf8"), { timeout: 15_000 }).toMatch(/^\d+$/);
  endChildren();
  // Its pipe is shared: it closes when the last of them is gone.
  expect(await child).toMatchObject({ code: null, isStuck: false });
});
