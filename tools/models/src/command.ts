/** The models' command: runs the searches, judges their verdicts, and prints the results. */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { type Model, readModels } from "./model.ts";
import { findTools, type Found, search, type Search, type Tools } from "./search.ts";

const USAGE = `npm run models -- [options]

Searches every Spin model of tools/models/spin: it has to hold, and each of its mutations has to fail.

  --large        with larger bounds, which takes minutes
  --only <name>  this model only
  --json         print one line of JSON, {"models": [{name, ok, states, seconds, mutants}]}, and no other
  --help         show this

It needs spin (Debian: apt-get install spin) and a C compiler. Without them it is skipped, but for
CI=true, where that is a failure.`;

const OPTIONS = {
  large: { type: "boolean", default: false },
  only: { type: "string" },
  json: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

/** The command's output: results, and progress meanwhile. */
export interface Teller {
  readonly print: (text: string) => void;
  readonly progress: (text: string) => void;
}

interface MutantResult {
  readonly name: string;
  readonly caught: boolean;
}

export interface ModelResult {
  readonly name: string;
  /** Whether it holds, and each of its mutations fails. */
  readonly ok: boolean;
  readonly states: number;
  readonly seconds: number;
  readonly mutants: readonly MutantResult[];
  /** The fault in words; null when it is ok. */
  readonly problem: string | null;
}

/** Gives the exit code: 0 when all is ok or skipped, 1 when not, 2 for wrong arguments. */
export async function run(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  teller: Teller,
): Promise<number> {
  let values;
  try {
    values = parseArgs({ args: [...args], options: OPTIONS }).values;
  } catch (error) {
    teller.print(`models: ${String(error)}\n\n${USAGE}`);
    return 2;
  }
  if (values.help) {
    teller.print(USAGE);
    return 0;
  }
  const models = readModels().filter(({ name }) => (values.only ?? name) === name);
  const tools = await findTools(env);
  if ("missing" in tools) {
    const mustRun = env["CI"] === "true";
    teller.print(
      `models: ${mustRun ? "FAILED" : "SKIPPED"}, ${tools.missing} isn't installed here`,
    );
    return mustRun ? 1 : 0;
  }
  const results = await searchAll(tools, models, values.large, teller);
  teller.print(values.json ? JSON.stringify({ models: results }) : results.map(row).join("\n"));
  return results.length > 0 && results.every(({ ok }) => ok) ? 0 : 1;
}

/** Runs one search per core at a time. Models go first, since they take longest. */
async function searchAll(
  tools: Tools,
  models: readonly Model[],
  large: boolean,
  { progress }: Teller,
): Promise<readonly ModelResult[]> {
  const searches: readonly Search[] = [
    ...models.map((model) => ({ model, mutant: null, large })),
    ...models.flatMap((model) => model.mutants.map((mutant) => ({ model, mutant, large: false }))),
  ];
  const found = new Map<Search, Found>();
  const waiting = searches.values();
  const work = async (): Promise<void> => {
    for (const one of waiting) {
      found.set(one, await search(tools, one));
      progress(`${found.size} of ${searches.length}: ${one.model.name} ${one.mutant ?? ""}`);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return models.map((model) => {
    const own = searches.filter((one) => one.model === model);
    return resultOf(
      model.name,
      own.map((one) => ({ mutant: one.mutant, ...(found.get(one) as Found) })),
    );
  });
}

/** Judges a model by its search, and by those of its mutations. */
export function resultOf(
  name: string,
  searches: readonly (Found & { readonly mutant: string | null })[],
): ModelResult {
  const mutants: MutantResult[] = [];
  let problem: string | null = null;
  let states = 0;
  let seconds = 0;
  for (const { mutant, verdict, seconds: took } of searches) {
    const caught = verdict.kind === "broken";
    if (mutant !== null) {
      mutants.push({ name: mutant, caught });
      if (!caught) problem ??= `nobody notices the mutation ${mutant}`;
      continue;
    }
    seconds = took;
    if (verdict.kind === "holds") ({ states } = verdict);
    else problem ??= verdict.kind === "broken" ? verdict.error : verdict.why;
  }
  return { name, ok: problem === null, states, seconds, mutants, problem };
}

function row({ name, ok, states, seconds, mutants, problem }: ModelResult): string {
  const caught = mutants.filter((mutant) => mutant.caught).length;
  const numbers = `${states} states in ${seconds.toFixed(1)} s, ${caught} of ${mutants.length} mutations caught`;
  return `${ok ? "ok    " : "FAILED"} ${name.padEnd(12)} ${numbers}${problem === null ? "" : `; ${problem}`}`;
}
