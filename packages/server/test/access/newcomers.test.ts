// Newcomers are counted by the network that they come from.
import { expect, test } from "vitest";
import { Newcomers, networkOf } from "../../src/access/newcomers.ts";

test.each([
  ["192.0.2.1", "192.0.2.1"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["::FFFF:192.0.2.1", "192.0.2.1"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:0DB8:0001:0002::1", "2001:db8:1:2::/64"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["2001:db8:1:2::", "2001:db8:1:2::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
  ["::", "0:0:0:0::/64"],
  ["/run/app.sock", "/run/app.sock"],
  ["", ""],
])("%s is of %s", (address, network) => {
  expect(networkOf(address)).toBe(network);
});

test("[CONN-7] a /64 may have as many newcomers as an address, whatever it calls itself", () => {
  const newcomers = new Newcomers(2);
  const first = newcomers.enter("2001:db8::1");
  expect(newcomers.enter("2001:0db8:0:0:ffff::")).not.toBeNull();
  expect(newcomers.enter("2001:db8::2")).toBeNull();
  expect(newcomers.enter("2001:db8:0:1::2")).not.toBeNull();
  first?.();
  first?.();
  expect(newcomers.enter("2001:db8::3")).not.toBeNull();
  expect(newcomers.enter("2001:db8::4")).toBeNull();
});
