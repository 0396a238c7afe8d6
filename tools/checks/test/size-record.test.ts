/** A browser package's size: within its limit, and as it was recorded. */
import { expect, test } from "vitest";
import { judgeSize, LIMITS } from "../src/size-record.ts";

test("what was recorded passes, and the line says what a change adds", () => {
  expect(judgeSize("client", 10_250, 10_240)).toEqual({
    passes: true,
    lines: ["size of client: 10,250 of 12,288 bytes (+10 since recorded 10,240)"],
  });
  expect(judgeSize("client", 10_240, 10_240).lines).toEqual([
    "size of client: 10,240 of 12,288 bytes (+0 since recorded 10,240)",
  ]);
});

test.each([
  [
    10_300,
    10_240,
    "size of client: tools/checks/size.json says 10,240; `npm run size` records 10,300",
  ],
  [
    10_200,
    10_240,
    "size of client: tools/checks/size.json says 10,240; `npm run size` records 10,200",
  ],
  [
    10_240,
    Number.NaN,
    "size of client: tools/checks/size.json says NaN; `npm run size` records 10,240",
  ],
  [LIMITS.client + 1, LIMITS.client + 1, "size of client: 1 bytes over the limit"],
  [0, 0, "size of client: nothing was built"],
])("%i bytes with %i recorded don't", (bytes, recorded, complaint) => {
  const { passes, lines } = judgeSize("client", bytes, recorded);
  expect(passes).toBe(false);
  expect(lines.slice(1)).toEqual([complaint]);
});

test.each([-16, 16])("%i bytes of zlib's own pass", (bytes) => {
  expect(judgeSize("client", 10_240 + bytes, 10_240).passes).toBe(true);
});

test("each package has a limit of its own", () => {
  const bytes = LIMITS.react + 1;
  expect(judgeSize("react", bytes, bytes).lines).toContain("size of react: 1 bytes over the limit");
  expect(judgeSize("client", bytes, bytes).passes).toBe(true);
});
