/** Other programs, run to their end or kept running for a while. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

export interface Place {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Outcome {
  /** Everything on its standard output. */
  readonly out: string;
  /** The same with its standard error, as it came. */
  readonly all: string;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** How long any program may take, in milliseconds: one that hangs is a failure, and not a hung CI. */
const DEADLINE_MS = 240_000;

/** Node's and npm's settings of the process that runs this aren't the new user's. */
function environment({ env }: Place): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(
    ([name]) =>
      !/^(?:npm_(?:package|lifecycle|command)|NODE_OPTIONS$|NODE_ENV$|INIT_CWD$)/.test(name),
  );
  return { ...Object.fromEntries(own), ...env };
}

/** A program that runs; whoever starts it stops it. */
export class Running {
  readonly #child: ChildProcess;
  readonly #ended: Promise<Outcome>;
  #out = "";
  #all = "";

  constructor(command: string, args: readonly string[], place: Place) {
    this.#child = spawn(command, args, {
      cwd: place.cwd,
      env: environment(place),
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child.stdout?.on("data", (chunk: Buffer) => {
      this.#out += chunk.toString();
      this.#all += chunk.toString();
    });
    this.#child.stderr?.on("data", (chunk: Buffer) => (this.#all += chunk.toString()));
    this.#ended = this.#end();
    // It may end badly before anybody waits for it.
    this.#ended.catch(() => undefined);
  }

  /** Everything that it has printed so far. */
  get said(): string {
    return this.#all;
  }

  /** Its outcome. @throws Error when it couldn't be started. */
  get ended(): Promise<Outcome> {
    return this.#ended;
  }

  /** Resolves with the match, when its standard output has one. @throws Error when it ends before. */
  async says(words: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = words.exec(this.#out);
      if (match !== null) return match;
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        throw new Error(`it has ended without having said ${String(words)}\n${this.#all}`);
      }
      const stdout = this.#child.stdout;
      if (stdout === null) throw new Error("it has no standard output");
      await Promise.race([once(stdout, "data"), this.#ended]);
    }
  }

  /** Asks it to end, and gives its outcome. */
  stop(signal: NodeJS.Signals = "SIGTERM"): Promise<Outcome> {
    this.#child.kill(signal);
    return this.#ended;
  }

  async #end(): Promise<Outcome> {
    const timer = setTimeout(() => {
      this.#all += `\nit was killed after ${DEADLINE_MS} ms`;
      this.#child.kill("SIGKILL");
    }, DEADLINE_MS);
    try {
      const [code, signal] = (await once(this.#child, "close")) as [
        number | null,
        NodeJS.Signals | null,
      ];
      return { out: this.#out, all: this.#all, code, signal };
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Runs a program to its end, and gives its standard output. @throws Error when it doesn't end with 0. */
export async function run(command: string, args: readonly string[], place: Place): Promise<string> {
  const { out, all, code, signal } = await new Running(command, args, place).ended;
  if (code === 0) return out;
  throw new Error(`${command} ${args.join(" ")}: ended with ${code ?? signal}\n${all.trim()}`);
}
