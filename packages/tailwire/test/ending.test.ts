/** How the standalone server ends, whatever kind of socket somebody keeps open towards it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { createClient } from "@tailwire/client";
import {
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
  vi,
} from "vitest";
import { refuseUpgrade } from "../src/http-answers.ts";
import { Listener } from "../src/listener.ts";
import { build, packageFolder, startForTest } from "./support.ts";

beforeAll(build, 60_000);

const UPGRADE = [
  "Host: 127.0.0.1",
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
];

const request = (path: string, headers: readonly string[] = UPGRADE): string =>
  `GET ${path} HTTP/1.1\r\n${headers.map((header) => `${header}\r\n`).join("")}\r\n`;

/** A socket that stays, whatever the other side does to its half. */
async function stubborn(port: number, bytes: string): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.on("error", () => undefined);
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  socket.write(bytes);
  return socket;
}

/** Bytes that somebody may have sent, who then waits for ever. */
const KINDS: Readonly<Record<string, string>> = {
  nothing: "",
  "half a request": "GET / HTTP/1.1\r\nHost: a",
  "a body that doesn't come": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n",
  "an upgrade elsewhere": request("/elsewhere"),
  "an upgrade elsewhere, and more behind it": `${request("/elsewhere")}${"x".repeat(10_000)}`,
  "an upgrade without a version": request("/tailwire"),
  "an upgrade without a token": request("/tailwire", [
    ...UPGRADE,
    "Sec-WebSocket-Protocol: tailwire.v1.json",
  ]),
  "an upgrade without a key": request("/tailwire?token=ada", [
    ...UPGRADE.slice(0, 4),
    "Sec-WebSocket-Protocol: tailwire.v1.json",
  ]),
  "an upgrade, and no hello": request("/tailwire?token=ada", [
    ...UPGRADE,
    "Sec-WebSocket-Protocol: tailwire.v1.json",
  ]),
};

describe("the standalone server", () => {
  for (const [what, bytes] of Object.entries(KINDS)) {
    for (const isRead of [true, false]) {
      const how = isRead ? "reads what comes" : "reads nothing";
      test(`closes beside somebody who has sent ${what}, and ${how}`, async () => {
        const standalone = await startForTest();
        const socket = await stubborn(standalone.port, bytes);
        // With a connection that is welcome, everything before it has been taken too.
        const client = createClient(standalone.websocket, { getToken: () => "ada" });
        onTestFinished(() => client.close());
        await client.channel("room:1").publish("said", 1);
        if (isRead) socket.resume();
        await standalone.close();
        await expect(fetch(standalone.url)).rejects.toThrow("fetch failed");
      });
    }
  }
});

test("the listener drops what is still there, when its owners have said farewell", async () => {
  const server = createServer({ allowHalfOpen: true }, (socket) => void socket.pause());
  const listener = new Listener(server, "127.0.0.1");
  await listener.open(0);
  const accepted = once(server, "connection");
  const socket = await stubborn(listener.port, "anything");
  await accepted;
  let farewells = 0;
  await listener.close(async () => {
    expect(socket.destroyed).toBe(false);
    farewells += 1;
  });
  expect(farewells).toBe(1);
});

describe("a refused upgrade's socket", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
  afterEach(() => void vi.useRealTimers());

  /** As much of a socket as a refusal touches, kept open by the other side. */
  function kept(): { readonly socket: Socket; readonly calls: string[] } {
    const calls: string[] = [];
    const note = (call: string) => (): unknown => {
      calls.push(call);
      return socket;
    };
    const socket = {
      on: () => socket,
      once: () => socket,
      resume: note("resume"),
      end: note("end"),
      destroy: note("destroy"),
    } as unknown as Socket;
    return { socket, calls };
  }

  test("is read on, and destroyed when it is still there after five seconds", () => {
    const { socket, calls } = kept();
    refuseUpgrade(socket);
    vi.advanceTimersByTime(4_999);
    expect(calls).toEqual(["resume", "end"]);
    vi.advanceTimersByTime(1);
    expect(calls).toEqual(["resume", "end", "destroy"]);
  });
});

/** The npm command of this repository, as people type it. */
function npmStart(): ChildProcess {
  const root = join(packageFolder, "..", "..");
  const child = spawn("npm", ["start", "--silent", "--", "--port", "0", "--json"], { cwd: root });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe("npm start", () => {
  test.each(["SIGTERM", "SIGINT"] as const)(
    "leaves no process behind when npm gets %s",
    async (signal) => {
      const child = npmStart();
      const [line] = (await once(child.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
      const { pid } = JSON.parse(line.toString()) as { readonly pid: number };
      onTestFinished(() => {
        if (isAlive(pid)) process.kill(pid, "SIGKILL");
      });
      const closed = once(child, "close");
      child.kill(signal);
      // Its standard output is the server's too, which ends when both have.
      await closed;
      await vi.waitUntil(() => !isAlive(pid), { timeout: 15_000 });
      expect(isAlive(pid)).toBe(false);
    },
    60_000,
  );
});
