/** The ratchet: counts that may only fall, of comments and of classes. */
import { expect, test } from "vitest";
import { classSizes } from "../src/class-members.ts";
import { checkRatchet, countsOf, RATCHET_FILE } from "../src/ratchet.ts";
import { lines, places, treeOf } from "./support.ts";

const source = "packages/client/src/outbox.ts";

function check(text: string, openings = {}, members = {}): string[] {
  return places(
    checkRatchet(treeOf({ [source]: text, [RATCHET_FILE]: JSON.stringify({ openings, members }) })),
  );
}

test.each([
  "/** What is sent. */",
  "// Whoever waits.\n",
  "/**\n * The outbox. Those that wait.\n */",
  "/**\n * The outbox.\n *\n * Of all\n */",
  "const a = 1; // Fine: Who knows\n",
])("one more sentence that hides its subject is found: %j", (text) => {
  expect(check(text)).toEqual([`${source}:1: ratchet-openings`]);
  expect(check(text, { [source]: 1 })).toEqual([]);
});

test.each([
  '/** The outbox. */\nconst a = "What is this.";',
  "/** Tells what is sent, and whoever waits. */",
  "/** Offers and Whatever. */",
])("a sentence that names its subject is none: %j", (text) => {
  expect(check(text)).toEqual([]);
});

test("a count that has fallen has to be recorded", () => {
  expect(check("/** Fine. */", { [source]: 1 })).toEqual([`${RATCHET_FILE}:1: ratchet-openings`]);
});

const fields = (count: number): string =>
  Array.from({ length: count }, (_, index) => `  #field${index} = 1;\n`).join("");

test("a class that grows past 40 members, or past its record, is found", () => {
  const big = (count: number): string => `// A.\nclass Big {\n${fields(count)}}\n`;
  expect(check(big(40))).toEqual([]);
  expect(check(big(41))).toEqual([`${source}:2: ratchet-members`]);
  const record = { [`${source}: Big`]: 45 };
  expect(check(big(45), {}, record)).toEqual([]);
  expect(check(big(46), {}, record)).toEqual([`${source}:2: ratchet-members`]);
  expect(check(big(44), {}, record)).toEqual([`${RATCHET_FILE}:1: ratchet-members`]);
});

test("the words say how many may be", () => {
  const tree = treeOf({ [source]: `// A.\nclass Big {\n${fields(41)}}\n` });
  expect(lines(checkRatchet(tree))).toEqual([
    expect.stringContaining("a class of 41 members, 40 may be"),
  ]);
});

test("members are fields, accessors and methods; the constructor, and overloads, are none more", () => {
  const text = `
export class A<T extends { a: 1 }> extends Map<string, { b: 2 }> implements B {
  readonly #a: { c: number; d: string } = { c: 1, d: "}" };
  b!: () => void;
  static c = class { d = 1; };
  constructor(a: number) { super(); this.e = { f: a }; }
  get e(): { readonly f: number } { return { f: 1 }; }
  set e(value) { const { f } = value; }
  async *g(): AsyncGenerator<{ h: 1 }> { yield { h: 1 }; }
  i(): void;
  i(a?: number): void { if (a) { b(); } }
  [Symbol.dispose](): void {}
  j = (): void => { k(); };
}`;
  expect(classSizes(text).map(({ name, members }) => `${name} ${members}`)).toEqual(["A 8"]);
});

test("tests may have large classes, and their comments count", () => {
  const path = "packages/client/test/a.test.ts";
  const tree = treeOf({ [path]: `// What a test.\nclass Big {\n${fields(50)}}\n` });
  expect(countsOf(tree)).toEqual({ openings: { [path]: 1 }, members: {} });
});
