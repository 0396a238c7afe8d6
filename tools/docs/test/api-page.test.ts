/** The page of a package's API. */
import { expect, test } from "vitest";
import type { ApiItem } from "../src/api-model.ts";
import { apiPage, wordsOf } from "../src/api-page.ts";

function item(kind: string, name: string, text: string, docComment = ""): ApiItem {
  return { kind, name, docComment, excerptTokens: [{ text }] };
}

const attach = item(
  "MethodSignature",
  "attach",
  "attach(\n  path?: string,\n): this;",
  "/** Listens. */",
);

test("each export stands with its signature, its words and its members", () => {
  const server = {
    ...item("Interface", "Server", "export interface Server ", "/**\n * A server.\n */"),
    members: [attach],
  };
  const page = apiPage("tailwire", [{ specifier: "tailwire", items: [server] }]);
  expect(page).toContain(
    "### Interfaces\n\n#### Server\n\n```text\ninterface Server\n```\n\nA server.\n\n- `attach( path?: string, ): this`: Listens.\n",
  );
});

test("functions come before interfaces, and every entry point has its part", () => {
  const items = [
    item("Interface", "A", "export interface A "),
    item("Function", "b", "export declare function b(): void;"),
  ];
  const page = apiPage("p", [
    { specifier: "p", items },
    { specifier: "p/q", items: [] },
  ]);
  expect(page.indexOf("function b(): void\n")).toBeLessThan(page.indexOf("interface A"));
  expect(page).toContain('## `import … from "p/q"`');
});

test("a kind that has no place isn't left out in silence", () => {
  const items = [item("Enum", "E", "export enum E ")];
  expect(() => apiPage("p", [{ specifier: "p", items }])).toThrow("E: no place for a Enum");
});

test("a docstring's paragraphs stay, lists stay, links and tags become words", () => {
  const comment = [
    "/**",
    " * Adds to the {@link Log},",
    " * in milliseconds.",
    " *",
    " * - one",
    " * - two",
    " *",
    " * @throws",
    " *",
    " * `closed` afterwards.",
    " */",
  ].join("\n");
  expect(wordsOf(comment)).toBe(
    "Adds to the `Log`, in milliseconds.\n\n- one\n- two\n\nThrows: `closed` afterwards.",
  );
});
