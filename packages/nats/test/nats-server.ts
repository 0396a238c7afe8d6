// Starts real NATS servers for tests: each on a free port, with its files in a temporary folder.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

const FETCHED = join(import.meta.dirname, "../../../.tmp/nats/nats-server");

/** The server to start: the one that is named, or fetched, or installed. */
function findBinary(): string | null {
  const installed = (process.env["PATH"] ?? "").split(delimiter);
  const places = [
    process.env["NATS_SERVER"],
    FETCHED,
    ...installed.map((folder) => join(folder, "nats-server")),
  ];
  return places.find((place) => place !== undefined && existsSync(place)) ?? null;
}

const BINARY = findBinary();

const MISSING =
  "there is no nats-server: fetch it with `npm run nats:fetch`, or name one by NATS_SERVER";

/**
 * Whether there is no server to test with: `describe.skipIf(isMissing)`. On CI there has to be one.
 */
export const isMissing = BINARY === null;
if (isMissing) {
  if (process.env["CI"] === "true") throw new Error(MISSING);
  process.stderr.write(`Skipped: ${MISSING}\n`);
}

export interface ServerOptions {
  readonly port?: number;
  /** A folder that a server before it has left. */
  readonly folder?: string;
  readonly args?: readonly string[];
  readonly hasJetStream?: boolean;
}

export class NatsServer {
  readonly port: number;
  readonly folder: string;
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;

  private constructor(process: ChildProcess, port: number, folder: string) {
    this.#process = process;
    this.port = port;
    this.folder = folder;
    this.#ended = new Promise((resolve) => process.once("exit", resolve));
  }

  static async start(options: ServerOptions = {}): Promise<NatsServer> {
    const port = options.port ?? (await freePort());
    const folder = options.folder ?? mkdtempSync(join(tmpdir(), "tailwire-nats-"));
    const jetStream = options.hasJetStream === false ? [] : ["-js", "-sd", folder];
    const args = ["-a", "127.0.0.1", "-p", String(port), ...jetStream, ...(options.args ?? [])];
    const child = spawn(BINARY ?? "nats-server", args, { stdio: ["ignore", "ignore", "pipe"] });
    const server = new NatsServer(child, port, folder);
    await readiness(child);
    return server;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** Ends the process. Its files stay, for another one. */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    this.#process.kill(signal);
    await this.#ended;
  }

  /** Ends the process and removes its files. */
  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Settles once the server says that it is ready. */
function readiness(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = "";
    child.stderr?.on("data", (data) => {
      said += String(data);
      if (said.includes("Server is ready")) resolve();
    });
    child.once("exit", () => reject(new Error(`nats-server ended: ${said}`)));
    child.once("error", reject);
  });
}

async function freePort(): Promise<number> {
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, "127.0.0.1", resolve));
  const { port } = holder.address() as AddressInfo;
  await new Promise((resolve) => holder.close(resolve));
  return port;
}
