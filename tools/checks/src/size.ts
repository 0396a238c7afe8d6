/**
 * Checks what a browser has to load: `node tools/checks/dist/size.js`, from the repository's root;
 * `--record` writes it down, `--modules` says which module has how much of it.
 *
 * It bundles `@tailwire/client` from its sources as an application's bundler would, minified and
 * compressed.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build, type Rolldown } from "vite";
import { judgeSize, RECORD } from "./size-record.ts";

const built = await build({
  configFile: false,
  logLevel: "silent",
  resolve: { conditions: ["tailwire-source", "browser", "module"] },
  build: {
    write: false,
    target: "es2022",
    modulePreload: false,
    rolldownOptions: {
      input: "packages/client/src/index.ts",
      // A library's exports are what an application uses of it; Vite drops those of a page.
      preserveEntrySignatures: "strict",
      output: { comments: false },
    },
  },
});
const chunks = ([built].flat() as Rolldown.RolldownOutput[])
  .flatMap(({ output }) => output)
  .filter((file) => file.type === "chunk");
const bytes = chunks.reduce((sum, { code }) => sum + gzipSync(code, { level: 9 }).length, 0);

if (process.argv.includes("--modules")) {
  for (const [name, { renderedLength }] of Object.entries(chunks[0]?.modules ?? {})) {
    console.log(`${String(renderedLength).padStart(7)}  ${name.replace(process.cwd(), "")}`);
  }
}
if (process.argv.includes("--record")) {
  writeFileSync(RECORD, `{ "client": ${bytes} }\n`);
}
const { client = Number.NaN } = JSON.parse(readFileSync(RECORD, "utf8")) as { client?: number };
const { passes, lines } = judgeSize(bytes, client);
for (const line of lines) console.log(line);
process.exitCode = passes ? 0 : 1;
