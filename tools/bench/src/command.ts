/** The bench's command: reads the arguments, runs one bench, prints the result. */
import { execFileSync } from "node:child_process";
import { parseArgs } from "node:util";
import { type Bench, runBench } from "./bench.ts";
import { client } from "./benches/client.ts";
import { codec } from "./benches/codec.ts";
import { memory, resume, storm, subscriptions } from "./benches/crowds.ts";
import { fanout } from "./benches/fanout.ts";
import { channels, latency, rate } from "./benches/loads.ts";
import { SERVER_NAMES, type ServerName } from "./dialects.ts";
import { installPeers } from "./peers.ts";
import { pinned } from "./processes.ts";
import { compileReceiver, RECEIVER } from "./receiver.ts";
import { rowsAsTable } from "./tables.ts";
import { keep, resultOf } from "./result.ts";
import { availableServers } from "./subjects.ts";

const BENCHES: Readonly<Record<string, Bench>> = {
  fanout,
  rate,
  latency,
  channels,
  memory,
  subscriptions,
  storm,
  resume,
  codec,
  client,
};

const USAGE = `npm run bench -- <name> [options]

Measures tailwire beside its peers, all of them in the same run.

  <name>           ${Object.keys(BENCHES).join(", ")}
  install          fetches the peers, into a folder that git doesn't see
  report           makes the tables of docs/performance.md anew, from what was kept
  --servers <a,b>  only these of ${SERVER_NAMES.join(", ")}
  --rounds <n>     how often each is measured (default: 3; with --quick: 1)
  --quick          fewer and smaller cases: to see that it works
  --json           print one line of JSON
  --keep           keep the result in tools/bench/results, for docs/performance.md
  --help           show this`;

const OPTIONS = {
  servers: { type: "string" },
  rounds: { type: "string" },
  quick: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
  keep: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

interface Asked {
  readonly name: string;
  readonly bench: Bench;
  readonly servers: readonly ServerName[];
  readonly rounds: number;
  readonly quick: boolean;
  readonly json: boolean;
  readonly keep: boolean;
}

/** @throws Error for wrong arguments, with a message for the person who typed them. */
function asked(args: readonly string[]): Asked | "help" | "install" | "report" {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: OPTIONS,
    allowPositionals: true,
  });
  const [name = "", ...more] = positionals;
  if (values.help) return "help";
  if ((name === "install" || name === "report") && more.length === 0) return name;
  const bench = BENCHES[name];
  if (bench === undefined || more.length > 0) throw new Error("Give the name of one bench.");
  const { quick, json } = values;
  const rounds = Number(values.rounds ?? (quick ? 1 : 3));
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error("--rounds is a number from 1 on.");
  const servers = (values.servers?.split(",") ?? SERVER_NAMES) as readonly ServerName[];
  const unknown = servers.find((server) => !SERVER_NAMES.includes(server));
  if (unknown !== undefined) throw new Error(`There is no server ${unknown}.`);
  return { name, bench, servers, rounds, quick, json, keep: values.keep };
}

/** Gives the exit code: 0, or 2 for wrong arguments. */
export async function run(
  args: readonly string[],
  print: (text: string) => void,
  say: (line: string) => void,
): Promise<number> {
  let wish: Asked | "help" | "install" | "report";
  try {
    wish = asked(args);
  } catch (error) {
    print(`bench: ${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  if (wish === "help") print(USAGE);
  else if (wish === "install") installPeers(say);
  else if (wish === "report")
    execFileSync("npm", ["run", "--silent", "docs"], { stdio: "inherit" });
  else await measure(wish, print, say);
  return 0;
}

async function measure(
  { name, bench, servers, rounds, quick, json, keep: keeps }: Asked,
  print: (text: string) => void,
  say: (line: string) => void,
): Promise<void> {
  compileReceiver();
  const here = availableServers();
  for (const server of servers) {
    if (bench.servers.includes(server) && !here.includes(server)) {
      say(`${server} isn't installed and is left out: npm run bench -- install`);
    }
  }
  const there = servers.filter((server) => here.includes(server));
  const rows = await runBench(bench, { servers: there, rounds, quick, say });
  const result = resultOf({ bench: name, rounds, receiver: RECEIVER, pinned }, rows);
  if (keeps) keep(result);
  print(json ? JSON.stringify(result) : rowsAsTable(result).join("\n"));
}
