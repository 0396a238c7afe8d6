/**
 * Where `npm start` begins. It looks at Node's version before anything else is loaded, since the
 * rest may not even load on an old one.
 */
import { judgeNode } from "./node-version.ts";

const { kind, words } = judgeNode(process.versions.node);
if (kind !== "fine") console.error(`tailwire: ${words}`);
if (kind === "refused") {
  process.exitCode = 1;
} else {
  const { run } = await import("./command.ts");
  await run(process.argv.slice(2));
}
