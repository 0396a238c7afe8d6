// The browser's driver: how sockets misbehave in Safari, and which events of a page mean what.
import { afterEach, expect, test, vi } from "vitest";
import { portsWith } from "../../src/drivers/browser.ts";

const ports = portsWith();

class FakeWebSocket extends EventTarget {
  static last: FakeWebSocket;
  readonly OPEN = 1;
  readyState = 0;
  readonly closes: (number | undefined)[] = [];

  constructor() {
    super();
    FakeWebSocket.last = this;
  }

  close(code?: number): void {
    this.closes.push(code);
  }
}

class FakePage extends EventTarget {
  visibilityState = "visible";
}

afterEach(() => vi.unstubAllGlobals());

/** The life events that a driver tells of a page. */
function life(url: string, onLine: boolean | undefined) {
  const page = new FakePage();
  const scope = new EventTarget();
  vi.stubGlobal("document", page);
  vi.stubGlobal("navigator", { onLine });
  vi.stubGlobal("addEventListener", scope.addEventListener.bind(scope));
  const told: string[] = [];
  const stop = ports.life(url, (event) => told.push(event));
  return { page, scope, told, stop };
}

test("a socket that is closed while it connects, and opens all the same, is closed again and not heard", () => {
  vi.stubGlobal("WebSocket", FakeWebSocket);
  const heard: string[] = [];
  const socket = ports.connect("wss://a/b", [], {
    opened: () => heard.push("opened"),
    received: () => heard.push("received"),
    closed: () => heard.push("closed"),
  });
  socket.close(1000, "done");
  FakeWebSocket.last.dispatchEvent(new Event("open"));
  expect(FakeWebSocket.last.closes).toEqual([1000, undefined]);
  expect(heard).toEqual([]);
});

test("a page's events are told, and becoming hidden isn't one of them", () => {
  const { page, scope, told, stop } = life("wss://a/b", true);
  for (const type of ["offline", "online", "pagehide", "pageshow"]) {
    scope.dispatchEvent(new Event(type));
  }
  page.dispatchEvent(new Event("resume"));
  page.visibilityState = "hidden";
  page.dispatchEvent(new Event("visibilitychange"));
  page.visibilityState = "visible";
  page.dispatchEvent(new Event("visibilitychange"));
  expect(told).toEqual(["offline", "online", "pagehide", "pageshow", "wake", "wake"]);
  stop();
  scope.dispatchEvent(new Event("offline"));
  page.dispatchEvent(new Event("resume"));
  expect(told).toHaveLength(6);
});

test("a page that begins without a network says so, and one that doesn't know has one", () => {
  expect(life("wss://a/b", false).told).toEqual(["offline"]);
  expect(life("wss://a/b", undefined).told).toEqual([]);
});

test("a server on this machine is reached without a network", () => {
  const { scope, told } = life("ws://localhost:3000/tailwire", false);
  scope.dispatchEvent(new Event("offline"));
  expect(told).toEqual([]);
});
