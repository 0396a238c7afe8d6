/**
 * Checks what a browser has to load: `node tools/checks/dist/size.js`, from the repository's root.
 *
 * It bundles `@tailwire/client` from its sources as an application's bundler would, and fails when
 * that is over the limit once minified and compressed.
 */
import { gzipSync } from "node:zlib";
import { build, type Rolldown } from "vite";

/** What a browser may have to load, in bytes, and what it is to come to. */
const LIMIT = 12_288;
const GOAL = 8_192;

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
console.log(`size: ${bytes} bytes of ${LIMIT} (goal ${GOAL}): @tailwire/client, gzipped`);
process.exitCode = bytes > 0 && bytes <= LIMIT ? 0 : 1;
