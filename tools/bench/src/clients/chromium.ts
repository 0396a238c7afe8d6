/**
 * A page in Chromium that receives a fixed number of publications. This program starts the browser,
 * serves the page, and prints the seconds, and the processor time of all the browser's processes.
 *
 * It doesn't use the developer tools' protocol: they hear of every message, which costs more than
 * the client does.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { CHANNEL } from "../payload.ts";
import { scheduledOf } from "../scheduled.ts";
import { WARM_UP } from "./warm-up.ts";

const [, , kind = "tailwire", url = "", enough = "0"] = process.argv;

const ARGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const { resolve } = createRequire(import.meta.url);

/** Folders of modules, by the beginning of the paths that the page asks for. */
const MODULES: Readonly<Record<string, string>> = {
  "/client/": dirname(resolve("@tailwire/client")),
  "/protocol/": dirname(resolve("@tailwire/protocol")),
};

const IMPORTS = {
  "@tailwire/client": "/client/index.js",
  "@tailwire/protocol": "/protocol/index.js",
  "#driver": "/client/drivers/browser.js",
  "#words": "/protocol/words-short.js",
};

/** The page's code that receives publications, by the kind of client. */
const TAKES: Readonly<Record<string, string>> = {
  tailwire: `
    import { createClient } from "@tailwire/client";
    createClient(url).channel("${CHANNEL}").subscribe().on("message", take);`,
  ws: `
    const socket = new WebSocket(url);
    socket.onopen = () => socket.send('{"type":"subscribe","id":"1"}');
    socket.onmessage = ({ data }) => {
      for (const line of data.split("\\n"))
        if (line !== "" && JSON.parse(line).type === "publication") take();
    };`,
};

const PAGE = `<!doctype html>
<script type="importmap">${JSON.stringify({ imports: IMPORTS })}</script>
<script type="module">
  const url = "${url}";
  let taken = 0;
  const take = () => {
    taken += 1;
    if (taken === ${WARM_UP}) fetch("/began");
    if (taken === ${WARM_UP + Number(enough)}) fetch("/enough");
  };
  ${TAKES[kind] ?? ""}
</script>`;

/** Seconds of processor time of a process and of all its descendants. */
function cpuSecondsOf(pid: number): number {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    const parent = /^\d+$/.test(name) ? parentOf(Number(name)) : null;
    if (parent !== null) parents.set(Number(name), parent);
  }
  const family = [...parents.keys()].filter((one) => {
    let at: number | undefined = one;
    while (at !== undefined && at !== pid) at = parents.get(at);
    return at === pid;
  });
  return family.reduce((seconds, one) => seconds + scheduledOf(one).ranSeconds, 0);
}

function parentOf(pid: number): number | null {
  try {
    // The field before it, the name, may have spaces and brackets: it ends with the last bracket.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1) ?? "";
    return Number(fields.split(" ")[1]);
  } catch {
    return null;
  }
}

function fileOf(path: string): string | null {
  const [at, folder] = Object.entries(MODULES).find(([start]) => path.startsWith(start)) ?? [];
  if (at === undefined || folder === undefined || path.includes("..")) return null;
  return join(folder, path.slice(at.length));
}

let browser: ChildProcess | null = null;
let began = 0;
let cpuBefore = 0;

function note(path: string): void {
  const cpu = cpuSecondsOf(browser?.pid ?? 0);
  if (path === "/began") {
    began = performance.now();
    cpuBefore = cpu;
  } else if (path === "/enough") {
    const seconds = (performance.now() - began) / 1_000;
    console.log(JSON.stringify({ seconds, cpuSeconds: cpu - cpuBefore }));
  }
}

const server = createServer(({ url: path = "/" }, response) => {
  note(path);
  const file = fileOf(path);
  const type = file === null ? "text/html" : "text/javascript";
  response.writeHead(200, { "content-type": type });
  response.end(file === null ? PAGE : readFileSync(file));
});

const chromium = spawnSync("sh", ["-c", "command -v chromium"], { encoding: "utf8" }).stdout.trim();
if (chromium === "") throw new Error("There is no `chromium` on this machine.");
const profile = mkdtempSync(join(tmpdir(), "tailwire-bench-"));
server.listen({ host: "127.0.0.1", port: 0 }, () => {
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const args = [...ARGS, `--user-data-dir=${profile}`, `http://127.0.0.1:${port}/`];
  // A process group, to end them all: on some systems `chromium` is a script that starts the browser.
  browser = spawn(chromium, args, { stdio: "ignore", detached: true });
});

process.on("SIGTERM", () => {
  const gone = (): void => {
    rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    process.exit(0);
  };
  if (browser?.pid === undefined) return gone();
  browser.once("close", gone);
  process.kill(-browser.pid, "SIGKILL");
});
