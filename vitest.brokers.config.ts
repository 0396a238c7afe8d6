/** How tests of brokers run: with the servers that are installed, and failing in CI where none is. */
import { configDefaults, defineConfig } from "vitest/config";
import base from "./vitest.config.ts";

const include = ["packages/redis/test/**/*.test.ts", "packages/nats/test/**/*.test.ts"];
const { exclude } = configDefaults;

// oxlint-disable-next-line import/no-default-export -- vitest asks for one
export default defineConfig({
  ...base,
  // One file after the other: cases on a simulated clock wait for servers that have to answer soon.
  test: { ...base.test, include, exclude, fileParallelism: false },
});
