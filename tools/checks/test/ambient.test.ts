/** Core files reach no clock, no dice and no timer but through ports. */
import { expect, test } from "vitest";
import { checkAmbient } from "../src/ambient.ts";
import { lines, treeOf } from "./support.ts";

const core = "packages/server/src/channel.ts";

test.each([
  "Date.now()",
  "new Date()",
  "new Date(0)",
  "Date()",
  "Math.random()",
  "performance.now()",
  "setTimeout(go, 1)",
  "setInterval(go, 1)",
  "clearTimeout(timer)",
  "setImmediate(go)",
  "queueMicrotask(go)",
  "globalThis.name",
  "crypto.randomUUID()",
  "process.hrtime()",
])("`%s` in a core file is found", (call) => {
  const findings = checkAmbient(treeOf({ [core]: `/** A. */\nconst a = ${call};\n` }));
  expect(lines(findings)).toHaveLength(1);
  expect(lines(findings)[0]).toMatch(/^packages\/server\/src\/channel\.ts:2: ambient: /);
});

test("a call inside a template's expression is found", () => {
  expect(checkAmbient(treeOf({ [core]: "const a = `${Date.now()}`;" }))).toHaveLength(1);
});

test.each([
  "packages/protocol/src/codec.ts",
  "packages/client/src/outbox.ts",
  "packages/client/src/core.ts",
  "packages/server/src/brokers/memory.ts",
  "tools/simulation/src/world.ts",
])("%s is a core file", (path) => {
  expect(checkAmbient(treeOf({ [path]: "Math.random();" }))).toHaveLength(1);
});

test.each([
  "packages/client/src/drivers/node.ts",
  "packages/client/src/index.ts",
  "packages/server/src/server.ts",
  "packages/server/src/brokers/disk.ts",
  "packages/tailwire/src/start.ts",
  "packages/client/test/a.test.ts",
  "tools/checks/src/main.ts",
])("%s is not a core file", (path) => {
  expect(checkAmbient(treeOf({ [path]: "Math.random();" }))).toEqual([]);
});

test("comments, strings and a port's own methods may have the names", () => {
  const source = `// Date.now()\n/* Math.random() */ const a = "new Date()";\nclock.setTimeout(a);`;
  expect(checkAmbient(treeOf({ [core]: source }))).toEqual([]);
});
