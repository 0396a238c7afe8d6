/** Options of the start command, parsed and checked. Nothing is started here. */
import { parseArgs } from "node:util";
import { TailwireError } from "@tailwire/protocol";
import { packageOf, URL_RULE } from "./broker-at.ts";

export interface StartOptions {
  /** Null: the default port, or any free one where that is taken. */
  readonly port: number | null;
  readonly host: string;
  /** The directory of the logs. Null: the default one. */
  readonly data: string | null;
  /** Whether logs are kept in memory instead. */
  readonly memory: boolean;
  /** The URL of the broker that keeps them instead; null: none. */
  readonly broker: string | null;
  readonly json: boolean;
  readonly help: boolean;
}

export const USAGE = `tailwire: a server for development, with a page to try it on

  npx tailwire                         serve on http://127.0.0.1:3000
  npx tailwire --port 8080 --json      for scripts: one line of JSON when it is ready

  --port <number>   where to listen; 0 takes any free port (default: 3000, or any free one)
  --host <address>  which address to listen on (default: 127.0.0.1, this machine only)
  --data <dir>      where to keep the logs, so that a restart goes on (default: .tailwire/logs)
  --memory          keep the logs in memory, so that a restart begins anew
  --broker <url>    keep the logs in Redis or NATS, for several servers: redis://localhost:6379,
                    nats://localhost:4222
  --json            print one line, {"url", "websocket", "pid"}, and nothing else
  --help            show this

In the repository the same is npm start, with options behind --: npm start -- --port 8080`;

const KNOWN = {
  port: { type: "string" },
  host: { type: "string" },
  data: { type: "string" },
  memory: { type: "boolean" },
  broker: { type: "string" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

/** @throws TailwireError `bad_option`, when an option is unknown or its value makes no sense. */
export function parseOptions(args: readonly string[]): StartOptions {
  const values = valuesOf(args);
  const { port, host = "127.0.0.1", memory = false, json = false, help = false } = values;
  const { data = null, broker = null } = values;
  if (host.trim() === "") throw badOption("--host needs an address, such as 127.0.0.1.");
  if (data?.trim() === "") throw badOption("--data needs a directory, such as ./logs.");
  if (data !== null && memory) throw badOption("--data and --memory exclude each other.");
  if (broker !== null) checkBroker(broker, data !== null || memory);
  const its = { host, data, memory, broker, json, help };
  return { port: port === undefined ? null : portOf(port), ...its };
}

function valuesOf(args: readonly string[]): {
  readonly port?: string;
  readonly host?: string;
  readonly data?: string;
  readonly memory?: boolean;
  readonly broker?: string;
  readonly json?: boolean;
  readonly help?: boolean;
} {
  try {
    return parseArgs({ args: [...args], options: KNOWN, strict: true }).values;
  } catch (error) {
    // Node's own words name the option; what it advises about `--` would mislead here.
    const words = error instanceof Error ? error.message.split(/(?<=[^.])\.? To specify/)[0] : "";
    throw badOption(`${words}.`);
  }
}

function checkBroker(url: string, isElsewhere: boolean): void {
  if (isElsewhere) throw badOption("--broker excludes --data and --memory.");
  if (packageOf(url) === null) throw badOption(URL_RULE);
}

function portOf(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) {
    throw badOption(`--port needs a number from 0 to 65535, not "${text}".`);
  }
  return port;
}

function badOption(words: string): TailwireError {
  const description = `${words} See --help.`;
  return new TailwireError({ code: "bad_option", description, fault: "client", retry: false });
}
