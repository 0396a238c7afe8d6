/** The page's story, told by clicks in a real browser. */
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

describe.skipIf(isWithoutChromium)("the page", () => {
  test("opens with two people who are already talking", async ({ server, visit }) => {
    const page = await visit(server.url);
    await expectConnected(page);
    await phone(page, "Ada").expectOnce("Grace? Are we live?");
    await phone(page, "Grace").expectOnce("Two sockets, one log.");
    await expectAtLeast(page, "acknowledged", 2);
    await expectSpotless(page);
  });

  test("shows what a visitor types on both phones", async ({ server, visit }) => {
    const page = await visit(server.url);
    await phone(page, "Ada").say("typed by a visitor");
    await phone(page, "Ada").expectOnce("typed by a visitor");
    await phone(page, "Grace").expectOnce("typed by a visitor");
  });

  test("counts while the load runs, and misses nothing when both are cut", async ({
    server,
    visit,
  }) => {
    const page = await visit(server.url);
    await expectConnected(page);
    await toggleLoad(page);
    await expectAtLeast(page, "received", 200);
    for (const who of ["Grace", "Ada"] as const) {
      await page
        .getByRole("region", { name: "Load" })
        .getByRole("button", { name: `Cut ${who}` })
        .click();
      await expectTold(page, new RegExp(`${who}.*lost the connection`));
      await expectTold(page, new RegExp(`${who}.*is back`));
      await expectAtLeast(page, "received", (await figure(page, "received")) + 200);
    }
    await toggleLoad(page);
    await expectSpotless(page);
    await expectTold(page, /resumed load from offset .*: [\d,]+ caught up, 0 missed, 0 duplicated/);
  });

  test("offline, it says how many messages wait, and sends them when it is back", async ({
    server,
    visit,
  }) => {
    const page = await visit(server.url);
    const ada = phone(page, "Ada");
    await expectConnected(page);
    // From the first typed word on, nobody else speaks for her.
    await ada.say("in the light");
    await phone(page, "Grace").expectOnce("in the light");
    await ada.button("Go offline").click();
    await ada.expectState("offline");
    await ada.say("first, in the dark");
    await expect
      .poll(() => ada.notice.innerText(), patience)
      .toBe("Offline. 1 message waits here.");
    await ada.say("second, in the dark");
    await expect
      .poll(() => ada.notice.innerText(), patience)
      .toBe("Offline. 2 messages wait here.");
    expect(await phone(page, "Grace").read()).not.toContain("first, in the dark");
    await ada.button("Go online").click();
    await ada.expectState("connected");
    for (const who of ["Ada", "Grace"] as const) {
      await phone(page, who).expectOnce("first, in the dark");
      await phone(page, who).expectOnce("second, in the dark");
    }
    const texts = await phone(page, "Grace").read();
    expect(texts.indexOf("first, in the dark")).toBeLessThan(texts.indexOf("second, in the dark"));
    await expectSpotless(page);
  });

  test("a slow reader lags and catches up, and the others don't wait for it", async ({
    server,
    visit,
  }) => {
    const page = await visit(server.url);
    const joan = page.getByRole("region", { name: "Joan" });
    const meter = joan.getByRole("meter");
    const lag = async (): Promise<number> => Number(await meter.getAttribute("aria-valuenow"));
    await joan.getByRole("button", { name: "Make Joan slow" }).click();
    await toggleLoad(page);
    await expect.poll(lag, patience).toBeGreaterThan(600);
    // Grace has all but the newest of what Joan has yet to read.
    expect(await figure(page, "on-the-way")).toBeLessThan(await lag());
    expect(await figure(page, "lag")).toBeGreaterThan(500);
    await joan.getByRole("button", { name: "Let Joan read" }).click();
    await expectTold(page, /Joan.*caught up with [\d,]+ in .* s: 0 missed, 0 duplicated/);
    await toggleLoad(page);
    await expect.poll(lag, patience).toBe(0);
    await expectSpotless(page);
  });

  test("comes back when the server was restarted, and has missed nothing", async ({
    server,
    visit,
  }) => {
    const page = await visit(server.url);
    await expectConnected(page);
    await toggleLoad(page);
    await expectAtLeast(page, "received", 200);
    await page.getByRole("button", { name: "Restart the server" }).click();
    for (const who of ["Ada", "Grace"]) {
      await expectTold(page, new RegExp(`${who}.*lost the connection`));
      await expectTold(page, new RegExp(`${who}.*is back`));
    }
    await expectAtLeast(page, "received", (await figure(page, "received")) + 200);
    await toggleLoad(page);
    await expectSpotless(page);
  });
});
