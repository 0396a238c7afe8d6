/** Subjects: the servers under measurement. Each measurement starts its own. */
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { type Dialect, dialectOf, SERVER_NAMES, type ServerName } from "./dialects.ts";
import { bunPath, centrifugoPath, hasSocketIo } from "./peers.ts";
import { Process } from "./processes.ts";

/** A server's memory after a garbage collection. */
interface Memory {
  readonly residentBytes: number;
  /** Null for a server that isn't JavaScript. */
  readonly heapBytes: number | null;
}

export interface Subject {
  readonly dialect: Dialect;
  readonly process: Process;
  readonly port: number;
  /** The log's epoch; empty where the server keeps no log. */
  readonly epoch: string;
  memory(): Promise<Memory>;
}

/** Milliseconds of rest for a server that can't collect garbage on request. */
const REST_MS = 1_000;

/** The servers that can be started on this machine. */
export function availableServers(): readonly ServerName[] {
  const here: Readonly<Record<ServerName, boolean>> = {
    tailwire: true,
    ws: true,
    "socket.io": hasSocketIo(),
    bun: bunPath() !== null,
    centrifugo: centrifugoPath() !== null,
  };
  return SERVER_NAMES.filter((name) => here[name]);
}

/** Flags for Node, from the environment: `BENCH_NODE_FLAGS=--cpu-prof` leaves a profile. */
const nodeFlags = (process.env["BENCH_NODE_FLAGS"] ?? "").split(" ").filter(Boolean);

/** Starts a server, with `missed` publications in its log. */
export async function startSubject(name: ServerName, missed = 0): Promise<Subject> {
  if (name === "centrifugo") return startCentrifugo();
  const file = name === "socket.io" ? "socket-io" : name;
  const script = fileURLToPath(new URL(`servers/${file}.js`, import.meta.url));
  const child =
    name === "bun"
      ? new Process("server", bunPath() ?? "bun", [script, `${missed}`])
      : new Process("server", process.execPath, ["--expose-gc", ...nodeFlags, script, `${missed}`]);
  const { port, epoch = "" } = await child.hear<{ port: number; epoch?: string }>();
  return {
    dialect: dialectOf(name),
    process: child,
    port,
    epoch,
    memory: async () => {
      child.signal("SIGUSR2");
      const { rss, heapBytes } = await child.hear<{ rss: number; heapBytes: number }>();
      return { residentBytes: rss, heapBytes };
    },
  };
}

async function startCentrifugo(): Promise<Subject> {
  const port = await freePort();
  const config = ".tmp/peers/centrifugo.json";
  mkdirSync(".tmp/peers", { recursive: true });
  writeFileSync(config, JSON.stringify(centrifugoConfig(port)));
  const child = new Process("server", centrifugoPath() ?? "centrifugo", ["-c", config]);
  await answers(port);
  return {
    dialect: dialectOf("centrifugo"),
    process: child,
    port,
    epoch: "",
    memory: async () => {
      await new Promise((resolve) => setTimeout(resolve, REST_MS));
      return { residentBytes: child.residentBytes, heapBytes: null };
    },
  };
}

function centrifugoConfig(port: number): object {
  return {
    http_server: { address: "127.0.0.1", port },
    client: { insecure: true, allowed_origins: ["*"] },
    channel: {
      without_namespace: { allow_publish_for_client: true },
      namespaces: [{ name: "room", allow_publish_for_client: true }],
    },
    log: { level: "error" },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.listen({ host: "127.0.0.1", port: 0 }, () => {
      const address = probe.address();
      probe.close(() =>
        resolve(typeof address === "object" && address !== null ? address.port : 0),
      );
    });
  });
}

/** Resolves when a server answers on the port. @throws Error when none does within 5 s. */
async function answers(port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    try {
      await fetch(`http://127.0.0.1:${port}/`);
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error(`nobody answers on port ${port}`);
}
