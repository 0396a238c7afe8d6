/** The client through bundlers, for pages and for Node: each bundle is run, and not only made. */
import { join } from "node:path";
import { type Case, expect } from "../case.ts";
import { run } from "../processes.ts";
import { CLIENT, PAGE_RUNNER, ROUND_TRIPS, SAID } from "../programs.ts";
import { binaryIn, type Stage, write } from "../stage.ts";
import { withBin } from "./bin.ts";

interface Bundler {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly command: readonly [string, ...string[]];
  /** The bundle. */
  readonly output: string;
}

/** `process.env` isn't in a page: each bundler puts the address in as pages' builds do. */
const URL_NAME = "process.env.TAILWIRE_URL";

const VITE_CONFIG = `export default {
  define: { "${URL_NAME}": JSON.stringify(process.env.TAILWIRE_URL) },
  build: { outDir: "vite", rolldownOptions: { input: "client.mjs", output: { entryFileNames: "bundle.mjs" } } },
};
`;

const WEBPACK_CONFIG = `const webpack = require("webpack");
module.exports = {
  mode: "production",
  entry: "./client.mjs",
  target: "web",
  output: { path: __dirname + "/webpack", filename: "bundle.mjs" },
  plugins: [new webpack.DefinePlugin({ "${URL_NAME}": JSON.stringify(process.env.TAILWIRE_URL) })],
};
`;

const BUNDLERS: readonly Bundler[] = [
  {
    name: "esbuild",
    files: {
      "esbuild.cjs": `require("esbuild").buildSync({
  entryPoints: ["client.mjs"], outfile: "esbuild/bundle.mjs", bundle: true, minify: true, format: "esm",
  define: { "${URL_NAME}": JSON.stringify(process.env.TAILWIRE_URL) },
});`,
    },
    command: [process.execPath, "esbuild.cjs"],
    output: "esbuild/bundle.mjs",
  },
  {
    name: "Vite",
    files: { "vite.config.mjs": VITE_CONFIG },
    command: ["vite", "build", "--logLevel", "warn"],
    output: "vite/bundle.mjs",
  },
  {
    name: "webpack",
    files: { "webpack.config.cjs": WEBPACK_CONFIG },
    command: ["webpack", "--config", "webpack.config.cjs"],
    output: "webpack/bundle.mjs",
  },
];

const bundled = (stage: Stage): Promise<string> =>
  stage.project("bundled", ["esbuild", "vite", "webpack", "webpack-cli"]);

export const BUNDLE_CASES: readonly Case[] = [
  ...BUNDLERS.map(({ name, files, command: [program, ...args], output }) => ({
    name: `${name} bundles the client for a page`,
    run: async (stage: Stage): Promise<void> => {
      const project = await bundled(stage);
      write(project, { "client.mjs": CLIENT, "run.mjs": PAGE_RUNNER, ...files });
      await withBin(project, async ({ websocket }) => {
        const path = program === process.execPath ? program : binaryIn(project, program);
        await run(path, args, { cwd: project, env: { TAILWIRE_URL: websocket } });
        const said = await run(process.execPath, ["run.mjs", output], { cwd: project });
        expect(said === SAID, `the bundle said ${JSON.stringify(said)}`);
      });
    },
  })),
  {
    name: "esbuild bundles server and client for Node",
    run: async (stage: Stage): Promise<void> => {
      const project = await bundled(stage);
      write(project, { "all.mjs": ROUND_TRIPS["all.mjs"] });
      // `ws` is CommonJS, and requires Node's own modules.
      const banner =
        'import { createRequire as from } from "node:module"; const require = from(import.meta.url);';
      const args = ["--bundle", "--platform=node", "--format=esm", `--banner:js=${banner}`];
      const output = join("esbuild", "all.mjs");
      await run(binaryIn(project, "esbuild"), ["all.mjs", ...args, `--outfile=${output}`], {
        cwd: project,
      });
      const said = await run(process.execPath, [output], { cwd: project });
      expect(said === SAID, `the bundle said ${JSON.stringify(said)}`);
    },
  },
];
