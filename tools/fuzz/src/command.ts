/** The fuzzer's command: how many inputs of which seed, shared out over the cores. */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { AIM_MS, type Report } from "./run.ts";
import { runSockets, type SocketReport } from "./sockets.ts";
import type { Share } from "./worker.ts";

const USAGE = `npm run fuzz -- [options]

Feeds decoders, validators and a server's sockets with mutated vectors. An input depends on the seed
and its number alone.

  --inputs <n>   how many, 100000 where it is left out; one connection for each 4,000, 50 at least
  --seed <n>     an integer; one by chance, which is printed, where it is left out
  --from <n>     the number of the first input, to run one again: --from 1234 --inputs 1
  --json         print one line of JSON last
  --help         show this`;

const OPTIONS = {
  inputs: { type: "string", default: "100000" },
  seed: { type: "string" },
  from: { type: "string", default: "0" },
  json: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

interface Asked {
  readonly inputs: number;
  readonly seed: number;
  readonly from: number;
  readonly json: boolean;
}

/** Null: for help. @throws Error with words for the person, when the command makes no sense. */
function asked(args: readonly string[]): Asked | null {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  if (values.help) return null;
  const integer = (text: string): number => {
    if (!/^\d{1,10}$/.test(text)) throw new Error(`"${text}" is no number here`);
    return Number(text);
  };
  return {
    inputs: integer(values.inputs),
    seed: values.seed === undefined ? Date.now() % 1_000_000_000 : integer(values.seed),
    from: integer(values.from),
    json: values.json,
  };
}

/** Gives the exit code: 0 when everything held, 2 when the command makes no sense. */
export async function run(args: readonly string[], print: (text: string) => void): Promise<number> {
  let request: Asked | null;
  try {
    request = asked(args);
  } catch (error) {
    print(`fuzz: ${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  if (request === null) {
    print(USAGE);
    return 0;
  }
  const { inputs, seed, from, json } = request;
  const reports = await Promise.all(sharesOf(seed, from, inputs).map(inThread));
  const sockets = await runSockets(
    seed,
    inputs === 1 ? 0 : Math.max(50, Math.ceil(inputs / 4_000)),
  );
  const failures = reports.flatMap((report) => report.failures);
  for (const { target, number, words, input, shrunk } of failures) {
    print(`FAILED: ${target}, --seed ${seed} --from ${number} --inputs 1\n${words}`);
    print(`input:  ${input}\nshrunk: ${shrunk}\n`);
  }
  for (const words of sockets.failures) print(`FAILED: sockets, --seed ${seed}: ${words}`);
  print(summary(seed, reports, sockets));
  if (json) print(JSON.stringify({ seed, reports, sockets }));
  return failures.length + sockets.failures.length === 0 ? 0 : 1;
}

function sharesOf(seed: number, from: number, inputs: number): readonly Share[] {
  const step = Math.min(availableParallelism(), inputs);
  return Array.from({ length: step }, (_, index) => ({
    seed,
    from: from + index,
    count: inputs - index,
    step,
  }));
}

function inThread(share: Share): Promise<Report> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./worker.js", import.meta.url), { workerData: share });
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}

function summary(seed: number, reports: readonly Report[], sockets: SocketReport): string {
  const inputs = reports.reduce((sum, report) => sum + report.inputs, 0);
  const overAim = reports.reduce((sum, report) => sum + report.overAim, 0);
  const slowest = reports.reduce((one, other) => (other.slowestMs > one.slowestMs ? other : one));
  const failed = reports.reduce((sum, { failures }) => sum + failures.length, 0);
  return [
    `seed ${seed}: ${inputs} inputs, ${failed} failed; ${overAim} took over ${AIM_MS} ms`,
    `slowest: ${slowest.slowestMs.toFixed(1)} ms, ${slowest.slowest}`,
    `${sockets.connections} connections, ${sockets.failures.length} failed; closed with ${sockets.closes}`,
  ].join("\n");
}
