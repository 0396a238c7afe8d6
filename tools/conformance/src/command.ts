/** The judge's command: what it is asked for, and how it tells the verdicts. */
import { parseArgs } from "node:util";
import { CLAUSES } from "./clauses.ts";
import { type ClauseVerdict, judge, type Judgement } from "./judge.ts";
import type { Subject } from "./stage.ts";

const USAGE = `npm run conformance -- <url> [options]

Judges a tailwire server, clause by clause, by speaking PROTOCOL.md at it.

  <url>             such as ws://127.0.0.1:3000/tailwire
  --token <name>    whom to come as; <name>-2 is the second user (default: conformance)
  --channel <name>  a pattern with {id} that anybody may use (default: room:{id})
  --slow            also judge what takes minutes
  --only <ids>      judge these clauses only, such as SUB-4,DEL-3
  --json            print one line of JSON, {"passed", "failed", "clauses"}, and nothing else
  --help            show this`;

const OPTIONS = {
  token: { type: "string", default: "conformance" },
  channel: { type: "string", default: "room:{id}" },
  only: { type: "string" },
  slow: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

interface Asked extends Subject {
  readonly json: boolean;
  readonly only: readonly string[];
}

/** Null: for help. @throws Error with words for the person, when the command makes no sense. */
function asked(args: readonly string[]): Asked | null {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: OPTIONS,
    allowPositionals: true,
  });
  const [url = "", ...more] = positionals;
  const { token, channel, slow, json, help } = values;
  const only = values.only?.split(",") ?? CLAUSES;
  const unknown = only.find((id) => !CLAUSES.includes(id));
  if (unknown !== undefined) throw new Error(`There is no clause ${unknown}, or it is planned.`);
  if (help) return null;
  if (!/^wss?:\/\//.test(url) || !URL.canParse(url) || more.length > 0) {
    throw new Error("Give one URL, such as ws://127.0.0.1:3000/tailwire.");
  }
  if (!channel.includes("{id}")) throw new Error("--channel needs {id}, as in room:{id}.");
  return { url, token, channel, slow, json, only };
}

function row({ id, ok, note }: ClauseVerdict): string {
  const word = ok === null ? "can't be judged" : ok ? "ok" : "failed";
  return `${id.padEnd(8)} ${word.padEnd(15)} ${note}`.trimEnd();
}

function table({ passed, failed, clauses }: Judgement): string {
  const head = `${"clause".padEnd(8)} ${"verdict".padEnd(15)} note`;
  return [head, ...clauses.map(row), "", `${passed} passed, ${failed} failed`].join("\n");
}

/** Gives the exit code: 0 when nothing failed, 2 when the command makes no sense. */
export async function run(args: readonly string[], print: (text: string) => void): Promise<number> {
  let subject: Asked | null;
  try {
    subject = asked(args);
  } catch (error) {
    print(`conformance: ${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  if (subject === null) {
    print(USAGE);
    return 0;
  }
  const judgement = await judge(subject, subject.only);
  print(subject.json ? JSON.stringify(judgement) : table(judgement));
  return judgement.failed === 0 ? 0 : 1;
}
