// Addresses as applications have them at hand, and the one that the socket is opened with.
import { expect, test } from "vitest";
import { addressOf } from "../../src/drivers/address.ts";

const PAGE = "https://example.com/rooms/7?tab=1#top";

test.each([
  ["ws://host:3000/tailwire", "ws://host:3000/tailwire"],
  ["wss://host/tailwire?token=a#b", "wss://host/tailwire?token=a"],
  ["http://host:3000/tailwire", "ws://host:3000/tailwire"],
  ["https://host/live", "wss://host/live"],
  ["ws://host:3000", "ws://host:3000/tailwire"],
  ["https://host", "wss://host/tailwire"],
  // Somebody may have attached it there.
  ["ws://host/", "ws://host/"],
  ["ws://[::1]:3000", "ws://[::1]:3000/tailwire"],
])("%s is %s", (given, url) => {
  expect(addressOf(given, undefined)).toBe(url);
  expect(addressOf(given, PAGE)).toBe(url);
  expect(addressOf(new URL(url), undefined)).toBe(url);
});

test.each([
  ["/tailwire", "wss://example.com/tailwire"],
  ["live", "wss://example.com/rooms/live"],
  ["//elsewhere/live", "wss://elsewhere/live"],
])("in a page, %s is %s", (given, url) => {
  expect(addressOf(given, PAGE)).toBe(url);
  expect(() => addressOf(given, undefined)).toThrow(TypeError);
});

test.each(["localhost:3000", "ftp://host/tailwire", "ws://", "", "ws://host:port/"])(
  "%j is none",
  (given) => {
    expect(() => addressOf(given, undefined)).toThrow(/^no WebSocket URL: /);
  },
);

test.each([undefined, null, 7, {}])("%j is none", (given) => {
  expect(() => addressOf(given as never, undefined)).toThrow(TypeError);
});

test("what can't be made text is no URL", () => {
  const odd = { toString: 1, valueOf: 1 } as unknown as string;
  expect(() => addressOf(odd, undefined)).toThrow("no WebSocket URL: ?");
});
