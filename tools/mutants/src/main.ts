/**
 * Tries every mutant: `npm run mutants`.
 *
 * It exits with 1 when the simulator doesn't find one, or finds something where nothing is wrong: a
 * simulator that cries wolf proves nothing.
 */
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Finding } from "./finding.ts";
import { MUTANTS } from "./mutants.ts";

/** Seeds within which a mutant has to be found. */
const SEEDS = 500;

/** Seeds that the code as it is has to pass. */
const CONTROL_SEEDS = 25;

/** How long a seed may take, many times what it does, before it counts as having no end. */
const SEED_MS = 60_000;

const CONTROL = "control: nothing is wrong";

interface Tried extends Finding {
  readonly name: string;
}

const USAGE = `npm run mutants -- [options]

Makes the built code wrong in one place at a time; the simulator has to find each.

  --seeds <n>    seeds within which (default: ${SEEDS})
  --only <part>  only mutants with this in their name
  --json         print one line of JSON, {"mutants": [{name, caught, seeds, rule}], "control"}
  --help         show this`;

const OPTIONS = {
  json: { type: "boolean", default: false },
  seeds: { type: "string", default: String(SEEDS) },
  only: { type: "string", default: "" },
  help: { type: "boolean", short: "h", default: false },
} as const;

const values = valuesOf(process.argv.slice(2));
const names = MUTANTS.map(({ name }) => name).filter((name) => name.includes(values.only));
const tried: Tried[] = [];
const queue = [CONTROL, ...names];
await Promise.all(Array.from({ length: availableParallelism() }, work));
const mutants = names.flatMap((name) => tried.find((one) => one.name === name) ?? []);
const control = tried.find(({ name }) => name === CONTROL);
const isSound = control?.caught === false;
const missed = mutants.filter(({ caught }) => !caught);
if (values.json) console.log(JSON.stringify({ mutants, control: isSound }));
else print();
process.exitCode = isSound && missed.length === 0 ? 0 : 1;

/** Ends the program where there is nothing to do. */
function valuesOf(
  args: string[],
): ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>["values"] {
  try {
    const asked = parseArgs({ args, options: OPTIONS }).values;
    if (!asked.help) return asked;
    console.log(USAGE);
    return process.exit(0);
  } catch (error) {
    console.log(`mutants: ${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return process.exit(2);
  }
}

async function work(): Promise<void> {
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    tried.push({ name, ...(await attempt(name)) });
    process.stderr.write(`\r${tried.length} of ${names.length + 1} tried `);
  }
}

/** Runs a trial in a process of its own. One whose seed doesn't end has been found out by that. */
function attempt(name: string): Promise<Finding> {
  const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
  const isControl = name === CONTROL;
  const mutated = isControl ? [] : ["--import", new URL("register.js", import.meta.url).href];
  const seeds = isControl ? CONTROL_SEEDS : Number(values.seeds);
  const child = spawn(process.execPath, [...mutated, here("trial.js"), String(seeds)], {
    env: { ...process.env, TAILWIRE_MUTANT: name },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let last = "";
  let complained = "";
  const deadline = setTimeout(() => child.kill("SIGKILL"), SEED_MS);
  createInterface({ input: child.stdout }).on("line", (line) => {
    last = line;
    deadline.refresh();
  });
  child.stderr.on("data", (chunk: Buffer) => (complained += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once("close", (_code, signal) => {
      clearTimeout(deadline);
      const stuck = { caught: true, seeds: Number(last), rule: "no end", detail: null };
      if (last.startsWith("{")) resolve(JSON.parse(last) as Finding);
      else if (signal === "SIGKILL" && last !== "") resolve(stuck);
      else reject(new Error(`the trial of "${name}" ended without a word: ${complained}`));
    });
  });
}

function print(): void {
  process.stderr.write("\r");
  for (const { name, caught, seeds, rule } of mutants) {
    const how = caught ? `${rule} at seed ${seeds}` : `NOT FOUND in ${seeds} seeds`;
    console.log(`${how.padEnd(24)} ${name}`);
  }
  if (!isSound) console.log(`where nothing is wrong, ${control?.rule}: ${control?.detail}`);
  console.log(`${mutants.length - missed.length} of ${mutants.length} mutants found`);
}
