/** `npx tailwire`: it starts, serves the page with all that the page loads, and ends when told to. */
import { type Case, expect } from "../case.ts";
import { Running, run } from "../processes.ts";
import { binaryIn, type Stage, write } from "../stage.ts";

interface Ready {
  readonly url: string;
  readonly websocket: string;
  readonly pid: number;
}

/** The bin, until the work with it is done. It has to end by SIGTERM, with 0, and its server too. */
export async function withBin(
  project: string,
  work: (ready: Ready) => Promise<void>,
): Promise<void> {
  const bin = new Running(binaryIn(project, "tailwire"), ["--port", "0", "--json"], {
    cwd: project,
  });
  try {
    const [line] = await bin.says(/^\{.*\}\n/);
    const ready = JSON.parse(line) as Ready;
    await work(ready);
    const { code, signal } = await bin.stop();
    expect(code === 0, `SIGTERM ended it with ${code ?? signal}`);
    expect(!isAlive(ready.pid), "its server outlives it");
  } finally {
    await bin.stop("SIGKILL");
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Everything that the page loads, by its references and by modules' imports. */
async function crawl(url: string): Promise<ReadonlyMap<string, string>> {
  const seen = new Map<string, string>();
  const left = [new URL("/", url).href];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    if (seen.has(next)) continue;
    const response = await fetch(next);
    expect(response.ok, `${next}: ${response.status}`);
    const text = await response.text();
    seen.set(next, text);
    const map = importMapOf(seen.get(new URL("/", url).href) ?? "");
    for (const reference of referencesIn(text, next)) {
      const target = map.get(reference) ?? reference;
      if (/^[./]/.test(target)) left.push(new URL(target, next).href);
    }
  }
  return seen;
}

function importMapOf(html: string): ReadonlyMap<string, string> {
  const json = /<script type="importmap">([\s\S]*?)<\/script>/.exec(html)?.[1];
  if (json === undefined) return new Map();
  const { imports } = JSON.parse(json) as { readonly imports: Readonly<Record<string, string>> };
  return new Map(Object.entries(imports));
}

function referencesIn(text: string, url: string): readonly string[] {
  const pattern = url.endsWith(".js")
    ? /(?:\bfrom|^import)\s*"([^"]+)"/gm
    : /(?:src|href)="([^"]+\.(?:js|css|svg))"/g;
  return [...text.matchAll(pattern)].map(([, reference = ""]) => reference);
}

const TALKS = `import { createClient } from "tailwire/client";
const client = createClient(process.argv[2], { getToken: () => "ada" });
const room = client.channel("room:{id}", { id: "7" });
console.log((await room.publish("message", "hello")).position.offset);
await client.close();
`;

export const BIN_CASES: readonly Case[] = [
  {
    name: "npx tailwire starts, serves its page and ends by SIGTERM",
    run: async (stage: Stage): Promise<void> => {
      const project = await stage.project("plain");
      write(project, { "talks.mjs": TALKS });
      await withBin(project, async ({ url, websocket }) => {
        const files = await crawl(url);
        expect(files.size > 20, `the page loads ${files.size} files: ${[...files.keys()].join()}`);
        await run(process.execPath, ["talks.mjs", websocket], { cwd: project });
      });
    },
  },
  {
    name: "npx tailwire --help names npx tailwire",
    run: async (stage: Stage): Promise<void> => {
      const project = await stage.project("plain");
      const words = await run("npx", ["tailwire", "--help"], { cwd: project });
      expect(words.includes("npx tailwire --port"), words);
    },
  },
];
