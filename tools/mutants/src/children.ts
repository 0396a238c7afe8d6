/**
 * Children: programs that trials run in, each in a process group of its own, so that nothing is left
 * of one when it is ended. It doesn't know what they try.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

export interface ChildOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** How long it may print nothing before it counts as having no end, in milliseconds. */
  readonly silentMs: number;
}

/** How a program ended. */
export interface Ended {
  /** The last line that it printed. */
  readonly last: string;
  readonly code: number | null;
  /** It was ended because it printed nothing any more. */
  readonly isStuck: boolean;
  /** Its standard error. */
  readonly complaint: string;
}

const running = new Set<ChildProcess>();

/** Runs a script on this Node until it ends, or is stuck. */
export function runScript(args: readonly string[], options: ChildOptions): Promise<Ended> {
  const { cwd, env, silentMs } = options;
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  running.add(child);
  let last = "";
  let complaint = "";
  let isStuck = false;
  const deadline = setTimeout(() => {
    isStuck = true;
    end(child);
  }, silentMs);
  createInterface({ input: child.stdout }).on("line", (line) => {
    last = line;
    deadline.refresh();
  });
  child.stderr.on("data", (chunk: Buffer) => (complaint += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      clearTimeout(deadline);
      running.delete(child);
      resolve({ last, code, isStuck, complaint });
    });
  });
}

/** Ends all that still run. */
export function endChildren(): void {
  for (const child of running) end(child);
}

function end({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}
