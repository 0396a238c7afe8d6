/** How tests run: on the sources (no build), in threads, ending in one line of counts. */
import { configDefaults, defineConfig } from "vitest/config";

const conditions = ["tailwire-source", "module", "node", "development|production"];

// oxlint-disable-next-line import/no-default-export -- vitest asks for one
export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: ["tailwire-source", "node"] } },
  test: {
    pool: "threads",
    // One for each core: many tests wait for sockets, and leave a core of their own idle.
    maxWorkers: "100%",
    include: ["packages/*/test/**/*.test.{ts,tsx}", "tools/*/test/**/*.test.ts"],
    // They need servers: npm run test:brokers.
    exclude: [...configDefaults.exclude, "packages/redis/test/**", "packages/nats/test/**"],
    reporters: ["default", "./tools/checks/src/reporter.ts"],
    // A busy machine takes ten times as long as a quiet one. A test that hangs is found all the same.
    testTimeout: 60_000,
  },
});
