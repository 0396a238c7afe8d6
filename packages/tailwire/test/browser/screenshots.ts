/** Pictures of the page for the documents, in its main states: `npm run screenshots`. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { describe, expect } from "vitest";
import { isWithoutChromium } from "./chromium.ts";
import {
  expectAtLeast,
  expectConnected,
  figure,
  hideScrollbars,
  PATIENCE_MS,
  phone,
  test,
  toggleLoad,
} from "./visit.ts";

const folder = fileURLToPath(new URL("../../../../docs/images", import.meta.url));

const patience = { timeout: PATIENCE_MS, interval: 50 };

const WIDE = { width: 1280, height: 1040 };
const PHONE = { width: 390, height: 844 };

async function resize(page: Page, size: { width: number; height: number }): Promise<void> {
  await page.setViewportSize(size);
  await hideScrollbars(page);
}

async function take(page: Page, name: string, fullPage: boolean): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage });
}

/** Waits until so many lines are said. */
async function expectLines(page: Page, least: number): Promise<void> {
  const lines = async (): Promise<number> => (await phone(page, "Ada").read()).length;
  await expect.poll(lines, patience).toBeGreaterThanOrEqual(least);
}

/** Cuts Grace, waits for her, and has some more of the load come. */
async function cutGrace(page: Page): Promise<void> {
  await page
    .getByRole("region", { name: "Load" })
    .getByRole("button", { name: "Cut Grace" })
    .click();
  await page.locator("#journal li", { hasText: "resumed load" }).first().waitFor();
  await expectAtLeast(page, "received", (await figure(page, "received")) + 400);
}

describe.skipIf(isWithoutChromium)("pictures", () => {
  test.for(["light", "dark"] as const)(
    "%s: connected, with load, after a cut",
    async (colorScheme, { server, visit }) => {
      const page = await visit(server.url);
      await resize(page, WIDE);
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await expectConnected(page);
      await toggleLoad(page);
      await expectAtLeast(page, "received", 1_000);
      await cutGrace(page);
      await expectLines(page, 5);
      await take(page, `page-${colorScheme}`, true);
    },
  );

  test("a slow reader that lags", async ({ server, visit }) => {
    const page = await visit(server.url);
    await resize(page, WIDE);
    await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
    await expectConnected(page);
    await toggleLoad(page);
    await page.getByRole("button", { name: "Make Joan slow" }).click();
    await expectAtLeast(page, "lag", 1_200);
    await take(page, "page-slow-reader", true);
  });

  test("reconnecting with a countdown, and offline with messages that wait", async ({
    network,
    visit,
  }) => {
    const page = await visit(network.url);
    await resize(page, WIDE);
    await page.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
    await expectConnected(page);
    await expectLines(page, 3);
    await phone(page, "Grace").button("Go offline").click();
    await phone(page, "Grace").say("I'm in a tunnel. You'll get this when I'm out.");
    await phone(page, "Grace").say("And this.");
    network.goAway();
    await expect
      .poll(() => phone(page, "Ada").notice.innerText(), patience)
      .toMatch(/in [2-9]\.\d s/);
    await take(page, "page-reconnecting-and-offline", true);
    await network.comeBack();
  });

  test("a phone's width", async ({ server, visit }) => {
    const page = await visit(server.url);
    await resize(page, PHONE);
    await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
    await expectConnected(page);
    await expectLines(page, 2);
    // From the first typed letter on, nobody else speaks for her.
    await phone(page, "Ada").element.getByRole("textbox").fill("No signal here.");
    await phone(page, "Ada").button("Go offline").click();
    await phone(page, "Ada").say("No signal here.");
    await phone(page, "Ada").notice.filter({ hasText: "1 message waits here." }).waitFor();
    await take(page, "page-phone", false);
  });
});
