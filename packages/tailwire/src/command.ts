/** The start command: options in, a running server out, and what the person is told meanwhile. */
import { TailwireError, wordsOf } from "@tailwire/protocol";
import { brokerAt, shownUrl } from "./broker-at.ts";
import { defaultDirectory } from "./data-directory.ts";
import { DEFAULT_PORT } from "./listen.ts";
import { parseOptions, type StartOptions, USAGE } from "./options.ts";
import { type Standalone, startStandalone } from "./standalone.ts";

/** Runs until a signal comes. An error before that ends the process with 1. */
export async function run(args: readonly string[]): Promise<void> {
  try {
    const options = parseOptions(args);
    if (options.help) return console.log(USAGE);
    const standalone = await started(options);
    // Before anybody is told that it is ready, it has to know how to end.
    closeOnSignal(standalone);
    console.log(options.json ? jsonLine(standalone) : announcement(standalone, options));
  } catch (error) {
    console.error(error instanceof TailwireError ? `tailwire: ${error.message}` : error);
    process.exitCode = 1;
  }
}

/**
 * Starts with logs on disk. The default directory is nobody's wish, so memory will do where it can't be
 * had: another server uses it, or the disk can't be written.
 */
async function started({ port, host, data, memory, broker }: StartOptions): Promise<Standalone> {
  const place = { port, host };
  if (broker !== null) return startStandalone({ ...place, broker: await brokerAt(broker) });
  if (memory) return startStandalone(place);
  if (data !== null) return startStandalone({ ...place, data });
  try {
    return await startStandalone({ ...place, data: defaultDirectory() });
  } catch (error) {
    if (!isPassing(error)) throw error;
    console.error(`tailwire: ${wordsOf(error)} Logs are kept in memory this time.`);
    return startStandalone(place);
  }
}

const PASSING: readonly unknown[] = ["directory_in_use", "directory_failed"];

/** Whether an error is about a directory, and not about what is in it. */
function isPassing(error: unknown): boolean {
  if (error instanceof TailwireError) return PASSING.includes(error.code);
  return error instanceof Error && "syscall" in error;
}

function closeOnSignal(standalone: Standalone): void {
  let closing = false;
  const close = (): void => {
    // A terminal and npm may both pass the signal on. Closing is quick, and has a deadline.
    if (closing) return;
    closing = true;
    standalone.close().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  process.on("SIGINT", close);
  process.on("SIGTERM", close);
  // The process that `npx tailwire` started this one from is gone.
  process.on("disconnect", close);
}

function jsonLine({ url, websocket }: Standalone): string {
  return JSON.stringify({ url, websocket, pid: process.pid });
}

function announcement(standalone: Standalone, options: StartOptions): string {
  const { url, websocket, port, loopbackOnly, data } = standalone;
  const moved =
    options.port === null && port !== DEFAULT_PORT
      ? [`  Port ${DEFAULT_PORT} is taken, so this is ${port}.`, ""]
      : [];
  const logs = options.broker === null ? (data ?? "in memory") : `at ${shownUrl(options.broker)}`;
  const reach = loopbackOnly
    ? "Nobody but this machine can reach it."
    : "Whoever can reach this machine can use it, under any name.";
  return [
    "",
    `  page       ${url}`,
    `  websocket  ${websocket}`,
    `  logs       ${logs}`,
    "",
    ...moved,
    "  For development: any token is the user's name; everybody may publish to and follow",
    `  room:{id} and demo:{id}. ${reach}`,
    "  In a program of yours, after `npm install tailwire`:",
    "",
    ...programFor(websocket).map((line) => (line === "" ? "" : `    ${line}`)),
    "",
    "  Ctrl+C stops it.",
    "",
  ].join("\n");
}

/** A program that talks to this server, whole. */
function programFor(websocket: string): readonly string[] {
  return [
    'import { createClient } from "tailwire/client";',
    "",
    `const client = createClient("${websocket}", { getToken: () => "ada" });`,
    'const room = client.channel("room:{id}", { id: "7" });',
    'room.subscribe({ start: "earliest" }).on("message", ({ data, publisher }) => {',
    '  console.log(publisher, "says", data);',
    "});",
    'await room.publish("message", { text: "hello" });',
  ];
}
