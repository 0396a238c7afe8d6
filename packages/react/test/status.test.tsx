// @vitest-environment happy-dom
// The connection's status, in a hook and in words.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { act } from "react";
import type { ConnectionStatus as Status } from "@tailwire/client";
import { hooks, Stage } from "./stage.tsx";

const { ConnectionStatus, useChannel, useConnectionStatus } = hooks;

function Room() {
  useChannel("room:1");
  return null;
}

/** A world whose clock the page has, too. */
function stage(): Stage {
  const it = new Stage();
  vi.useFakeTimers({ toFake: ["Date", "setInterval", "clearInterval"] });
  vi.setSystemTime(it.world.clock.now());
  return it;
}

afterEach(() => void vi.useRealTimers());

/** The reconnecting client's next attempt is so far away that its countdown can be seen. */
async function lost(it: Stage): Promise<void> {
  it.world.unreachable = true;
  it.world.link.cut();
  const isFarAway = (): boolean => (it.client.status.retryAt ?? 0) - it.world.clock.now() > 4_000;
  await act(async () => {
    await it.world.until(isFarAway);
    vi.setSystemTime(it.world.clock.now());
    vi.advanceTimersByTime(250);
  });
}

describe("the hook", () => {
  test("gives the client's own status, and renders when it changes", async () => {
    const it = stage();
    const seen: Status[] = [];
    function Shown() {
      seen.push(useConnectionStatus());
      return null;
    }
    await it.show(<Shown />);
    expect(seen.at(-1)?.state).toBe("idle");
    await it.show([<Shown key="1" />, <Room key="2" />]);
    await it.advance(5);
    expect(seen.at(-1)?.state).toBe("connecting");
    await it.advance(1_000);
    expect(seen.at(-1)?.state).toBe("connected");
    expect(seen.at(-1)).toBe(it.client.status);
    const count = seen.length;
    await it.says("room:1", 1, 2);
    expect(seen).toHaveLength(count);
  });
});

describe("the words", () => {
  let it: Stage;
  const part = (name: string) => it.page.querySelector<HTMLElement>(`[data-tailwire-${name}]`);
  const box = () => it.page.querySelector<HTMLElement>("[data-tailwire]");

  beforeEach(async () => {
    it = stage();
    await it.show([<ConnectionStatus key="1" />, <Room key="2" />]);
    await it.advance(1_000);
  });

  test("are a polite live region that is there before it changes", async () => {
    const words = part("words");
    expect([words?.role, words?.getAttribute("aria-live")]).toEqual(["status", "polite"]);
    expect([words?.textContent, box()?.dataset["tailwire"]]).toEqual(["Connected", "connected"]);
    await lost(it);
    expect(part("words")).toBe(words);
    expect([words?.textContent, box()?.dataset["tailwire"]]).toEqual([
      "Reconnecting",
      "reconnecting",
    ]);
  });

  test("count down to the next attempt, outside of what is read out", async () => {
    await lost(it);
    const left = (): number => Number(/in (\d+) s/.exec(part("countdown")?.textContent ?? "")?.[1]);
    const first = left();
    expect(first).toBeGreaterThanOrEqual(4);
    act(() => void vi.advanceTimersByTime(1_000));
    expect(left()).toBe(first - 1);
    expect(part("words")?.contains(part("countdown"))).toBe(false);
  });

  test("have a button that tries now, with the keyboard as well", async () => {
    await lost(it);
    it.world.unreachable = false;
    const button = part("retry") as HTMLButtonElement;
    expect([button.tagName, button.type, button.tabIndex]).toEqual(["BUTTON", "button", 0]);
    button.focus();
    expect(document.activeElement).toBe(button);
    await it.after(() => button.click());
    expect([part("words")?.textContent, part("retry"), part("countdown")]).toEqual([
      "Connected",
      null,
      null,
    ]);
  });

  test("say how much waits while it is offline", async () => {
    await it.after(() => it.client.goOffline());
    expect(part("words")?.textContent).toBe("Offline");
    await it.after(() => {
      const room = it.client.channel("room:1");
      void room.publish("said", 1);
      void room.publish("said", 2);
    });
    expect(part("words")?.textContent).toBe("Offline, 2 waiting to be sent");
    await it.after(() => it.client.goOnline());
    expect(part("words")?.textContent).toBe("Connected");
  });

  test("say why it is closed for good", async () => {
    await it.after(() => it.client.close());
    expect(part("words")?.textContent).toMatch(/^Disconnected/);
  });

  test("have a style that is a page's own, or none, or other words", async () => {
    expect(box()?.getAttribute("style")).toContain("--tailwire-status-color");
    await it.show(<ConnectionStatus unstyled className="mine" />);
    expect([box()?.getAttribute("style"), box()?.className]).toEqual([null, "mine"]);
    await it.show(<ConnectionStatus>{({ status }) => <b>{status.state}!</b>}</ConnectionStatus>);
    expect([it.text, part("words")]).toEqual(["connected!", null]);
  });

  test("leave no timer behind", async () => {
    await lost(it);
    expect(vi.getTimerCount()).toBe(1);
    await it.show(null);
    expect(vi.getTimerCount()).toBe(0);
  });
});
