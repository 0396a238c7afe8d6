/** Programs on each runtime: Node's versions by `import` and by `require`, Bun and Deno. */
import { type Case, expect } from "../case.ts";
import { run } from "../processes.ts";
import { MSGPACK, ROUND_TRIPS, SAID } from "../programs.ts";
import { type Stage, write } from "../stage.ts";

interface Runtime {
  readonly name: string;
  /** The command, up to the file. @throws Skipped. */
  readonly command: (stage: Stage) => Promise<readonly [string, ...string[]]>;
}

/** The Node that runs this, or one of another version: packages that are a binary need no script. */
function node(major: 20 | 22 | 24): Runtime {
  return {
    name: `Node ${major}`,
    command: async (stage) => {
      if (process.versions.node.startsWith(`${major}.`)) return [process.execPath];
      return [await stage.binary(`node-${major}`, `node-${major}`, "bin/node")];
    },
  };
}

const RUNTIMES: readonly Runtime[] = [
  node(20),
  node(22),
  node(24),
  {
    name: "Bun",
    command: async (stage) => [await stage.binary("bun", "@oven/bun-linux-x64", "bin/bun")],
  },
  {
    name: "Deno",
    command: async (stage) => [
      await stage.binary("deno", "@deno/linux-x64-glibc", "deno"),
      "run",
      "--allow-all",
    ],
  },
];

const FILES = { ...ROUND_TRIPS, "msgpack.mjs": MSGPACK };

export const RUNTIME_CASES: readonly Case[] = RUNTIMES.flatMap(({ name, command }) =>
  Object.keys(FILES).map((file) => ({
    name: `${name} runs ${file}`,
    run: async (stage: Stage): Promise<void> => {
      const [program, ...args] = await command(stage);
      const project = await stage.project("plain");
      write(project, FILES);
      const said = await run(program, [...args, file], { cwd: project });
      expect(said === SAID, `it said ${JSON.stringify(said)}`);
    },
  })),
);
