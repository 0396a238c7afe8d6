/**
 * Where an attack takes place: a server in a process of its own, and the port that it is attacked at.
 * It asks the server what it has paid; it doesn't know what was done to it.
 */
import { type ChildProcess, fork } from "node:child_process";
import type { Limits } from "@tailwire/server";
import type { Paid } from "./meter.ts";

export class Stage {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  /** Starts a server, with limits of its own where they are given. */
  static async set(program: URL, limits: Partial<Limits> = {}): Promise<Stage> {
    // Not as whoever attacks was started: a test runner reads sources where this is built.
    const child = fork(program, [JSON.stringify(limits)], { execArgv: [] });
    return new Stage(child, await heard<number>(child));
  }

  /** The costs so far, which are forgotten. */
  reset(): Promise<Paid> {
    return this.#ask("reset");
  }

  /** The costs since {@link reset}. */
  paid(): Promise<Paid> {
    return this.#ask("paid");
  }

  /** Holds a turn of the server's event loop for so many milliseconds, to see that it is seen. */
  hold(ms: number): Promise<Paid> {
    return this.#ask(ms);
  }

  /** Ends the server. */
  async strike(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill("SIGKILL");
    await gone;
  }

  async #ask(what: "reset" | "paid" | number): Promise<Paid> {
    const answer = heard<Paid>(this.#child);
    this.#child.send(what);
    return answer;
  }
}

/** The next message of a process. @throws Error when it ends instead. */
function heard<Value>(child: ChildProcess): Promise<Value> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => reject(new Error(`the server ended: ${code}`));
    child.once("exit", onExit);
    child.once("message", (value) => {
      child.off("exit", onExit);
      resolve(value as Value);
    });
  });
}
