// The example with two servers, run as it is: a server that is killed costs a reader nothing.
import { execFile, execFileSync } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { isMissing, NatsServer } from "./nats-server.ts";

const root = join(import.meta.dirname, "../../..");

beforeAll(() => {
  execFileSync("npx", ["tsc", "-b", "examples/two-nodes"], { cwd: root });
}, 120_000);

async function counted(brokerUrl: string): Promise<Record<string, number>> {
  const program = join(root, "examples/two-nodes/dist/main.js");
  const args = [program, brokerUrl, "--kills", "4", "--json"];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as Record<string, number>;
}

describe.skipIf(isMissing)("two servers", () => {
  test("on NATS are killed in turns, and nothing is missed", async () => {
    const nats = await NatsServer.start();
    onTestFinished(() => nats.remove());
    const counts = await counted(nats.url);
    expect(counts).toMatchObject({ refused: 0, twice: 0, gaps: 0, missed: 0 });
    expect(counts["kills"]).toBe(4);
    expect(counts["delivered"]).toBeGreaterThan(20);
  });
});
