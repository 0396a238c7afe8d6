// An application's logger harms nobody, and what it doesn't take isn't lost.
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { makeStderrLogger, stderrLogger } from "../../src/drivers/stderr-logger.ts";
import type { Logger } from "../../src/ports.ts";
import { SafeLogger } from "../../src/drivers/safe-logger.ts";
import { rejecting, THROWABLES } from "../oddities.ts";

const LEVELS = ["debug", "info", "warn", "error"] as const;

/** A logger that writes down what it is told. */
function noting(): { readonly logger: Logger; readonly lines: string[] } {
  const lines: string[] = [];
  const note =
    (level: string) =>
    (_fields: object, message: string): void =>
      void lines.push(`${level} ${message}`);
  const [debug, info, warn, error] = LEVELS.map(note) as [
    Logger["debug"],
    Logger["info"],
    Logger["warn"],
    Logger["error"],
  ];
  return { logger: { debug, info, warn, error }, lines };
}

/** Says one thing on each level. */
function sayAll(logger: Logger): void {
  for (const level of LEVELS) logger[level]({}, "said");
}

const SAID = LEVELS.map((level) => `${level} said`);

describe("a logger", () => {
  test("that works is told everything, as itself, and the other one nothing", () => {
    const { logger, lines } = noting();
    const fallback = noting();
    sayAll(new SafeLogger(logger, fallback.logger));
    expect([lines, fallback.lines]).toEqual([SAID, []]);
    class Counting {
      count = 0;
      error(): void {
        this.count += 1;
      }
    }
    const counting = new Counting();
    new SafeLogger(counting, fallback.logger).error({}, "said");
    expect(counting.count).toBe(1);
  });

  test.each<readonly [string, object, readonly string[]]>([
    ["lacks debug", { info() {}, warn() {}, error() {} }, ["debug said"]],
    ["has nothing but error", { error() {} }, SAID.slice(0, 3)],
    ["has no methods at all", {}, SAID],
    ["has text for a method", { debug() {}, info() {}, warn: "warn", error() {} }, ["warn said"]],
  ])("that %s leaves the rest to the other one", (_what, logger, told) => {
    const fallback = noting();
    sayAll(new SafeLogger(logger, fallback.logger));
    expect(fallback.lines).toEqual(told);
  });

  test.each(Object.entries(THROWABLES))("may throw %s", (_what, make) => {
    const fallback = noting();
    const throwing = (): void => {
      throw make();
    };
    sayAll(new SafeLogger({ warn: throwing, error: throwing }, fallback.logger));
    expect(fallback.lines.filter((line) => line.endsWith("said"))).toEqual(SAID);
    expect(fallback.lines.filter((line) => line.includes("failed"))).toHaveLength(1);
  });

  test("may reject, or have getters that throw", async () => {
    const fallback = noting();
    const late = (): never => rejecting(Object.create(null)) as never;
    const logger = new SafeLogger({ error: late }, fallback.logger);
    logger.error({}, "said");
    logger.error({}, "said");
    await new Promise((resolve) => setImmediate(resolve));
    expect(fallback.lines.filter((line) => line === "error said")).toHaveLength(2);
    const throwing = Object.defineProperty({}, "warn", {
      get: () => {
        throw new Error("boom");
      },
    });
    new SafeLogger(throwing, fallback.logger).warn({}, "warned");
    expect(fallback.lines).toContain("warn warned");
  });
});

describe("standard error", () => {
  test("takes fields of every kind, a line each", () => {
    const written: string[] = [];
    const spy = vi.spyOn(process.stderr, "write").mockImplementation((line) => {
      written.push(String(line));
      return true;
    });
    onTestFinished(() => spy.mockRestore());
    const circle: Record<string, unknown> = {};
    circle["circle"] = circle;
    const throwing = { toJSON: () => rejectedNow() };
    for (const odd of [circle, 1n, throwing, new Error("found"), undefined, Symbol("odd")]) {
      stderrLogger.error({ odd }, "said");
    }
    expect(written).toHaveLength(6);
    for (const line of written) expect(line).toMatch(/^tailwire: said .*\n$/);
    expect(written[3]).toContain("found");
  });
});

function rejectedNow(): never {
  throw new Error("boom");
}

describe("the logger of those who gave none", () => {
  const said = (): { logger: Logger; lines: string[]; wait: (ms: number) => void } => {
    const lines: string[] = [];
    let now = 0;
    const logger = makeStderrLogger({ write: (line) => void lines.push(line), now: () => now });
    return { logger, lines, wait: (ms) => (now += ms) };
  };

  test.each([
    ["a control character of 8 bits", "\u009b31m", "\\u009b31m"],
    ["a line separator", "a\u2028b", "a\\u2028b"],
    ["a paragraph separator", "a\u2029b", "a\\u2029b"],
    ["a mark that turns text around", "a\u202eb", "a\\u202eb"],
    ["an isolate", "a\u2066b", "a\\u2066b"],
    ["the delete character", "a\u007fb", "a\\u007fb"],
    ["an escape", "a\u001bb", "a\\u001bb"],
  ])("escapes %s, in fields and in messages", (_, text, expected) => {
    const { logger, lines } = said();
    logger.error({ text }, "said");
    expect(lines).toEqual([`tailwire: said {"text":"${expected}"}\n`]);
    logger.error({ error: new Error(text) }, "said");
    expect(lines[1]).toContain(`Error: ${expected}`);
    expect(lines[1]?.split("\n")).toHaveLength(2);
  });

  test("cuts an error's message, a text and a line's own words", () => {
    const { logger, lines } = said();
    const long = "x".repeat(60_000);
    logger.error({ error: new Error(long) }, long);
    logger.warn({ channel: long }, "said");
    for (const line of lines) expect(line.length).toBeLessThan(5_000);
    expect(lines[0]).toContain("(60000 characters)");
    expect(lines[0]).toContain("safe-logger.test.ts");
  });

  test("writes a hundred lines in a second, and then how many more there were", () => {
    const { logger, lines, wait } = said();
    for (let count = 0; count < 8_000; count += 1) logger.error({}, "said");
    expect(lines).toHaveLength(100);
    wait(1_000);
    logger.error({}, "said");
    expect(lines.slice(100)).toEqual(["tailwire: and 7900 lines more\n", "tailwire: said {}\n"]);
    wait(5_000);
    logger.error({}, "said");
    expect(lines).toHaveLength(103);
  });
});
