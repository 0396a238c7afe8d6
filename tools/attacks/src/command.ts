/** The attacks' command: which rows, one after another, each with a server of its own. */
import { parseArgs } from "node:util";
import type { Result, Row } from "./row.ts";
import { Stage } from "./stage.ts";
import { rowsOf, TABLE } from "./table.ts";

const USAGE = `npm run test:attacks -- [options]

Attacks a server that runs in a process of its own, and judges what that costs everybody else. CPU time
is the server's, so a busy machine makes it slower and fails nothing.

  --rows <ids>   which, with commas between: a group (B), an attack and its kin (B4), or one (B4-pings)
  --json         print { passed, failed, rows: [{ row, ok, note }] } last but one
  --help         show this`;

const OPTIONS = {
  rows: { type: "string" },
  json: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

/** The server's program, built. */
const VICTIM = new URL("../dist/victim.js", import.meta.url);

/** How often a row is tried until it holds: what a compiler or a collector does once isn't the attack's. */
const TRIES = 3;

/** Null: for help. @throws Error with words for the person, when the command makes no sense. */
function asked(args: readonly string[]): { rows: readonly Row[]; json: boolean } | null {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  if (values.help) return null;
  const rows = values.rows === undefined ? TABLE : rowsOf(values.rows.split(","));
  if (rows.length === 0) throw new Error(`"${values.rows ?? ""}" names no row`);
  return { rows, json: values.json };
}

/** Gives the exit code: 0 when every row held, 2 when the command makes no sense. */
export async function run(args: readonly string[], print: (text: string) => void): Promise<number> {
  let request: ReturnType<typeof asked>;
  try {
    request = asked(args);
  } catch (error) {
    print(`attacks: ${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  if (request === null) {
    print(USAGE);
    return 0;
  }
  const results: Result[] = [];
  for (const row of request.rows) {
    const result = await tried(row);
    results.push(result);
    print(`${result.ok ? "ok    " : "FAILED"} ${row.id}: ${row.title}: ${result.note}`);
  }
  const failed = results.filter(({ ok }) => !ok).length;
  const passed = results.length - failed;
  if (request.json) print(JSON.stringify({ passed, failed, rows: results }));
  print(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

/** A row's result: the first try that holds, or the last one. */
async function tried(row: Row): Promise<Result> {
  const stage = await Stage.set(VICTIM);
  let result: Result = { row: row.id, ok: false, note: "not tried" };
  try {
    for (let tries = 0; tries < TRIES && !result.ok; tries += 1) {
      result = { row: row.id, ...(await row.run(stage)) };
    }
  } catch (error) {
    result = { row: row.id, ok: false, note: String(error) };
  } finally {
    await stage.strike();
  }
  return result;
}
