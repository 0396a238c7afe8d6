/** Import directions: every forbidden one is found, and every allowed one passes. */
import { expect, test } from "vitest";
import { importStatements } from "../src/import-statements.ts";
import { checkImports } from "../src/imports.ts";
import { lines, places, treeOf } from "./support.ts";

const manifests = {
  "package.json": manifest("root", [], ["vitest", "typescript"]),
  "packages/protocol/package.json": manifest("@tailwire/protocol", ["@msgpack/msgpack"]),
  "packages/client/package.json": manifest(
    "@tailwire/client",
    ["@tailwire/protocol", "ws"],
    ["@tailwire/simulation"],
  ),
  "packages/server/package.json": manifest("@tailwire/server", ["@tailwire/protocol", "ws"]),
  "packages/redis/package.json": manifest("@tailwire/redis", [
    "@tailwire/protocol",
    "@tailwire/server",
    "redis",
  ]),
  "packages/react/package.json": manifest("@tailwire/react", ["@tailwire/client", "react"]),
  "packages/tailwire/package.json": manifest("tailwire", [
    "@tailwire/client",
    "@tailwire/server",
    "@tailwire/protocol",
  ]),
  "tools/simulation/package.json": manifest("@tailwire/simulation", [
    "@tailwire/client",
    "@tailwire/server",
    "@tailwire/protocol",
  ]),
  "tools/conformance/package.json": manifest("@tailwire/conformance", ["@tailwire/protocol", "ws"]),
};

function manifest(name: string, dependencies: string[], devDependencies: string[] = []): string {
  const versions = (names: string[]): object =>
    Object.fromEntries(names.map((dependency) => [dependency, "1"]));
  return JSON.stringify({
    name,
    dependencies: versions(dependencies),
    devDependencies: versions(devDependencies),
  });
}

function check(path: string, ...specifiers: string[]): string[] {
  const source = specifiers.map((specifier) => `import "${specifier}";\n`).join("");
  return lines(checkImports(treeOf({ ...manifests, [path]: source })));
}

test("imports of every form are read, with their lines", () => {
  const source = [
    `import { a } from "a";`,
    `import type { B } from 'b';`,
    `import {`,
    `  c,`,
    `} from "c";`,
    `export { d } from "d";`,
    `export * as e from "e";`,
    `import "f";`,
    `const g = await import("g");`,
    `type H = import("h").H;`,
    `const i = require("i");`,
    `import j, * as k from "k";`,
  ].join("\n");
  expect(importStatements(source)).toEqual(
    ["a:1", "b:2", "c:5", "d:6", "e:7", "f:8", "g:9", "h:10", "i:11", "k:12"].map((found) => ({
      specifier: found.split(":")[0],
      line: Number(found.split(":")[1]),
    })),
  );
});

test("imports in comments and strings are not imports", () => {
  const source = `// import "a"\n/* from "b" */ const c = 'import "d"';\nexport const from = "e";`;
  expect(importStatements(source)).toEqual([]);
});

test.each([
  ["packages/protocol/src/codec-msgpack.ts", "./codec.ts", "@msgpack/msgpack"],
  ["packages/client/src/client.ts", "@tailwire/protocol", "./a/b.ts"],
  ["packages/client/src/index.ts", "#driver", "./core.ts"],
  ["packages/protocol/src/errors.ts", "#words", "./codes.ts"],
  ["packages/client/src/drivers/node.ts", "ws", "node:crypto", "../core.ts"],
  ["packages/server/src/server.ts", "node:http", "ws"],
  ["packages/server/src/brokers/disk.ts", "node:fs"],
  ["packages/server/src/brokers/disk/segment.ts", "node:fs"],
  ["packages/redis/src/index.ts", "redis", "@tailwire/server/broker-contract", "node:net"],
  ["packages/redis/test/a.test.ts", "@tailwire/server/broker-contract-suite", "vitest"],
  ["packages/react/src/hooks.ts", "@tailwire/client", "react"],
  ["packages/tailwire/src/start.ts", "@tailwire/server", "@tailwire/client", "node:fs"],
  ["packages/tailwire/page/demo.ts", "@tailwire/client"],
  ["packages/client/test/a.test.ts", "vitest", "../src/core.ts", "@tailwire/simulation", "node:fs"],
  ["packages/client/test/b.test.ts", "@tailwire/client"],
  ["tools/simulation/src/world.ts", "@tailwire/client/core", "@tailwire/server/core"],
  ["tools/conformance/src/suite.ts", "@tailwire/protocol", "node:fs", "ws"],
  ["vitest.config.ts", "vitest/config", "node:path"],
])("%s may import what the layout allows", (path, ...specifiers) => {
  expect(check(path, ...specifiers)).toEqual([]);
});

test.each([
  ["packages/protocol/src/codec.ts", "@tailwire/client", "may not import"],
  ["packages/client/src/client.ts", "@tailwire/server", "may not import"],
  ["packages/server/src/node.ts", "@tailwire/client", "may not import"],
  ["packages/client/src/client.ts", "@tailwire/protocol/codec", "may not import"],
  ["packages/redis/src/index.ts", "@tailwire/server", "may not import"],
  ["packages/react/src/hooks.ts", "@tailwire/protocol", "may not import"],
  ["tools/conformance/src/suite.ts", "@tailwire/server", "may not import"],
  ["tools/checks/src/main.ts", "@tailwire/protocol", "may not import"],
  ["packages/tailwire/src/start.ts", "@tailwire/simulation", "may not import"],
  ["packages/client/src/client.ts", "@tailwire/simulation", "may not import"],
  ["packages/client/src/client.ts", "../../protocol/src/index.ts", "leaves its package"],
  ["packages/client/test/a.test.ts", "../../server/src/node.ts", "leaves its package"],
  ["packages/client/src/client.ts", "../test/support.ts", "is a test"],
  ["packages/client/src/client.ts", "@tailwire/client", "is this package"],
  ["packages/react/src/hooks.ts", "left-pad", "react/package.json's dependencies"],
  ["packages/redis/test/a.test.ts", "left-pad", "redis/package.json's devDependencies"],
  ["packages/protocol/test/a.test.ts", "@tailwire/server", "protocol/package.json's devDep"],
  ["packages/client/src/drivers/node.ts", "typescript", "dependencies or peerDependencies"],
  ["packages/server/src/node.ts", "node:fs", "is a platform"],
  ["packages/server/src/node.ts", "ws", "is a platform"],
  ["packages/server/src/index.ts", "node:fs", "is a platform"],
  ["packages/client/src/client.ts", "#driver", "is a platform"],
  ["packages/protocol/src/codec.ts", "#words", "is a platform"],
  ["tools/simulation/src/world.ts", "node:fs", "is a platform"],
  ["packages/react/src/hooks.ts", "node:fs", "is a platform"],
  ["packages/server/src/drivers/http.ts", "fs", 'write "node:fs"'],
])("%s may not import %s", (path, specifier, message) => {
  const findings = check(path, specifier);
  expect(findings).toEqual([expect.stringContaining(message)]);
});

test("a finding names the import's line", () => {
  const source = `/** A. */\nimport { a } from "@tailwire/protocol";\nimport {\n  b,\n} from "ws";\n`;
  const findings = checkImports(treeOf({ ...manifests, "packages/server/src/a.ts": source }));
  expect(places(findings)).toEqual(["packages/server/src/a.ts:5: imports"]);
});
