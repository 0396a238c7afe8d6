/**
 * One search: a model, perhaps with a mutation, made into a verifier by `spin` and a C compiler,
 * and run in a folder of its own. It doesn't know what the verdict should be.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import type { Model } from "./model.ts";
import { type Verdict, verdictOf } from "./pan-output.ts";

/** The programs that a search needs. */
export interface Tools {
  readonly spin: string;
  readonly cc: string;
}

export interface Search {
  readonly model: Model;
  /** Null: the model as it stands. */
  readonly mutant: string | null;
  readonly large: boolean;
}

export interface Found {
  readonly verdict: Verdict;
  readonly seconds: number;
}

/** The verifier's limits: steps of one run, and the hash table's size as a power of 2. */
const DEPTH_MAX = 1_000_000;
const STATES_BITS = 20;

/** How long one program may take, in milliseconds: far beyond what any does. */
const TIMEOUT_MS = { usual: 120_000, large: 3_600_000 } as const;

/** Makes a verifier and runs it: for the assertions, then for the claim where the model has one. */
export async function search(tools: Tools, { model, mutant, large }: Search): Promise<Found> {
  const began = performance.now();
  const folder = await mkdtemp(join(tmpdir(), "tailwire-model-"));
  const timeout = TIMEOUT_MS[large ? "large" : "usual"];
  const call = (file: string, args: readonly string[]): Promise<string> =>
    outputOf(file, args, folder, timeout);
  try {
    const file = `${model.name}.pml`;
    await writeFile(join(folder, file), model.text);
    const defines = [...(large ? ["-DLARGE"] : []), ...(mutant === null ? [] : [`-D${mutant}`])];
    const made = [
      await call(tools.spin, ["-a", ...defines.map(asMutant(mutant)), file]),
      await call(tools.cc, [...compilerArgs(model, mutant), "-o", "verifier", "pan.c"]),
    ].join("\n");
    const runs = [];
    const limits = [`-m${DEPTH_MAX}`, `-w${STATES_BITS}`, "-n"];
    // `-E`: a process may wait for ever. Assertions check what it should have done.
    const asserted = ["-E", ...(model.hasClaim ? ["-noclaim"] : []), ...limits];
    runs.push(verdictOf((await call("./verifier", asserted)) || made));
    if (model.hasClaim) runs.push(verdictOf(await call("./verifier", ["-a", ...limits])));
    return { verdict: worst(runs), seconds: (performance.now() - began) / 1_000 };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function asMutant(mutant: string | null): (define: string) => string {
  return (define) => (define === `-D${mutant}` ? `-DMUTANT_${mutant}` : define);
}

/** Mutations are compiled without optimisation, since their errors are found early. */
function compilerArgs({ hasClaim }: Model, mutant: string | null): readonly string[] {
  return ["-w", mutant === null ? "-O1" : "-O0", ...(hasClaim ? [] : ["-DSAFETY", "-DNOCLAIM"])];
}

/** The worst verdict: broken, else incomplete, else that of the larger search. */
function worst(verdicts: readonly Verdict[]): Verdict {
  const of = (kind: Verdict["kind"]): Verdict | undefined =>
    verdicts.find((verdict) => verdict.kind === kind);
  const states = Math.max(0, ...verdicts.map((one) => ("states" in one ? one.states : 0)));
  return of("broken") ?? of("incomplete") ?? { kind: "holds", states };
}

/** The output of a program. Its exit code is ignored: the output tells of a failure, or is empty. */
function outputOf(
  file: string,
  args: readonly string[],
  cwd: string,
  timeout: number,
): Promise<string> {
  return new Promise((resolve) => {
    const options = { cwd, timeout, maxBuffer: 64 * 1_024 * 1_024 };
    execFile(file, [...args], options, (error, stdout, stderr) => {
      const ended = error?.killed === true ? `${file}: stopped after ${timeout} ms` : "";
      resolve(`${ended}${stdout}${stderr}`.trim());
    });
  });
}

/** The programs on this machine; `missing` names the first that isn't there. */
export async function findTools(env: NodeJS.ProcessEnv): Promise<Tools | { missing: string }> {
  const runs = (file: string, args: readonly string[]): Promise<boolean> =>
    new Promise((resolve) => {
      execFile(file, [...args], { timeout: 20_000 }, (error) => resolve(error === null));
    });
  const spin = env["SPIN"] ?? "spin";
  if (!(await runs(spin, ["-V"]))) return { missing: "spin" };
  for (const cc of [env["CC"], "cc", "gcc", "clang"]) {
    if (cc !== undefined && (await runs(cc, ["--version"]))) return { spin, cc };
  }
  return { missing: "a C compiler" };
}
