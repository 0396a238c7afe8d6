/** How tests in a real browser run: one after the other, since each has a machine to itself. */
import { defineConfig } from "vitest/config";

const conditions = ["tailwire-source", "module", "node", "development|production"];

/** A project of this configuration, to be named on the command line. */
function project(name: string, include: string) {
  return {
    resolve: { conditions },
    ssr: { resolve: { conditions, externalConditions: ["tailwire-source", "node"] } },
    test: {
      name,
      include: [include],
      globalSetup: "./packages/tailwire/test/browser/setup.ts",
      testTimeout: 300_000,
      hookTimeout: 120_000,
    },
  };
}

// oxlint-disable-next-line import/no-default-export -- vitest asks for one
export default defineConfig({
  test: {
    fileParallelism: false,
    reporters: ["verbose", "./tools/checks/src/reporter.ts"],
    projects: [
      project("browser", "packages/tailwire/test/browser/*.browser.ts"),
      project("screenshots", "packages/tailwire/test/browser/screenshots.ts"),
    ],
  },
});
