/** The judge's command: what it is asked for, and how it tells the verdicts. */
import { parseArgs } from "node:util";
import { CLAUSES } from "./clauses.ts";
import { judgeClient } from "./clients/client-judge.ts";
import { programOf } from "./clients/program.ts";
import { type ClauseVerdict, judge, type Judgement } from "./judge.ts";
import type { Subject } from "./stage.ts";

const USAGE = `npm run conformance -- <url> [options]
npm run conformance -- --client [options] -- <command>

Judges a tailwire server, clause by clause, by speaking PROTOCOL.md at it; or a client, by being a
server to the program that the command starts (docs/conformance.md says what that has to do).

  <url>             such as ws://127.0.0.1:3000/tailwire
  --client          judge a client: the URL is added to its command
  --token <name>    whom to come as; <name>-2 is the second user (default: conformance)
  --channel <name>  a pattern with {id} that anybody may use (default: room:{id})
  --slow            also judge what takes minutes
  --only <ids>      judge these clauses only, such as SUB-4,DEL-3
  --json            print one line of JSON, {"passed", "failed", "clauses"}, and nothing else
  --help            show this`;

const OPTIONS = {
  client: { type: "boolean", default: false },
  token: { type: "string", default: "conformance" },
  channel: { type: "string", default: "room:{id}" },
  only: { type: "string" },
  slow: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

interface Asked {
  readonly json: boolean;
  readonly judge: () => Promise<Judgement>;
}

/** Null: for help. @throws Error with words for the person, when the command makes no sense. */
function asked(args: readonly string[]): Asked | null {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: OPTIONS,
    allowPositionals: true,
  });
  const [first = "", ...more] = positionals;
  const { json, help } = values;
  const only = values.only?.split(",") ?? CLAUSES;
  const unknown = only.find((id) => !CLAUSES.includes(id));
  if (unknown !== undefined) throw new Error(`There is no clause ${unknown}, or it is planned.`);
  if (help) return null;
  if (values.client) {
    if (first === "") throw new Error("Give the command that starts the client, behind --.");
    return { json, judge: () => judgeClient(programOf(first, more), only) };
  }
  const subject = subjectOf(first, values);
  if (more.length > 0) throw new Error("Give one URL and no more.");
  return { json, judge: () => judge(subject, only) };
}

function subjectOf(url: string, { token, channel, slow }: Omit<Subject, "url">): Subject {
  if (!/^wss?:\/\//.test(url) || !URL.canParse(url)) {
    throw new Error("Give one URL, such as ws://127.0.0.1:3000/tailwire.");
  }
  if (!channel.includes("{id}")) throw new Error("--channel needs {id}, as in room:{id}.");
  return { url, token, channel, slow };
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
  let wanted: Asked | null;
  try {
    wanted = asked(args);
  } catch (error) {
    print(`conformance: ${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  if (wanted === null) {
    print(USAGE);
    return 0;
  }
  const judgement = await wanted.judge();
  print(wanted.json ? JSON.stringify(judgement) : table(judgement));
  return judgement.failed === 0 ? 0 : 1;
}
