/** A program whose client is closed ends, whatever the client was doing: as a process of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { TailwireError } from "@tailwire/protocol";
import { createTailwire } from "@tailwire/server";
import { createServer as createHttpServer } from "node:http";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { build, packageFolder } from "./support.ts";

beforeAll(build, 60_000);

/** Less than any wait of a client but that for a close to be answered, in milliseconds. */
const SOON_MS = 4_500;

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => sockets.add(socket));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

/** How long a program lives on after its client is closed, by its own clock. */
async function outlives(port: number, getToken: string, lead: string): Promise<number> {
  const program = `
    import { createClient } from "@tailwire/client";
    const client = createClient("ws://127.0.0.1:${port}/tailwire", { getToken: ${getToken} });
    const room = client.channel("room:1");
    room.subscribe();
    ${lead}
    process.stdin.once("data", async () => {
      process.stdin.unref();
      await client.close();
      const closedAt = performance.now();
      process.on("exit", () => console.log(performance.now() - closedAt));
    });
    console.error("ready");`;
  const args = ["--input-type=module", "-e", program];
  const child = spawn(process.execPath, args, { cwd: packageFolder });
  onTestFinished(() => void child.kill("SIGKILL"));
  const printed = text(child.stdout);
  await once(child.stderr, "data");
  child.stdin.write("close\\n");
  await once(child, "exit");
  return Number(await printed);
}

/** Until it is at work. */
const BEGIN = "await new Promise((resolve) => client.onStatus(resolve));";

const TOKEN = '() => "ada"';

test("while it asks for a token, waits for an upgrade, or for the next attempt", async () => {
  const mute = await listen(createServer());
  const gone = createServer();
  const free = await listen(gone);
  await new Promise((resolve) => gone.close(resolve));
  const lives = await Promise.all([
    outlives(mute, "() => new Promise(() => {})", BEGIN),
    outlives(mute, TOKEN, BEGIN),
    outlives(free, TOKEN, BEGIN),
  ]);
  expect(Math.max(...lives)).toBeLessThan(SOON_MS);
});

test("while a refusal of 20 s is waited out", async () => {
  let refusals = 0;
  const tailwire = createTailwire({
    authenticate: () => ({ user: { id: "ada" } }),
    channels: { "room:{id}": {} },
    authorize: () => {
      refusals += 1;
      const busy = { code: "busy", description: "Later.", fault: "server", retry: true } as const;
      throw new TailwireError({ ...busy, retryAfterMs: 20_000 });
    },
  });
  onTestFinished(() => tailwire.close());
  const http = createHttpServer();
  tailwire.attach(http);
  // A channel's requests are answered in order, so the subscription has been refused, too.
  const lead = "await room.read().catch(() => undefined);";
  expect(await outlives(await listen(http), TOKEN, lead)).toBeLessThan(SOON_MS);
  expect(refusals).toBe(2);
});
