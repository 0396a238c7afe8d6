/**
 * Tries every mutant, or every patch in a folder: `npm run mutants`.
 *
 * It exits with 1 when one isn't found, or something is found where nothing is wrong: a simulator that
 * cries wolf proves nothing.
 */
import { resolve } from "node:path";
import { endChildren } from "./children.ts";
import { runList } from "./list.ts";
import { runPatches } from "./patch-run.ts";
import { requestOf, USAGE } from "./request.ts";
import { removeScratches } from "./scratch.ts";

/** The exit code of a program that a signal has ended, as shells have it. */
const ENDED_BY = { SIGINT: 130, SIGTERM: 143 } as const;

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    endChildren();
    removeScratches();
    process.exit(ENDED_BY[signal]);
  });
}

try {
  const request = requestOf(process.argv.slice(2));
  if (request.help) console.log(USAGE);
  else if (request.patches === null) process.exitCode = (await runList(request)) ? 0 : 1;
  // A path is the caller's: npm runs this in the repository's root, and says where it was called.
  else {
    const folder = resolve(process.env["INIT_CWD"] ?? "", request.patches);
    process.exitCode = (await runPatches(request, folder)) ? 0 : 1;
  }
} catch (error) {
  console.error(`mutants: ${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  process.exitCode = 2;
} finally {
  removeScratches();
}
