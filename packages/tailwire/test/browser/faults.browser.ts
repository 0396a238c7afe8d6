/** Faults of the network, done to the page through a proxy that it knows nothing of. */
import { describe, expect } from "vitest";
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

describe.skipIf(isWithoutChromium)("the network", () => {
  test("cuts every connection under load, and nothing is missed", async ({ network, visit }) => {
    const page = await visit(network.url);
    await expectConnected(page);
    await toggleLoad(page);
    await expectAtLeast(page, "received", 200);
    network.cut();
    await expectTold(page, /Ada.*lost the connection \(connection_lost\)/);
    await expectTold(page, /Grace.*is back/);
    await expectConnected(page);
    await expectAtLeast(page, "received", (await figure(page, "received")) + 200);
    await toggleLoad(page);
    await expectSpotless(page);
  });

  test("falls silent with its connections open: they are given up, and what was said arrives", async ({
    network,
    visit,
  }) => {
    const page = await visit(network.url);
    await expectConnected(page);
    network.fallSilent();
    await phone(page, "Ada").say("into the void");
    expect(await phone(page, "Ada").element.getAttribute("data-state")).toBe("connected");
    await expectTold(page, /Ada.*lost the connection \(silent\)/);
    await expectTold(page, /Grace.*lost the connection \(silent\)/);
    await expectConnected(page);
    for (const who of ["Ada", "Grace"] as const) await phone(page, who).expectOnce("into the void");
    await expectSpotless(page);
  });

  test("is away: a countdown runs, and `Retry now` doesn't wait for it", async ({
    network,
    visit,
  }) => {
    const page = await visit(network.url);
    const ada = phone(page, "Ada");
    await expectConnected(page);
    network.goAway();
    // Waits grow with each failure, so that one comes that is long enough to press the button in.
    await expect
      .poll(() => ada.notice.innerText(), patience)
      .toMatch(/^No connection\. Trying again in (?:[5-9]|\d\d)\.\d s\.$/);
    await ada.say("while it is away");
    await network.comeBack();
    await ada.button("Retry now").click();
    await ada.expectState("connected");
    await ada.expectOnce("while it is away");
    await phone(page, "Grace").expectOnce("while it is away");
    await expectSpotless(page);
  });
});
