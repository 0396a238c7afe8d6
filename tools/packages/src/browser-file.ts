/**
 * Makes `tailwire/client.min.js`, the client for a page without a bundler: one minified module, bundled
 * from packages/tailwire/dist as an application's bundler would. npm runs it before it packs.
 */
import { fileURLToPath } from "node:url";
import { build } from "vite";

const dist = fileURLToPath(new URL("../../../packages/tailwire/dist/", import.meta.url));

await build({
  configFile: false,
  logLevel: "warn",
  resolve: { conditions: ["browser", "module"] },
  build: {
    outDir: dist,
    // Everything else in there is tsc's.
    emptyOutDir: false,
    copyPublicDir: false,
    target: "es2022",
    modulePreload: false,
    rolldownOptions: {
      input: `${dist}client.js`,
      preserveEntrySignatures: "strict",
      output: { entryFileNames: "client.min.js", comments: false },
    },
  },
});
