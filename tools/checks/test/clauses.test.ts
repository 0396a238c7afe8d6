/** PROTOCOL.md's clauses and the tests that cite them keep in step. */
import { expect, test } from "vitest";
import { checkClauses } from "../src/clauses.ts";
import { lines, treeOf } from "./support.ts";

const suite = "packages/server/test/cursor.test.ts";

function check(protocol: string, files: Readonly<Record<string, string>> = {}): string[] {
  return lines(checkClauses(treeOf({ "PROTOCOL.md": protocol, ...files })));
}

test("a missing PROTOCOL.md is found", () => {
  expect(lines(checkClauses(treeOf({})))).toEqual([
    "PROTOCOL.md:1: clauses: is missing, so no clause can be cited",
  ]);
});

test("a clause that a test's title cites passes, in a list or not", () => {
  const protocol = "**[SUB-1]** One.\n- **[SUB-2]** Two.\n- **[SUB-3]** Three.\n";
  const source = 'test("[SUB-1] a", () => {});\ntest(`[SUB-2, SUB-3] b`, () => {});\n';
  expect(check(protocol, { [suite]: source })).toEqual([]);
});

test("a clause that no test cites is found", () => {
  expect(check("One.\n**[SUB-1]** One.\n")).toEqual([
    "PROTOCOL.md:2: clauses: [SUB-1] is cited by no test's title",
  ]);
});

test("a citation in a source, or in a test's comment, tests nothing", () => {
  const found = check("**[SUB-1]** One.\n", {
    "packages/server/src/delivery/cursor.ts": 'const a = "[SUB-1]";',
    [suite]: "// [SUB-1]\n",
  });
  expect(found).toEqual(["PROTOCOL.md:1: clauses: [SUB-1] is cited by no test's title"]);
});

test("a contract suite among the sources counts as a test", () => {
  const files = {
    "packages/server/src/brokers/contract-suite.ts": '["[BRK-1] keeps order", run];',
  };
  expect(check("**[BRK-1]** One.\n", files)).toEqual([]);
});

test("a planned clause needs no test", () => {
  expect(check("**[SUB-1]** *(planned)* One.\n")).toEqual([]);
});

test("an id that repeats is found", () => {
  const found = check("**[SUB-1]** One.\n**[SUB-1]** Two.\n", { [suite]: '"[SUB-1]"' });
  expect(found).toEqual(["PROTOCOL.md:2: clauses: [SUB-1] repeats line 1's id"]);
});

test("a mention inside a line is not a clause", () => {
  expect(check("As **[SUB-1]** says.\n")).toEqual([]);
});

test("a citation of no clause is found, in tests, sources and comments", () => {
  const found = check("", {
    [suite]: '\n"[SUB-9]"',
    "packages/server/src/delivery/cursor.ts": "// [PUB-6]",
    "tools/simulation/src/world.ts": "/** [SIM-1] */",
  });
  expect(found).toEqual([
    `${suite}:2: clauses: [SUB-9] is not a clause of PROTOCOL.md`,
    "packages/server/src/delivery/cursor.ts:1: clauses: [PUB-6] is not a clause of PROTOCOL.md",
    "tools/simulation/src/world.ts:1: clauses: [SIM-1] is not a clause of PROTOCOL.md",
  ]);
});
