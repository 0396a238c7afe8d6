/** A page's life in a browser: reloaded, left and come back to, frozen, hidden, opened twice. */
import { createClient } from "@tailwire/client";
import type { Page } from "playwright-core";
import { describe, expect, onTestFinished } from "vitest";
import type { Standalone } from "../../src/standalone.ts";
import { isWithoutChromium } from "./chromium.ts";
import {
  expectAtLeast,
  expectConnected,
  expectSpotless,
  expectTold,
  figure,
  PATIENCE_MS,
  phone,
  test,
  toggleLoad,
} from "./visit.ts";

const patience = { timeout: PATIENCE_MS, interval: 50 };

/** The conversation that a page shows. */
function roomOf(page: Page): string {
  return new URL(page.url()).hash.slice(1);
}

/** Publishes to a conversation from elsewhere, as Grace. */
async function sayFromElsewhere(room: string, server: Standalone, text: string): Promise<void> {
  const client = createClient(server.websocket, { getToken: () => "elsewhere" });
  onTestFinished(() => client.close());
  const said = { key: "elsewhere", who: "Grace", text };
  await client.channel(`room:${room}`).publish("said", said);
}

/** Whether a page is as it was when it was marked, and not loaded anew. */
function isMarked(page: Page): Promise<boolean> {
  return page.evaluate("globalThis.isMarked === true");
}

async function mark(page: Page): Promise<void> {
  await page.evaluate("globalThis.isMarked = true");
}

/** Puts another tab before a page, so that it is hidden, and throttled as hidden pages are. */
async function hide(page: Page): Promise<void> {
  const other = await page.context().newPage();
  await other.bringToFront();
  await expect.poll(() => page.evaluate("document.visibilityState"), patience).toBe("hidden");
}

/** Freezes a page, which has to be hidden for that. Gives what lets it go on. */
async function freeze(page: Page): Promise<() => Promise<void>> {
  await hide(page);
  const devtools = await page.context().newCDPSession(page);
  await page.evaluate(
    "document.addEventListener('freeze', () => { globalThis.wasFrozen = true; })",
  );
  await devtools.send("Page.setWebLifecycleState", { state: "frozen" });
  await expect.poll(() => page.evaluate("globalThis.wasFrozen"), patience).toBe(true);
  return async () => {
    await devtools.send("Page.setWebLifecycleState", { state: "active" });
    await page.bringToFront();
  };
}

describe.skipIf(isWithoutChromium)("a page", () => {
  test("that is reloaded goes on with its conversation", async ({ server, visit }) => {
    const page = await visit(server.url);
    await phone(page, "Ada").say("before the reload");
    await phone(page, "Grace").expectOnce("before the reload");
    const before = await phone(page, "Grace").read();
    await mark(page);
    await page.reload();
    expect(await isMarked(page)).toBe(false);
    await expectConnected(page);
    await expect.poll(() => phone(page, "Grace").read(), patience).toEqual(before);
    await phone(page, "Grace").say("after the reload");
    await phone(page, "Ada").expectOnce("after the reload");
    await expectSpotless(page);
  });

  test("that comes out of the back/forward cache connects again", async ({ server, visit }) => {
    const page = await visit(server.url);
    await phone(page, "Ada").say("before leaving");
    await phone(page, "Grace").expectOnce("before leaving");
    const room = roomOf(page);
    await mark(page);
    await page.evaluate(
      "addEventListener('pageshow', ({ persisted }) => { globalThis.wasPersisted = persisted; })",
    );
    await page.goto(`${server.url}/style.css`);
    expect(await isMarked(page)).toBe(false);
    await sayFromElsewhere(room, server, "while it was away");
    // Nothing is loaded, so that there is no end of loading to wait for.
    await page.goBack({ waitUntil: "commit" });
    expect(await isMarked(page)).toBe(true);
    expect(await page.evaluate("globalThis.wasPersisted")).toBe(true);
    await expectConnected(page);
    await phone(page, "Ada").say("back again");
    for (const text of ["before leaving", "while it was away", "back again"]) {
      await phone(page, "Grace").expectOnce(text);
    }
    await expectSpotless(page);
  });

  test("that was frozen while its network was cut catches up when it wakes", async ({
    server,
    network,
    visit,
  }) => {
    const page = await visit(network.url);
    await expectConnected(page);
    const thaw = await freeze(page);
    network.cut();
    await sayFromElsewhere(roomOf(page), server, "while it was frozen");
    await thaw();
    await expectConnected(page);
    await phone(page, "Ada").expectOnce("while it was frozen");
    await phone(page, "Grace").expectOnce("while it was frozen");
    await expectSpotless(page);
  });

  test("whose network fell silent while it was hidden finds out when it is seen again", async ({
    server,
    network,
    visit,
  }) => {
    const page = await visit(network.url);
    await expectConnected(page);
    await hide(page);
    network.fallSilent();
    await sayFromElsewhere(roomOf(page), server, "to a page that can't hear");
    await page.bringToFront();
    await expectTold(page, /Ada.*lost the connection \(silent\)/);
    for (const who of ["Ada", "Grace"] as const) {
      await phone(page, who).expectOnce("to a page that can't hear");
    }
    await expectSpotless(page);
  });

  test("that is hidden goes on in the background, and comes back by itself when it is cut", async ({
    network,
    visit,
  }) => {
    const page = await visit(network.url);
    await expectConnected(page);
    await toggleLoad(page);
    await expectAtLeast(page, "received", 100);
    await hide(page);
    await expectAtLeast(page, "received", (await figure(page, "received")) + 300);
    network.cut();
    await expectTold(page, /Grace.*lost the connection/);
    await expectTold(page, /Grace.*is back/);
    await expectConnected(page);
    await expectAtLeast(page, "received", (await figure(page, "received")) + 300);
    expect(await page.evaluate("document.visibilityState")).toBe("hidden");
    await page.bringToFront();
    await toggleLoad(page);
    await expectSpotless(page);
  });

  test("that is opened twice shows one conversation, and each tab's load is its own", async ({
    server,
    visit,
  }) => {
    const first = await visit(server.url);
    await phone(first, "Ada").say("said in the first tab");
    await phone(first, "Grace").expectOnce("said in the first tab");
    const opened = first.context().waitForEvent("page");
    await first.getByRole("link", { name: "Open a second tab" }).click();
    const second = await opened;
    await expectConnected(second);
    for (const who of ["Ada", "Grace"] as const) {
      await phone(second, who).expectOnce("said in the first tab");
    }
    await phone(second, "Grace").say("said in the second tab");
    for (const page of [first, second]) {
      await phone(page, "Ada").expectOnce("said in the second tab");
      await phone(page, "Grace").expectOnce("said in the second tab");
    }
    await toggleLoad(second);
    await expectAtLeast(second, "rate", 1);
    expect(await figure(first, "rate")).toBe(0);
    await toggleLoad(second);
    await expectSpotless(first);
    await expectSpotless(second);
  });
});
