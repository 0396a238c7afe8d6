/** The checks' input and output: the tree of files, and findings in their order. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { findingLine, inOrder, lineAt } from "../src/finding.ts";
import { ignoredFolders, readTree } from "../src/tree.ts";

test("a finding is printed as file, line, rule and message", () => {
  expect(findingLine({ file: "a.ts", line: 2, rule: "r", message: "m" })).toBe("a.ts:2: r: m");
});

test("findings are ordered by file and line", () => {
  const at = (file: string, line: number): Parameters<typeof findingLine>[0] => ({
    file,
    line,
    rule: "r",
    message: "m",
  });
  expect(inOrder([at("b", 1), at("a", 10), at("a", 9)]).map(findingLine)).toEqual([
    "a:9: r: m",
    "a:10: r: m",
    "b:1: r: m",
  ]);
});

test("lines are counted from 1", () => {
  expect([0, 1, 2, 3].map((index) => lineAt("a\nb\n", index))).toEqual([1, 1, 2, 2]);
});

test("the tree is this repository's own text, without what git ignores", () => {
  const tree = readTree(process.cwd());
  expect(tree.get("package.json")).toContain("tailwire-workspace");
  expect([...tree.keys()].filter((path) => /(?:^|\/)(?:node_modules|dist)\//.test(path))).toEqual(
    [],
  );
});

test("the ignored folders are .gitignore's", () => {
  const listed = readFileSync(".gitignore", "utf8")
    .split("\n")
    .filter((line) => line.endsWith("/"))
    .map((line) => line.slice(0, -1));
  expect(ignoredFolders.filter((folder) => folder !== ".git")).toEqual(listed.toSorted());
});
