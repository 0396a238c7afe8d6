/**
 * The cores' files: what was built of protocol, client and server, and what it was built from. Drivers,
 * the server's shell, the broker on disk, lists of exports, and suites aside. It judges nothing.
 */
import { readdirSync, readFileSync } from "node:fs";
import { SourceMap, type SourceMapPayload } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { charactersRun, coverageOf, type FileCoverage, type ScriptCoverage } from "./coverage.ts";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));

const PACKAGES = ["protocol", "client", "server"] as const;

/** Paths below a package's `src`. */
const ASIDE =
  /^(?:drivers\/|index\.ts$|server(?:-channel)?\.ts$|brokers\/(?:disk|suite)\/|brokers\/contract-suite\.ts$)/;

/**
 * How much of each core file was run, by one list per worker. A file that nobody has loaded was not.
 *
 * @throws Error where a file isn't built.
 */
export function coverageOfCores(
  workers: readonly (readonly ScriptCoverage[])[],
): readonly FileCoverage[] {
  const loads = workers.flat();
  return PACKAGES.flatMap((name) =>
    sourcesOf(name).map((below) => {
      const file = `packages/${name}/src/${below}`;
      const built = `${ROOT}packages/${name}/dist/${below.replace(/\.ts$/, ".js")}`;
      const script = readFileSync(built, "utf8");
      const map = new SourceMap(
        JSON.parse(readFileSync(`${built}.map`, "utf8")) as SourceMapPayload,
      );
      const { href } = pathToFileURL(built);
      const own = loads.filter(({ url }) => url === href);
      const run = charactersRun(script.length, own);
      return coverageOf(file, readFileSync(ROOT + file, "utf8"), script, map, run);
    }),
  ).filter(({ lines }) => lines > 0);
}

function sourcesOf(name: string): readonly string[] {
  const found = readdirSync(`${ROOT}packages/${name}/src`, { encoding: "utf8", recursive: true });
  return found
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path.endsWith(".ts") && !ASIDE.test(path))
    .toSorted();
}
