/**
 * The receiver: opens a crowd of connections, and counts their deliveries. The program is
 * `receiver/receiver.c`, which is compiled when it is first needed.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Process } from "./processes.ts";
import type { Subject } from "./subjects.ts";

const SOURCE = fileURLToPath(new URL("../receiver/receiver.c", import.meta.url));
const PROGRAM = fileURLToPath(new URL("../dist/receiver", import.meta.url));

/** The receiver as the reports name it. */
export const RECEIVER = "one process, in C";

/** Compiles the receiver. @throws Error where there is no C compiler. */
export function compileReceiver(): void {
  if (existsSync(PROGRAM) && statSync(PROGRAM).mtimeMs > statSync(SOURCE).mtimeMs) return;
  mkdirSync(fileURLToPath(new URL("../dist", import.meta.url)), { recursive: true });
  try {
    execFileSync("cc", ["-O2", "-o", PROGRAM, SOURCE], { stdio: "inherit" });
  } catch (error) {
    throw new Error("The receiver is a C program: install a C compiler, such as gcc.", {
      cause: error,
    });
  }
}

/** Deliveries to the whole crowd, and their bytes. */
export interface Counted {
  readonly deliveries: number;
  readonly bytes: number;
  readonly seconds: number;
}

export interface Reported extends Counted {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Connections that were lost. */
  readonly gone: number;
  /** Seconds of processor time of the receiver itself, since its start. */
  readonly cpuSeconds: number;
}

let crowds = 0;

export class Receiver {
  readonly #process = new Process("load", PROGRAM, []);
  readonly #subject: Subject;
  /** Part of its clients' names, which makes them unique in the bench. */
  readonly #name: string;
  #opened = 0;

  constructor(subject: Subject) {
    crowds += 1;
    this.#name = `c${crowds}`;
    this.#subject = subject;
  }

  /**
   * Opens connections, all at once, that follow the channels of `channelsOf`. Gives the seconds until
   * the last was ready. @throws Error when one was refused.
   */
  async open(count: number, channelsOf: (index: number) => readonly string[]): Promise<number> {
    const { dialect, port } = this.#subject;
    for (let index = this.#opened; index < this.#opened + count; index += 1) {
      const greeting = dialect.greeting(`${this.#name}-${index}`, channelsOf(index));
      this.#process.say(`greet ${greeting}`);
    }
    const marker = dialect.ready(channelsOf(this.#opened).length > 0);
    this.#process.say(`open ${port} ${count} ${dialect.path} ${dialect.subprotocol} ${marker}`);
    const answer = await this.#process.hear<{ ready: number; gone: number; seconds: number }>();
    if (answer.ready !== count) {
      throw new Error(`${answer.ready} of ${count} connections are ready, ${answer.gone} are lost`);
    }
    if (dialect.path.startsWith("/socket.io")) await this.#join(count, channelsOf);
    this.#opened += count;
    return answer.seconds;
  }

  /** Sends a text on the first `count` connections. Resolves after `expected` deliveries. */
  ask(text: string, count: number, expected: number): Promise<Counted> {
    this.#process.say(`ask 0 ${count} ${expected} ${text}`);
    return this.#process.hear<Counted>();
  }

  /** Asks for a turn on the last connection, and again after each `expected` deliveries, for `ms`. */
  turns(text: string, expected: number, ms: number): Promise<Counted> {
    this.#process.say(`turns ${this.#opened - 1} ${expected} ${ms} ${text}`);
    return this.#process.hear<Counted>();
  }

  /** Publishes on all connections in turn, `rate` a second, for `ms`. Resolves at the end. */
  publish(text: string, rate: number, ms: number): Promise<{ sent: number; refused: number }> {
    this.#process.say(`publish 0 ${this.#opened} ${rate} ${ms} ${text}`);
    return this.#process.hear<{ sent: number; refused: number }>();
  }

  async reset(): Promise<void> {
    this.#process.say("reset");
    await this.#process.hear();
  }

  report(): Promise<Reported> {
    this.#process.say("report");
    return this.#process.hear<Reported>();
  }

  end(): Promise<void> {
    return this.#process.end();
  }

  /** Subscribes after the connect: Socket.IO takes no request before it has answered that. */
  async #join(count: number, channelsOf: (index: number) => readonly string[]): Promise<void> {
    for (let index = this.#opened; index < this.#opened + count; index += 1) {
      const channels = channelsOf(index);
      if (channels.length === 0) continue;
      this.#process.say(`ask ${index} 1 0 42${JSON.stringify(["subscribe", channels])}`);
      await this.#process.hear();
    }
  }
}
