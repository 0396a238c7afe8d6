/**
 * Chromium, as these tests start it: the machine's own, without a window, with an empty profile, and
 * otherwise as visitors have it. It doesn't know what is visited.
 */
import { type ChildProcessByStdio, spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { type BrowserContext, chromium } from "playwright-core";

/** Where it is; empty where there is none. */
const path = spawnSync("sh", ["-c", "command -v chromium"], { encoding: "utf8" }).stdout.trim();

const ARGS = [
  "--headless",
  "--remote-debugging-port=0",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Whether to leave these tests out: nobody who has no Chromium is kept from working on the rest. */
export const isWithoutChromium = path === "" && process.env["CI"] !== "true";

if (isWithoutChromium) {
  console.warn("There is no `chromium` on this machine: the tests in a browser are skipped.");
}

type Child = ChildProcessByStdio<null, null, Readable>;

/** A Chromium that runs. */
export interface RunningChromium {
  /** Its only window. */
  readonly context: BrowserContext;
  /** Ends it, and its profile. */
  close(): Promise<void>;
}

/**
 * Starts it. Playwright would switch off what a page's life is made of (the back/forward cache,
 * hidden tabs, frozen pages), so it is joined to a Chromium that was started without it.
 */
export async function startChromium(): Promise<RunningChromium> {
  if (path === "") throw new Error("no_chromium: `command -v chromium` finds none");
  const profile = await mkdtemp(join(tmpdir(), "tailwire-chromium-"));
  const child = spawn(path, [...ARGS, `--user-data-dir=${profile}`, "about:blank"], {
    stdio: ["ignore", "ignore", "pipe"],
    // A group of its own: on some systems what was started is a script that starts it.
    detached: true,
  });
  // Its standard error is closed when the last of its processes has gone.
  const gone = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const close = async (): Promise<void> => {
    if (child.pid !== undefined) process.kill(-child.pid);
    await gone;
    await rm(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  };
  try {
    const browser = await chromium.connectOverCDP(await addressOf(child), { noDefaults: true });
    const [context] = browser.contexts();
    if (context === undefined) throw new Error("chromium has no window");
    return {
      context,
      close: async () => {
        await browser.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Where it listens for commands, as it says itself. */
function addressOf(child: Child): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      const address = /DevTools listening on (ws:\S+)/.exec(said)?.[1];
      if (address !== undefined) resolve(address);
    });
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`chromium has ended: ${said}`)));
  });
}
