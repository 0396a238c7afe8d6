// Real servers for tests: each on a free port, in a temporary folder, ended by its process id.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

/** Programs to test with: those on the path, and those that `REDIS_SERVERS` names, by commas. */
const PROGRAMS = [
  "redis-server",
  "valkey-server",
  ...(process.env["REDIS_SERVERS"] ?? "").split(",").filter((name) => name !== ""),
].filter(isInstalled);

function isInstalled(program: string): boolean {
  try {
    execFileSync(program, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Runs the tests with each server that is installed. Without any they are skipped, or fail in CI. */
export function withServers(define: (program: string) => void): void {
  const isExcused = PROGRAMS.length === 0 && process.env["CI"] !== "true";
  test.skipIf(isExcused)("redis-server or valkey-server is on the path", () => {
    expect(PROGRAMS).not.toEqual([]);
  });
  describe.each(PROGRAMS)("%s", (program) => {
    define(program);
  });
}

export class RedisServer {
  readonly url: string;
  readonly port: number;
  readonly #program: string;
  readonly #folder: string;
  readonly #args: readonly string[];
  #process: ChildProcess | null = null;

  private constructor(program: string, port: number, args: readonly string[]) {
    this.#program = program;
    this.#args = args;
    this.port = port;
    this.url = `redis://127.0.0.1:${port}`;
    this.#folder = mkdtempSync(join(tmpdir(), "tailwire-redis-"));
  }

  static async start(program: string, ...args: readonly string[]): Promise<RedisServer> {
    const server = new RedisServer(program, await freePort(), args);
    await server.start();
    return server;
  }

  /** Starts it again, on the same port and in the same folder. */
  async start(): Promise<void> {
    const args = ["--port", String(this.port), "--dir", this.#folder, "--bind", "127.0.0.1"];
    const quick = ["--save", "", "--repl-diskless-sync-delay", "0"];
    this.#process = spawn(this.#program, [...args, ...quick, ...this.#args], { stdio: "ignore" });
    await retried(async () => {
      if (this.#process?.exitCode !== null) throw new Error(`${this.#program} has ended`);
      const answer = await this.command("PING");
      if (/LOADING|MASTERDOWN/.test(answer)) throw new Error(answer);
    });
  }

  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (child === null || child.exitCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  }

  /** Ends it, and removes what it wrote. */
  async end(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Sends a line, and gives the answer as it comes. */
  async command(line: string): Promise<string> {
    const socket = connect(this.port, "127.0.0.1");
    try {
      await once(socket, "connect");
      socket.write(`${line}\r\n`);
      const [answer] = (await once(socket, "data")) as [Buffer];
      return answer.toString();
    } finally {
      socket.destroy();
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

const RETRY_MS = 20;
const PATIENCE_MS = 50_000;

/** The outcome of the first attempt that succeeds. @throws Error the last one, after a long time. */
export async function retried<Value>(attempt: () => Value | Promise<Value>): Promise<Value> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => {
        setTimeout(resolve, RETRY_MS); // real time: a server of its own
      });
    }
  }
}

/** Waits for a condition. @throws Error where it doesn't come to hold. */
export function until(condition: () => boolean): Promise<void> {
  return retried(() => {
    if (!condition()) throw new Error(`it never came to hold: ${String(condition)}`);
  });
}
