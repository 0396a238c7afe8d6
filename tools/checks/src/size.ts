/**
 * Checks what a browser has to load: `node tools/checks/dist/size.js`, from the repository's root;
 * `--record` writes it down, `--modules` says which module has how much of it.
 *
 * It bundles each of {@link LIMITS} from its sources as an application's bundler would, minified and
 * compressed, and without what it stands on.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build, type Rolldown } from "vite";
import { judgeSize, LIMITS, RECORD, type Sized } from "./size-record.ts";

/** Loaded by the application anyway. */
const EXTERNAL: Readonly<Record<Sized, readonly RegExp[]>> = {
  client: [],
  react: [/^react(?:\/|$)/, /^@tailwire\/client$/],
};

/** Its size in bytes. */
async function sizeOf(name: Sized): Promise<number> {
  const built = await build({
    configFile: false,
    logLevel: "silent",
    resolve: { conditions: ["tailwire-source", "browser", "module"] },
    build: {
      write: false,
      target: "es2022",
      modulePreload: false,
      rolldownOptions: {
        input: `packages/${name}/src/index.ts`,
        external: [...EXTERNAL[name]],
        // A library's exports are what an application uses of it; Vite drops those of a page.
        preserveEntrySignatures: "strict",
        output: { comments: false },
      },
    },
  });
  const chunks = ([built].flat() as Rolldown.RolldownOutput[])
    .flatMap(({ output }) => output)
    .filter((file) => file.type === "chunk");
  if (process.argv.includes("--modules")) {
    for (const [path, { renderedLength }] of Object.entries(chunks[0]?.modules ?? {})) {
      console.log(`${String(renderedLength).padStart(7)}  ${path.replace(process.cwd(), "")}`);
    }
  }
  return chunks.reduce((sum, { code }) => sum + gzipSync(code, { level: 9 }).length, 0);
}

const sizes: Partial<Record<Sized, number>> = {};
for (const name of Object.keys(LIMITS) as Sized[]) sizes[name] = await sizeOf(name);
if (process.argv.includes("--record")) {
  const entries = Object.entries(sizes).map(([name, bytes]) => `"${name}": ${bytes}`);
  writeFileSync(RECORD, `{ ${entries.join(", ")} }\n`);
}
const recorded = JSON.parse(readFileSync(RECORD, "utf8")) as Partial<Record<Sized, number>>;
for (const name of Object.keys(LIMITS) as Sized[]) {
  const { passes, lines } = judgeSize(name, sizes[name] ?? 0, recorded[name] ?? Number.NaN);
  for (const line of lines) console.log(line);
  if (!passes) process.exitCode = 1;
}
