/**
 * Processes that a bench starts: servers on one core and load on another, where `taskset` exists. They
 * read and write lines. This file doesn't know their meaning.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { createInterface } from "node:readline";
import { scheduledOf } from "./scheduled.ts";

/** Milliseconds that a line may take. */
const LINE_MS = 90_000;

/** Milliseconds that a process may take to end after SIGTERM. */
const END_MS = 3_000;

/** Bytes of a page in /proc's numbers. */
const PAGE_BYTES = 4_096;

/** Servers run on the first core, their load on the second. */
export type Core = "server" | "load";

const CORES: Readonly<Record<Core, string>> = { server: "0", load: "1" };

/** Whether each role has a core of its own: there are two, and `taskset` works. */
export const pinned = availableParallelism() > 1 && succeeds("taskset", ["-c", "0", "true"]);

function succeeds(command: string, args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

export class Process {
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  #waiting: ((line: string) => void) | null = null;
  #ended = false;

  constructor(core: Core, command: string, args: readonly string[]) {
    const [program, before] = pinned ? ["taskset", ["-c", CORES[core], command]] : [command, []];
    this.#child = spawn(program, [...before, ...args], { stdio: ["pipe", "pipe", "inherit"] });
    this.#child.on("exit", () => {
      this.#ended = true;
    });
    // A write to a process that has ended fails. `hear` reports that, as it gets no answer.
    this.#child.stdin?.on("error", () => undefined);
    const { stdout } = this.#child;
    if (stdout !== null) createInterface({ input: stdout }).on("line", (line) => this.#take(line));
  }

  /** The program's own id: `taskset` replaces itself by the program. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  say(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  /** The next line of JSON. @throws Error when the process ends, or writes none within 90 s. */
  async hear<Value>(): Promise<Value> {
    const line = this.#lines.shift() ?? (await this.#nextLine());
    return JSON.parse(line) as Value;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends the process, by force if it takes too long. Resolves when it has ended. */
  async end(): Promise<void> {
    if (this.#ended) return;
    const gone = new Promise((resolve) => {
      this.#child.once("exit", resolve);
    });
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), END_MS);
    await gone;
    clearTimeout(timer);
  }

  /** Seconds of processor time, of all its threads. */
  get cpuSeconds(): number {
    return scheduledOf(this.pid).ranSeconds;
  }

  /** Seconds for which its threads would have run, if the core had been free. */
  get waitedSeconds(): number {
    return scheduledOf(this.pid).waitedSeconds;
  }

  /** Bytes of memory that are in use, as the system counts them. */
  get residentBytes(): number {
    const [, pages] = readFileSync(`/proc/${this.pid}/statm`, "utf8").split(" ");
    return Number(pages) * PAGE_BYTES;
  }

  #take(line: string): void {
    if (!line.startsWith("{")) return;
    if (this.#waiting === null) this.#lines.push(line);
    else this.#waiting(line);
  }

  #nextLine(): Promise<string> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        this.#child.off("exit", onExit);
        this.#waiting = null;
      };
      const onExit = (): void => {
        settle();
        reject(new Error(`${this.#child.spawnfile} has ended`));
      };
      const timer = setTimeout(() => {
        settle();
        reject(new Error("nothing was heard for too long"));
      }, LINE_MS);
      this.#waiting = (line) => {
        settle();
        resolve(line);
      };
      this.#child.once("exit", onExit);
    });
  }
}
