// Which pages may connect: the Origin that only browsers send, and they can't leave out.
import { expect, test } from "vitest";
import { expectRefusal, expectServed } from "./expect.ts";
import { Peer } from "./peer.ts";
import { serve } from "./support.ts";

const PAGE = "https://chat.example";

const origins: readonly [
  origin: string,
  host: string | null,
  allowed: readonly string[] | null,
  boolean,
][] = [
  // Without a list: the page's own host.
  [PAGE, "chat.example", null, true],
  ["http://chat.example:8080", "chat.example:8080", null, true],
  ["https://evil.example", "chat.example", null, false],
  ["https://evil-chat.example", "chat.example", null, false],
  ["https://chat.example.evil.example", "chat.example", null, false],
  ["https://chat.example:8443", "chat.example", null, false],
  ["https://chat.example", "chat.example:8443", null, false],
  ["null", "chat.example", null, false],
  ["null", "localhost", null, false],
  ["", "chat.example", null, false],
  ["not an origin", "chat.example", null, false],
  // On this machine any port, and any of its loopback names.
  ["http://localhost:5173", null, null, true],
  ["http://127.0.0.1:5173", "localhost:8080", null, true],
  ["http://[::1]:5173", "127.0.0.1:8080", null, true],
  ["http://localhost.evil.example:5173", "localhost:8080", null, false],
  ["http://127.0.0.1.evil.example", "127.0.0.1:8080", null, false],
  ["http://localhost:5173", "chat.example", null, false],
  ["https://evil.example", "localhost:8080", null, false],
  // With a list: exactly what is on it.
  [PAGE, "other.example", [PAGE], true],
  ["http://chat.example", "chat.example", [PAGE], false],
  ["https://CHAT.example", "chat.example", [PAGE], false],
  ["https://chat.example:443", "chat.example", [PAGE], false],
  ["https://chat.example/", "chat.example", [PAGE], false],
  ["https://evil-chat.example", "chat.example", [PAGE], false],
  ["null", "chat.example", [PAGE], false],
  ["http://localhost:5173", null, [PAGE], false],
  ["null", "chat.example", ["null"], true],
];

for (const [origin, host, allowedOrigins, allowed] of origins) {
  const where = `${host ?? "its own address"}${allowedOrigins === null ? "" : " with a list"}`;
  test(`[AUTH-6] a page of "${origin}" is ${allowed ? "let in" : "answered 403"} at ${where}`, async () => {
    const { port, tailwire } = await serve(allowedOrigins === null ? {} : { allowedOrigins });
    const headers = { Origin: origin, ...(host === null ? {} : { Host: host }) };
    if (allowed) return expectServed(await Peer.open(port, { headers }));
    await expectRefusal(port, { headers }, 403, "forbidden_origin");
    expect(tailwire.connections).toBe(0);
  });
}
