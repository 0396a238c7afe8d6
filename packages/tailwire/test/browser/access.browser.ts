/** The page for everybody: by keyboard, by screen reader, in light and dark, on a phone's width. */
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";
import { describe, expect } from "vitest";
import { isWithoutChromium } from "./chromium.ts";
import { expectConnected, hideScrollbars, phone, test } from "./visit.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Faults that axe finds, one line each. */
async function faultsOf(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe);
  const { violations } = await page.evaluate<AxeResults>("axe.run()");
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary ?? ""}`),
  );
}

/** The element that has the focus, and whether that can be seen. */
const focusScript = `(() => {
  const labelOf = (element) =>
    document.getElementById(element.getAttribute("aria-labelledby"))?.textContent;
  const element = document.activeElement;
  const { outlineStyle, outlineWidth } = getComputedStyle(element);
  return {
    name: element.ariaLabel || labelOf(element) || element.textContent.trim(),
    isVisible: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2,
  };
})()`;

interface Focus {
  readonly name: string;
  readonly isVisible: boolean;
}

describe.skipIf(isWithoutChromium)("the page", () => {
  for (const colorScheme of ["light", "dark"] as const) {
    test(`has nothing for axe to find when it is ${colorScheme}, connected or not`, async ({
      network,
      visit,
    }) => {
      const page = await visit(network.url);
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await expectConnected(page);
      await phone(page, "Ada").expectOnce("Grace? Are we live?");
      expect(await faultsOf(page)).toEqual([]);
      await phone(page, "Grace").button("Go offline").click();
      await phone(page, "Grace").expectState("offline");
      await phone(page, "Grace").say("waits");
      await page.getByRole("button", { name: "Make Joan slow" }).click();
      network.goAway();
      await phone(page, "Ada").expectState("reconnecting");
      expect(await faultsOf(page)).toEqual([]);
    });
  }

  test("is walked through by keyboard, in the order in which it is read", async ({
    server,
    visit,
  }) => {
    const page = await visit(server.url);
    await expectConnected(page);
    await page.locator("#third .pace:enabled").waitFor();
    const walked: Focus[] = [];
    for (;;) {
      await page.keyboard.press("Tab");
      const focus = await page.evaluate<Focus>(focusScript);
      walked.push(focus);
      if (focus.name === "Restart the server" || walked.length > 30) break;
    }
    expect(walked.map(({ name }) => name)).toEqual([
      "Open a second tab",
      "What Ada sees",
      "Type as Ada",
      "Send",
      "Cut Ada's connection",
      "Go offline",
      "What Grace sees",
      "Type as Grace",
      "Send",
      "Cut Grace's connection",
      "Go offline",
      "Start 200/s",
      "Make Joan slow",
      "What just happened",
      "Restart the server",
    ]);
    expect(walked.filter(({ isVisible }) => !isVisible)).toEqual([]);
  });

  test("does by keyboard what it does by clicks", async ({ server, visit }) => {
    const page = await visit(server.url);
    const ada = phone(page, "Ada");
    await expectConnected(page);
    await ada.element.getByRole("textbox").focus();
    await page.keyboard.type("typed and sent");
    await page.keyboard.press("Enter");
    await phone(page, "Grace").expectOnce("typed and sent");
    await ada.button("Go offline").focus();
    await page.keyboard.press("Space");
    await ada.expectState("offline");
    await page.keyboard.press("Enter");
    await ada.expectState("connected");
  });

  test("says aloud who is connected, and nothing ten times a second", async ({ server, visit }) => {
    const page = await visit(server.url);
    const ada = phone(page, "Ada");
    const spoken = ada.element.getByRole("status");
    await expectConnected(page);
    expect(await spoken.textContent()).toBe("Ada is connected");
    // From the first typed word on, nobody else speaks for her.
    await ada.say("is heard");
    await phone(page, "Grace").expectOnce("is heard");
    await ada.button("Go offline").click();
    await ada.say("waits");
    await spoken.filter({ hasText: "Ada is offline. 1 message waits here." }).waitFor();
    expect(await ada.notice.getAttribute("aria-hidden")).toBe("true");
  });

  test("fits a phone of 390 pixels, with controls that a finger can hit", async ({
    server,
    visit,
  }) => {
    const page = await visit(server.url);
    await page.setViewportSize({ width: 390, height: 844 });
    await hideScrollbars(page);
    await expectConnected(page);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
    const heights = await page
      .locator("button:visible, input:visible")
      .evaluateAll((controls) => controls.map((control) => control.getBoundingClientRect().height));
    expect(Math.min(...heights)).toBeGreaterThanOrEqual(32);
  });
});
