/** Code blocks and commands in documents are checked. */
import { expect, test } from "vitest";
import { docBlocks } from "../src/doc-blocks.ts";
import { checkDocCommands } from "../src/doc-commands.ts";
import { checkDocLinks } from "../src/doc-links.ts";
import { docModules, docTypeFindings } from "../src/doc-types.ts";
import { lines, treeOf } from "./support.ts";

const manifest = JSON.stringify({ scripts: { start: "a", test: "b", sim: "c" } });

function block(fence: string, ...code: string[]): string {
  return ["Text.", "", `\`\`\`${fence}`, ...code, "```", ""].join("\n");
}

function commands(...code: string[]): string[] {
  const tree = treeOf({ "package.json": manifest, "README.md": block("sh", ...code) });
  return lines(checkDocCommands(tree));
}

test("blocks are read with their language, note and place", () => {
  const text = `${block("ts ignore-with pseudocode", "a", "", "b")}- item\n\n  \`\`\`sh\n  npm ci\n  \`\`\`\n`;
  expect(docBlocks(treeOf({ "docs/guide/a.md": text }))).toEqual([
    {
      file: "docs/guide/a.md",
      line: 4,
      language: "ts",
      note: "ignore-with pseudocode",
      code: "a\n\nb",
    },
    { file: "docs/guide/a.md", line: 11, language: "sh", note: "", code: "npm ci" },
  ]);
});

test("a fence of four ticks may hold one of three", () => {
  const tree = treeOf({ "README.md": "````md\n```ts\na\n```\n````\n" });
  expect(docBlocks(tree).map(({ language }) => language)).toEqual(["md"]);
});

test("documents that readers don't copy from are not read", () => {
  expect(docBlocks(treeOf({ "STYLE.md": block("ts", "a") }))).toEqual([]);
});

test("npm's commands, a clone and a change of folder pass", () => {
  expect(
    commands(
      "# first",
      "git clone https://example.com/tailwire.git && cd tailwire",
      "npm ci; npm install @tailwire/client",
      "$ npm start -- --port 8080   # then open it",
      "npm test",
      "npm run sim -- --seed 7",
      "npm run --silent sim",
    ),
  ).toEqual([]);
});

test.each([
  ["npm run nothing", 'README.md:4: docs: package.json has no script "nothing"'],
  ["npm run", 'README.md:4: docs: package.json has no script ""'],
  ["npm publish", "README.md:4: docs: `npm publish` is not a command the docs may use"],
  ["curl -O a", "README.md:4: docs: `curl -O a` is not an npm command, git clone or cd"],
  ["git push", "README.md:4: docs: `git push` is not an npm command, git clone or cd"],
  ["npm ci && rm -r a", "README.md:4: docs: `rm -r a` is not an npm command, git clone or cd"],
])("`%s` is found", (command, finding) => {
  expect(commands(command)).toEqual([finding]);
});

test("a script that a sentence names has to exist, in every document", () => {
  const text = "See.\n`npm run sim -- --seed 7`, `npm test`, and `npm run nothing -- now`.\n";
  const tree = treeOf({ "package.json": manifest, "STYLE.md": text });
  expect(lines(checkDocCommands(tree))).toEqual([
    'STYLE.md:2: docs: package.json has no script "nothing"',
  ]);
});

test("a link leads to a file or a folder that is there", () => {
  const text = [
    "[a](b.md), [its part](b.md#part), [a folder](../packages/c/) and [one more](../packages),",
    "[elsewhere](https://a.example/b), [here](#part), ![a picture](d.png),",
    "```text",
    "[in code](nowhere.md)",
    "```",
    "[lost](c.md) and [gone](../packages/d).",
  ];
  const files = { "docs/b.md": "", "packages/c/README.md": "" };
  const tree = treeOf({ ...files, "docs/a.md": text.join("\n") });
  expect(lines(checkDocLinks(tree))).toEqual([
    "docs/a.md:6: docs: the link to c.md leads nowhere",
    "docs/a.md:6: docs: the link to ../packages/d leads nowhere",
  ]);
});

test("a script of a missing name is found for npm test and npm start", () => {
  const tree = treeOf({ "package.json": "{}", "README.md": block("sh", "npm test", "npm start") });
  expect(checkDocCommands(tree)).toHaveLength(2);
});

test("JavaScript is found, because nothing checks its types", () => {
  const tree = treeOf({ "package.json": manifest, "README.md": block("js", "a()") });
  expect(lines(checkDocCommands(tree))).toEqual([
    "README.md:4: docs: fence code as ts, not js: it is type-checked",
  ]);
});

test("an ignored block is not checked, and says why", () => {
  const tree = (note: string): ReturnType<typeof treeOf> =>
    treeOf({ "package.json": manifest, "README.md": block(`sh ${note}`, "curl a") });
  expect(checkDocCommands(tree("ignore-with a server's own tool"))).toEqual([]);
  expect(lines(checkDocCommands(tree("ignore-with")))).toEqual([
    "README.md:4: docs: say why after `ignore-with`",
  ]);
});

test("each block of TypeScript becomes a module of its own", () => {
  const text = block("ts", "a;") + block("tsx", "b;") + block("ts ignore-with a sketch", "c;");
  expect(docModules(treeOf({ "docs/guide/a.md": text })).map(({ name }) => name)).toEqual([
    "docs-guide-a-4.ts",
    "docs-guide-a-9.tsx",
  ]);
});

test("the compiler's complaint is led back to the document's line", () => {
  const modules = docModules(treeOf({ "README.md": block("ts", "a;", "b;") }));
  const output = ".tmp/docs/README-4.ts(2,1): error TS2304: Cannot find name 'b'.\n  Because.\n";
  expect(lines(docTypeFindings(output, modules))).toEqual([
    "README.md:5: docs: error TS2304: Cannot find name 'b'.",
  ]);
});

test("a complaint about no block is a finding too", () => {
  expect(docTypeFindings("error TS5083: Cannot read file.\n", [])).toHaveLength(1);
});
