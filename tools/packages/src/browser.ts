/** Chromium, for as long as some work with it takes. */
import { type BrowserContext, chromium } from "playwright-core";
import { onPath, Skipped } from "./stage.ts";

const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** How long a page may take to show something, in milliseconds. */
const PATIENCE_MS = 90_000;

/**
 * A window for the work, whose pages may not complain.
 *
 * @throws Skipped where there is no Chromium, but not in CI.
 */
export async function withChromium(work: (window: BrowserContext) => Promise<void>): Promise<void> {
  const executablePath = onPath("chromium");
  if (executablePath === null) {
    const words = "there is no chromium, and npm can't install it";
    throw process.env["CI"] === "true" ? new Error(words) : new Skipped(words);
  }
  const browser = await chromium.launch({ executablePath, args: ARGS });
  try {
    const window = await browser.newContext();
    window.setDefaultTimeout(PATIENCE_MS);
    const complaints: string[] = [];
    window.on("weberror", (error) => complaints.push(String(error.error())));
    await work(window);
    if (complaints.length > 0) throw new Error(`the page says ${complaints.join("; ")}`);
  } finally {
    await browser.close();
  }
}
