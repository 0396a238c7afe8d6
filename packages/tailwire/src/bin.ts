#!/usr/bin/env node
/**
 * `npx tailwire`: `start.ts` in a process of its own, because V8 takes the size of its young generation
 * from the command line only, and a shebang line with options isn't understood everywhere.
 */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";

/** Two thirds of the memory per idle connection, and shorter pauses: measured in docs/deployment.md. */
const FLAG = "--max-semi-space-size=4";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Whether the flag is known here, and nobody has chosen another size. */
function takesFlag(): boolean {
  const { versions, execArgv, env } = process;
  if (versions["bun"] !== undefined || versions["deno"] !== undefined) return false;
  return ![...execArgv, env["NODE_OPTIONS"] ?? ""].join(" ").includes("max-semi-space-size");
}

function startAnother(): void {
  const start = fileURLToPath(new URL("start.js", import.meta.url));
  const args = [FLAG, ...process.execArgv, start, ...process.argv.slice(2)];
  // By the channel it notices when this process is gone without a signal.
  const child = spawn(process.execPath, args, { stdio: ["inherit", "inherit", "inherit", "ipc"] });
  for (const signal of SIGNALS) process.on(signal, () => child.kill(signal));
  child.once("error", (error) => {
    console.error(error);
    process.exitCode = 1;
  });
  child.once("exit", (code, signal) => {
    process.exit(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
  });
}

if (takesFlag()) startAnother();
else await import("./start.ts");
