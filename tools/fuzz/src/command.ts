/** The fuzzer's command: how many inputs of which seed for which part. */
import { parseArgs } from "node:util";
import { type ApplicationReport, merged } from "./application/report.ts";
import { AIM_MS, type Report } from "./run.ts";
import { runSockets, type SocketReport } from "./sockets.ts";
import { runApplications, runWire } from "./threads.ts";

const USAGE = `npm run fuzz -- [options]

Feeds decoders and validators with mutated vectors (the wire), a server's sockets with frames that
are nearly right, and gives an application's functions and options every odd value and every way of
failing. An input depends on the seed and its number alone.

  --inputs <n>   how many for the wire, 100000 where it is left out; one for the application for each
                 100, and one connection for each 4,000, 50 at least
  --part <name>  wire, sockets or application alone: then --inputs are its own
  --seed <n>     an integer; one by chance, which is printed, where it is left out
  --from <n>     the number of the first input, to run one again: --from 1234 --inputs 1
  --json         print one line of JSON last
  --help         show this`;

const OPTIONS = {
  inputs: { type: "string", default: "100000" },
  part: { type: "string" },
  seed: { type: "string" },
  from: { type: "string", default: "0" },
  json: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

/** Inputs of each part when all of them run, by those of the wire. */
const PARTS = {
  wire: (inputs: number) => inputs,
  application: (inputs: number) => (inputs === 1 ? 0 : Math.ceil(inputs / 100)),
  sockets: (inputs: number) => (inputs === 1 ? 0 : Math.max(50, Math.ceil(inputs / 4_000))),
} as const;

type Part = keyof typeof PARTS;

interface Asked {
  readonly counts: Readonly<Record<Part, number>>;
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
  const { part } = values;
  if (part !== undefined && !Object.hasOwn(PARTS, part)) {
    throw new Error(`"${part}" is no part: there are ${Object.keys(PARTS).join(", ")}`);
  }
  const inputs = integer(values.inputs);
  const countOf = (name: Part): number => {
    if (part === undefined) return PARTS[name](inputs);
    return part === name ? inputs : 0;
  };
  return {
    counts: {
      wire: countOf("wire"),
      application: countOf("application"),
      sockets: countOf("sockets"),
    },
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
  const { counts, seed, from, json } = request;
  // One part after the other: each is given all cores, and none makes another look slow.
  const wire = await runWire({ seed, from, count: counts.wire });
  const application = merged(await runApplications({ seed, from, count: counts.application }));
  const sockets = await runSockets(seed, counts.sockets);
  const failures = [
    ...wireFailures(seed, wire),
    ...applicationFailures(seed, application),
    ...sockets.failures.map((words) => `FAILED: sockets, --part sockets --seed ${seed}: ${words}`),
  ];
  for (const words of failures) print(words);
  print(summary(seed, wire, application, sockets));
  if (json) print(JSON.stringify({ seed, reports: wire, application, sockets }));
  return failures.length === 0 ? 0 : 1;
}

function again(part: Part, seed: number, number: number): string {
  return `--part ${part} --seed ${seed} --from ${number} --inputs 1`;
}

function wireFailures(seed: number, reports: readonly Report[]): readonly string[] {
  return reports.flatMap(({ failures }) =>
    failures.map(
      ({ target, number, words, input, shrunk }) =>
        `FAILED: ${target}, ${again("wire", seed, number)}\n${words}\n` +
        `input:  ${input}\nshrunk: ${shrunk}\n`,
    ),
  );
}

function applicationFailures(seed: number, { findings }: ApplicationReport): readonly string[] {
  return findings.map(
    ({ subject, fault, number, words, count }) =>
      `FAILED: ${subject}, ${again("application", seed, number)}\n` +
      `${fault} (${count} ${count === 1 ? "input" : "inputs"}, the first: ${words})\n`,
  );
}

function summary(
  seed: number,
  reports: readonly Report[],
  application: ApplicationReport,
  sockets: SocketReport,
): string {
  const sum = (of: (report: Report) => number): number =>
    reports.reduce((total, report) => total + of(report), 0);
  const [slowest] = reports.toSorted((one, other) => other.slowestMs - one.slowestMs);
  const failed = sum(({ failures }) => failures.length);
  const faulty = application.findings.length;
  return [
    `seed ${seed}: ${sum(({ inputs }) => inputs)} inputs, ${failed} failed; ${sum(({ overAim }) => overAim)} took over ${AIM_MS} ms`,
    `slowest: ${(slowest?.slowestMs ?? 0).toFixed(1)} ms, ${slowest?.slowest ?? "none"}`,
    `${application.inputs} of the application's functions and options, ${faulty} kinds of fault`,
    `${sockets.connections} connections, ${sockets.failures.length} failed; closed with ${sockets.closes}`,
  ].join("\n");
}
