// Lists of origins as people write them: what means the same is the same, what can never match is refused
// when it is given, and what is refused later is said once.
import { describe, expect, test } from "vitest";
import { createTailwire } from "../../src/index.ts";
import { expectRefusal, expectServed } from "./expect.ts";
import { Peer } from "./peer.ts";
import { serve } from "./support.ts";

const PAGE = "https://chat.example";

describe("[AUTH-6] a listed origin", () => {
  test.each([
    [PAGE, `${PAGE}/`],
    [PAGE, `${PAGE}:443`],
    [PAGE, "HTTPS://Chat.Example"],
    [PAGE, ` ${PAGE}`],
    ["http://chat.example", "http://chat.example:80/"],
    ["https://chat.example:8443", "https://CHAT.example:8443/"],
    ["https://xn--bcher-kva.example", "https://bücher.example"],
    ["http://[::1]:5173", "http://[0:0:0:0:0:0:0:1]:5173"],
    ["chrome-extension://abcdef", "chrome-extension://abcdef/"],
    ["capacitor://localhost", "capacitor://localhost"],
    ["null", "null"],
  ])("lets %s in, written as %s", async (origin, written) => {
    const { port, log } = await serve({ allowedOrigins: ["https://other.example", written] });
    await expectServed(await Peer.open(port, { headers: { Origin: origin } }));
    expect(log.errors).toEqual([]);
  });

  test.each([
    "*",
    "https://*.chat.example",
    "https://*",
    "chat.example",
    "chat.example:443",
    "localhost:3000",
    "//chat.example",
    "https://chat.example/app",
    "https://chat.example?x=1",
    "https://chat.example#x",
    "https://me:secret@chat.example",
    "wss://chat.example",
    "file:///home/me/page.html",
    "https://a.example, https://b.example",
    "https://",
    "",
    "/",
  ])("that is %j is refused when it is given", (written) => {
    const make = (): unknown =>
      createTailwire({ anonymous: true, channels: {}, allowedOrigins: [written] });
    expect(make).toThrow(RangeError);
    expect(make).toThrow(`allowedOrigins: "${written}"`);
  });
});

test("the first origin that is refused is warned of by name, with what to do, and no other", async () => {
  const { port, log } = await serve({ allowedOrigins: [PAGE] });
  for (const origin of ["https://www.chat.example", "http://chat.example", "null"]) {
    await expectRefusal(port, { headers: { Origin: origin } }, 403, "forbidden_origin");
  }
  await expectServed(await Peer.open(port, { headers: { Origin: PAGE } }));
  const lines = log.errors.map(({ message }) => message);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain("https://www.chat.example");
  expect(lines[0]).toContain("allowedOrigins");
});

test("a page that is refused without a list is told of too", async () => {
  const { port, log } = await serve();
  const headers = { Origin: "https://evil.example", Host: "chat.example" };
  await expectRefusal(port, { headers }, 403, "forbidden_origin");
  expect(log.errors).toHaveLength(1);
  expect(log.errors[0]?.message).toContain("https://evil.example");
});

test("an origin that nobody should print is cut, and has no control characters", async () => {
  const { port, log } = await serve();
  const origin = `https://\u009b31m${"x".repeat(5_000)}`;
  await expectRefusal(port, { headers: { Origin: origin } }, 403, "forbidden_origin");
  expect(log.errors[0]?.message.length).toBeLessThan(400);
  expect(log.errors[0]?.message).toMatch(/^[ -~]*$/);
});
