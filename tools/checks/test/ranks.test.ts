/** A file may import lower ranks and its own folder, and nothing else, types included. */
import { expect, test } from "vitest";
import { checkRanks } from "../src/ranks.ts";
import { lines, treeOf } from "./support.ts";

const check = (path: string, specifier: string): string[] =>
  lines(checkRanks(treeOf({ [path]: `import type { X } from "${specifier}";\n` })));

const SERVER = "packages/server/src";

test.each([
  ["connection/connection.ts", "../delivery/cursor.ts"],
  ["connection/connection.ts", "./output.ts"],
  ["brokers/suite/case.ts", "../memory.ts"],
  ["brokers/memory.ts", "../log/broker.ts"],
  ["node.ts", "./commands/publish.ts"],
  ["index.ts", "./server.ts"],
  ["limits.ts", "@tailwire/protocol"],
])("%s may import %s", (file, specifier) => {
  expect(check(`${SERVER}/${file}`, specifier)).toEqual([]);
});

test.each([
  ["delivery/cursor.ts", "../connection/output.ts", "of a higher rank"],
  ["commands/publish.ts", "../node.ts", "of a higher rank"],
  ["support/mistake.ts", "../ports.ts", "of a higher rank"],
  ["access/access.ts", "../brokers/memory.ts", "of the same rank"],
  ["limits.ts", "./ports.ts", "of the same rank"],
])("%s may not import %s, which is %s", (file, specifier, what) => {
  expect(check(`${SERVER}/${file}`, specifier)).toEqual([
    expect.stringContaining(`"${specifier}" is ${what}`),
  ]);
});

test("a file that nobody has given a rank is found", () => {
  expect(check(`${SERVER}/presence/roster.ts`, "../log/log.ts")).toEqual([
    expect.stringContaining("has no rank"),
  ]);
});

test("tests and other packages have no ranks", () => {
  expect(check("packages/server/test/node.test.ts", "../src/node.ts")).toEqual([]);
  expect(check("tools/bench/src/main.ts", "./anything.ts")).toEqual([]);
});
