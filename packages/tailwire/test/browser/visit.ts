/**
 * Support that the tests in a browser share: a server and a visit for each, and words for what a
 * visitor sees and does. A visit during which the console complains fails its test.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import assert from "node:assert/strict";
import type { ConsoleMessage, Page } from "playwright-core";
import { expect, test as base } from "vitest";
import { type Standalone, startStandalone } from "../../src/standalone.ts";
import { type RunningChromium, startChromium } from "./chromium.ts";
import { Network } from "./network.ts";

/** How long anything may take on a machine that has other things to do, in milliseconds. */
export const PATIENCE_MS = 90_000;

const patience = { timeout: PATIENCE_MS, interval: 100 };

/**
 * Chromium's own words on a WebSocket for which there is no network, or whose page it has frozen: it
 * closes those.
 */
const NO_NETWORK =
  /^WebSocket connection to '\S+' failed: (?:Error in connection establishment: net::ERR_CONNECTION_(?:REFUSED|RESET)|Page entered Back-Forward Cache\.)$/;

interface Fixtures {
  readonly chromium: RunningChromium;
  readonly server: Standalone;
  /** Between the page and the server, for those who visit `network.url`. */
  readonly network: Network;
  /** Opens the page in one more tab, which comes to the front. */
  readonly visit: (url: string) => Promise<Page>;
}

/** A test with a browser and a server of its own, and a console that stays silent. */
export const test = base.extend<Fixtures>({
  // oxlint-disable-next-line no-empty-pattern -- vitest reads from it what a fixture needs
  chromium: async ({}, use) => {
    const chromium = await startChromium();
    await use(chromium);
    await chromium.close();
  },
  // oxlint-disable-next-line no-empty-pattern -- as above
  server: async ({}, use) => {
    const data = mkdtempSync(join(tmpdir(), "tailwire-"));
    const server = await startStandalone({ port: 0, data });
    await use(server);
    await server.close();
    rmSync(data, { recursive: true });
  },
  network: async ({ server }, use) => {
    const network = await Network.before(server.port);
    await use(network);
    network.close();
  },
  visit: async ({ chromium: { context } }, use) => {
    const complaints: string[] = [];
    context.setDefaultTimeout(PATIENCE_MS);
    context.on("console", (message) => complaints.push(...complaintsOf(message)));
    context.on("weberror", (error) => complaints.push(String(error.error())));
    await use(async (url) => {
      const page = await context.newPage();
      await page.goto(url);
      return page;
    });
    assert.deepEqual(complaints, []);
  },
});

function complaintsOf(message: ConsoleMessage): readonly string[] {
  const isComplaint = message.type() === "error" || message.type() === "warning";
  return isComplaint && !NO_NETWORK.test(message.text()) ? [message.text()] : [];
}

type Who = "Ada" | "Grace";

/** One of the page's figures. */
export async function figure(page: Page, name: string): Promise<number> {
  const words = await page.locator(`[data-figure="${name}"]`).first().innerText();
  return Number(words.replaceAll(",", ""));
}

/** Waits until a figure is at least so much. */
export async function expectAtLeast(page: Page, name: string, least: number): Promise<void> {
  await expect.poll(() => figure(page, name), patience).toBeGreaterThanOrEqual(least);
}

/** Waits until everything that was sent is acknowledged and read, and nothing twice or not at all. */
export async function expectSpotless(page: Page): Promise<void> {
  const account = async (): Promise<Record<string, unknown>> => ({
    unacknowledged: (await figure(page, "sent")) - (await figure(page, "acknowledged")),
    onTheWay: await figure(page, "on-the-way"),
    missed: await figure(page, "missed"),
    duplicated: await figure(page, "duplicated"),
    toldMissing: await figure(page, "toldMissing"),
  });
  await expect
    .poll(account, patience)
    .toEqual({ unacknowledged: 0, onTheWay: 0, missed: 0, duplicated: 0, toldMissing: 0 });
}

/** A person's phone, as a visitor uses it. */
export function phone(page: Page, who: Who) {
  const element = page.getByRole("article", { name: who });
  return {
    element,
    notice: element.locator(".notice .words"),
    button: (name: string | RegExp) => element.getByRole("button", { name }),
    say: async (text: string): Promise<void> => {
      await element.getByRole("textbox").fill(text);
      await element.getByRole("button", { name: "Send" }).click();
    },
    /** The texts on its screen, as far as the log has them. */
    read: () => element.locator('.bubble[data-state="acknowledged"] p').allInnerTexts(),
    expectState: async (state: string): Promise<void> => {
      await expect.poll(() => element.getAttribute("data-state"), patience).toBe(state);
    },
    /** Waits until some words stand on the screen, out of the log, and once. */
    expectOnce: async (text: string): Promise<void> => {
      const bubbles = element.locator('.bubble[data-state="acknowledged"] p', { hasText: text });
      await expect.poll(() => bubbles.count(), patience).toBe(1);
    },
  };
}

/** Waits until both are connected. */
export async function expectConnected(page: Page): Promise<void> {
  await phone(page, "Ada").expectState("connected");
  await phone(page, "Grace").expectState("connected");
}

/** The button that starts the load, and stops it. */
export async function toggleLoad(page: Page): Promise<void> {
  await page.getByRole("region", { name: "Load" }).locator(".toggle").click();
}

/** Waits for a line of the journal. */
export async function expectTold(page: Page, words: RegExp): Promise<void> {
  await page.locator("#journal li", { hasText: words }).first().waitFor();
}

/** Makes a page as wide as its window, as on phones, whose scroll bars take no room. */
export async function hideScrollbars(page: Page): Promise<void> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Emulation.setScrollbarsHidden", { hidden: true });
}
