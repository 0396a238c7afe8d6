/** Rules for the layout of every script. */
import { expect, test } from "vitest";
import { checkLayout } from "../src/layout.ts";
import { places, treeOf } from "./support.ts";

const source = "packages/client/src/outbox.ts";
const testFile = "packages/client/test/outbox.test.ts";

function check(path: string, text: string): string[] {
  return places(checkLayout(treeOf({ [path]: text })));
}

test("a tidy file passes", () => {
  expect(check(source, "/** The outbox. */\nexport const a = 1;\n")).toEqual([]);
  expect(check(source, "#!/usr/bin/env node\n// The outbox.\n")).toEqual([]);
});

test("a file without a first comment is found", () => {
  expect(check(source, "export const a = 1; // a\n")).toEqual([`${source}:1: first-comment`]);
});

test("a file of 401 lines is found, unless it is a test", () => {
  const lines = (count: number): string => `// A.\n${"a;\n".repeat(count - 1)}`;
  expect(check(source, lines(400))).toEqual([]);
  expect(check(source, lines(401))).toEqual([`${source}:401: file-length`]);
  expect(check(testFile, lines(401))).toEqual([]);
});

test.each([
  "export default 1;",
  "export { a as default };",
  'export { default as default } from "a";',
])("`%s` is found", (code) => {
  expect(check(source, `// A.\n${code}\n`)).toEqual([`${source}:2: default-export`]);
});

test("a tool's configuration may have the default export it is asked for", () => {
  expect(check("vitest.config.ts", "// A.\nexport default {};\n")).toEqual([]);
});

test.each(['export * from "a";', 'export * as a from "a";', 'export type * from "a";'])(
  "`%s` is found",
  (code) => {
    expect(check(source, `// A.\n${code}\n`)).toEqual([`${source}:2: export-star`]);
  },
);

test.each(["@ts-ignore", "@ts-nocheck"])("a comment with %s is found", (directive) => {
  expect(check(source, `// A.\n// ${directive}\n`)).toEqual([`${source}:2: silenced-types`]);
});

test("strings and comments may name what is banned", () => {
  const text = `// export default 1; export * from "a"\nconst a = "@ts-ignore .only(";\n`;
  expect(check(source, text)).toEqual([]);
});

test.each(["test.only(", "describe.only(", "test\n  .only("])("`%s` in a test is found", (call) => {
  expect(check(testFile, `// A.\n${call}"a");\n`)).toHaveLength(1);
});

test.each(["setTimeout(go, 5);", "globalThis.setTimeout(go);", 'import "node:timers/promises";'])(
  "`%s` in a test is found",
  (code) => {
    expect(check(testFile, `// A.\n${code}\n`)).toEqual([`${testFile}:2: sleep`]);
  },
);

test("a test whose line says why may use real time", () => {
  expect(check(testFile, "// A.\nsetTimeout(go, 5); // real time: a socket's own\n")).toEqual([]);
  expect(check(testFile, "// A.\nsetTimeout(go, 5); // real time: \n")).toHaveLength(1);
});
