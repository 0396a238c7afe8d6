/**
 * Checks that the built packages' types fit the programs of `programs.ts`, as their compiler sees
 * them: `node tools/checks/dist/types.js`, from the repository's root, after `tsc -b`. The programs
 * are written to .tmp/types, which git ignores.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PROGRAMS, type Program, tsconfigOf } from "./programs.ts";

const root = join(process.cwd(), ".tmp", "types");
const compiler = join(process.cwd(), "node_modules", ".bin", "tsc");

/** The compiler's complaints; none where the program is right. */
function complaintsOf(program: Program): readonly string[] {
  const folder = join(root, program.name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(tsconfigOf(program)));
  writeFileSync(join(folder, "program.ts"), program.code);
  const run = spawnSync(compiler, ["-p", folder, "--pretty", "false"], { encoding: "utf8" });
  if (run.status === 0) return [];
  const said = `${run.stdout}${run.stderr}`.trim().split("\n");
  return said.map((line) => `${program.name}: ${line}`);
}

rmSync(root, { recursive: true, force: true });
const complaints = PROGRAMS.flatMap(complaintsOf);
for (const complaint of complaints) console.log(complaint);
console.log(`types: ${complaints.length} complaints in ${PROGRAMS.length} programs`);
process.exitCode = complaints.length === 0 ? 0 : 1;
