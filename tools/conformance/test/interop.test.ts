// Other WebSocket implementations than npm's `ws` talk to the real server: undici's, which is what
// Node 22 and later bring, and Python's `websockets`, where this machine has it. CI always does.
import { execFileSync, spawn } from "node:child_process";
import { WebSocket } from "undici";
import { expect, test } from "vitest";
import { serve } from "./support.ts";

const HELLO = {
  type: "hello",
  id: "i.1",
  timestamp: 1,
  session: "interop-interop-1",
  generation: 1,
  client: { name: "interop", version: "1" },
};
const CHANNEL = { channel: "room:interop", timestamp: 1 };
/** Hello, a subscribe and a publish, in one WebSocket message. */
const SAID = [
  HELLO,
  { type: "subscribe", id: "i.2", ...CHANNEL, start: "latest" },
  { type: "publish", id: "i.3", ...CHANNEL, event: "said", sequence: 1, settled: 0, data: "grüße" },
]
  .map((message) => `${JSON.stringify(message)}\n`)
  .join("");

interface Told {
  readonly type: string;
  readonly data?: unknown;
}

function lines(text: string): Told[] {
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Told);
}

/** Checks messages that everybody is told, in whatever order answers come. */
function checkTold(told: readonly Told[]): void {
  expect(told.find(({ type }) => type === "welcome")).toBe(told[0]);
  expect(told.filter(({ type }) => type === "ack")).toHaveLength(2);
  expect(told.find(({ type }) => type === "publication")?.data).toBe("grüße");
}

test("Node's own WebSocket follows and publishes", async () => {
  const { url } = await serve();
  const told: Told[] = [];
  // It can send no headers, so the token is an offer.
  const ws = new WebSocket(url, ["tailwire.v1.json", "tailwire.bearer.dGVzdGVy"]);
  ws.addEventListener("open", () => ws.send(SAID));
  await new Promise<void>((resolve, reject) => {
    ws.addEventListener("error", () => reject(new Error("the socket failed")));
    ws.addEventListener("message", ({ data }) => {
      told.push(...lines(String(data)));
      const acks = told.filter(({ type }) => type === "ack").length;
      if (acks === 2 && told.some(({ type }) => type === "publication")) resolve();
    });
  });
  expect(ws.protocol).toBe("tailwire.v1.json");
  ws.close();
  checkTold(told);
});

const PYTHON = `
import asyncio, json, sys, websockets
async def main():
    offers = ["tailwire.v1.json", "tailwire.bearer.dGVzdGVy"]
    async with websockets.connect(sys.argv[1], subprotocols=offers) as ws:
        await ws.send(sys.argv[2])
        told = []
        while [m["type"] for m in told].count("ack") < 2 or not any(m["type"] == "publication" for m in told):
            told += [json.loads(line) for line in (await asyncio.wait_for(ws.recv(), 10)).split("\\n") if line]
        print("\\n".join(json.dumps(m) for m in told))
asyncio.run(main())
`;

/** A Python that has it: Debian's own, or the first one on the path. */
const python = ["/usr/bin/python3", "python3"].find((program) => {
  try {
    execFileSync(program, ["-c", "import websockets"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
});
const mayMiss = python === undefined && process.env["CI"] !== "true";
const why = mayMiss ? " (skipped: this machine has no Python with it)" : "";

test.skipIf(mayMiss)(`Python's websockets follows and publishes${why}`, async () => {
  const { url } = await serve();
  const program = spawn(python ?? "python3", ["-c", PYTHON, url, SAID], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let printed = "";
  program.stdout.on("data", (chunk: Buffer) => (printed += chunk.toString()));
  await new Promise((resolve) => program.once("close", resolve));
  checkTold(lines(printed));
});
