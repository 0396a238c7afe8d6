// The generator: what stands between markers is made anew, and nothing else is touched.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { stateDiagram } from "../src/diagrams.ts";
import { commentsOf } from "../src/limit-comments.ts";
import { regenerate } from "../src/markers.ts";
import { partsOf } from "../src/parts.ts";
import { grouped, table } from "../src/tables.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

test("what stands between markers is made anew, and the rest is kept", () => {
  const before =
    "a\n<!-- generated: x -->\nold\n<!-- end -->\nb\n<!-- generated: y -->\n<!-- end -->\n";
  const after = regenerate(before, { x: () => ["new"], y: () => ["1", "2"] });
  expect(after).toBe(
    "a\n<!-- generated: x -->\n\nnew\n\n<!-- end -->\nb\n<!-- generated: y -->\n\n1\n2\n\n<!-- end -->\n",
  );
  expect(regenerate(after, { x: () => ["new"], y: () => ["1", "2"] })).toBe(after);
});

test("a part that nobody makes, or that has no end, is an error", () => {
  expect(() => regenerate("<!-- generated: z -->\n<!-- end -->", {})).toThrow("nobody generates");
  expect(() => regenerate("<!-- generated: x -->\nold", { x: () => [] })).toThrow("no end");
});

test("a diagram has an arrow per pair of states, and an end where nothing leads on", () => {
  expect(
    stateDiagram(
      { "not yet": { go: "up", jump: "up" }, up: { fall: "down" }, down: {} },
      "not yet",
    ),
  ).toEqual([
    "```mermaid",
    "stateDiagram-v2",
    '    state "not yet" as not_yet',
    "    [*] --> not_yet",
    "    not_yet --> up: go, jump",
    "    up --> down: fall",
    "    down --> [*]",
    "```",
  ]);
});

test("a comment belongs to all properties that follow it without another", () => {
  const comments = commentsOf(
    "{\n  /** One. */\n  a: 1,\n  b: 2,\n  /**\n   * Two,\n   * in lines.\n   */\n  readonly c: number;\n}",
  );
  expect([...comments]).toEqual([
    ["a", "One."],
    ["b", "One."],
    ["c", "Two, in lines."],
  ]);
});

test("an object's comment isn't taken for its properties'", () => {
  const source = "/** All of them. */\nexport const ALL: Limits = {\n  a: 1,\n  b: 2,\n};\n";
  expect([...commentsOf(source)]).toEqual([]);
});

test("cells and numbers are written as people read them", () => {
  expect(table(["a"], [["x|y"]])).toEqual(["| a |", "| --- |", "| x\\|y |"]);
  expect(grouped(65_536)).toBe("65,536");
});

test("every generated part can be made, and each limit has its reason", () => {
  for (const make of Object.values(partsOf(root))) expect(make().length).toBeGreaterThan(3);
});

test("the documents ask for every part there is", () => {
  const documents = [
    "PROTOCOL.md",
    "docs/lifecycle.md",
    "docs/limits.md",
    "docs/performance.md",
    "docs/promises.md",
  ];
  const text = documents.map((path) => readFileSync(`${root}/${path}`, "utf8")).join("\n");
  const asked = [...text.matchAll(/<!-- generated: ([\w ]+) -->/g)].map(([, name]) => name);
  expect(new Set(asked)).toEqual(new Set(Object.keys(partsOf(root))));
});
