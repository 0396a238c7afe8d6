/** Channel names and patterns: the grammar, and what matches, fills and overlaps. */
import { ChannelPattern, isChannelName, PROTOCOL_LIMITS } from "@tailwire/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { channelName } from "./arbitraries.ts";

/** The grammar of [CHAN-1], read aloud. */
function keepsGrammar(name: string): boolean {
  const segments = name.split(/[:/]/);
  return (
    name.length <= 200 &&
    segments.every((segment) => /^[A-Za-z0-9_@+=,~!.-]+$/.test(segment)) &&
    !segments.some((segment) => segment === "." || segment === "..")
  );
}

describe("[CHAN-1] a channel's name", () => {
  test("keeps the grammar when it is made by it", () => {
    fc.assert(
      fc.property(channelName, (name) => {
        expect(isChannelName(name)).toBe(true);
      }),
    );
  });

  test("is told from every other text", () => {
    const alike = fc.string({
      unit: fc.constantFrom(...Array.from("aZ0:/.._@+=,~!- *>\n")),
      maxLength: 12,
    });
    fc.assert(
      fc.property(fc.oneof(alike, fc.string({ unit: "binary" })), (text) => {
        expect(isChannelName(text)).toBe(keepsGrammar(text));
      }),
      { numRuns: 5_000 },
    );
  });

  test("may have each character of the grammar, and no other of the 65,536", () => {
    let allowed = "";
    for (let unit = 0; unit <= 0xffff; unit += 1) {
      if (isChannelName(`a${String.fromCharCode(unit)}b`)) allowed += String.fromCharCode(unit);
    }
    const expected = "!+,-./0123456789:=@ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~";
    expect(allowed).toBe(expected);
  });

  test("has 200 characters at most", () => {
    expect(PROTOCOL_LIMITS.channelLengthMax).toBe(200);
    expect(isChannelName("a".repeat(200))).toBe(true);
    expect(isChannelName("a".repeat(201))).toBe(false);
  });

  test.each([
    "",
    ":",
    "/",
    "a:",
    ":a",
    "a::b",
    "a:/b",
    ".",
    "..",
    "a:.:b",
    "../a",
    "a/..",
    "a\n",
    "\na",
    "a\r",
  ])("isn't %j", (name) => {
    expect(isChannelName(name)).toBe(false);
  });

  test.each([
    "...",
    ".a",
    "a..b",
    "__proto__",
    "constructor:toString",
    "a:b/c:d",
    "-",
    "@me",
    "=2A",
  ])("may be %j", (name) => {
    expect(isChannelName(name)).toBe(true);
  });
});

/** The name that a pattern gives with these params. */
function fill(pattern: ChannelPattern, params: Readonly<Record<string, string>>): string {
  return pattern.fill(params);
}

describe("a pattern", () => {
  test("gives the params of a name that it matches", () => {
    const pattern = new ChannelPattern("org:{org}/doc:{doc}");
    expect({ ...pattern.match("org:acme/doc:7") }).toEqual({ org: "acme", doc: "7" });
    for (const name of [
      "org:acme/doc",
      "org:acme:doc:7",
      "org:acme/doc:7:8",
      "Org:acme/doc:7",
      "doc:7",
      "",
    ]) {
      expect([name, pattern.match(name)]).toEqual([name, null]);
    }
  });

  test("without params matches its own name only", () => {
    const pattern = new ChannelPattern("lobby");
    expect({ ...pattern.match("lobby") }).toEqual({});
    expect(pattern.match("lobby2")).toBe(null);
    expect(fill(pattern, {})).toBe("lobby");
  });

  test("matches what it fills, and gives the same params back", () => {
    const segment = channelName.map((name) => name.split(/[:/]/)[0] as string);
    fc.assert(
      fc.property(segment, segment, (org, doc) => {
        const pattern = new ChannelPattern("org:{org}/doc:{doc}");
        const name = fill(pattern, { org, doc });
        expect(name).toBe(`org:${org}/doc:${doc}`);
        expect({ ...pattern.match(name) }).toEqual({ org, doc });
      }),
    );
  });

  test("doesn't match a name that a param with a separator makes", () => {
    const pattern = new ChannelPattern("room:{id}");
    expect(pattern.match(fill(pattern, { id: "a:b" }))).toBe(null);
    expect(pattern.match(fill(pattern, { id: "a/b" }))).toBe(null);
  });

  test("leaves a param that it isn't given in braces, which breaks the grammar", () => {
    const name = fill(new ChannelPattern("room:{id}"), {});
    expect(name).toBe("room:{id}");
    expect(isChannelName(name)).toBe(false);
    expect(fill(new ChannelPattern("x:{constructor}"), {})).toBe("x:{constructor}");
  });

  test("keeps params apart from what objects inherit", () => {
    const params = new ChannelPattern("x:{constructor}").match("x:y");
    expect(Object.getPrototypeOf(params)).toBe(null);
    expect(params?.["constructor"]).toBe("y");
    expect(params?.["toString"]).toBeUndefined();
  });

  test.each([
    "",
    "a b",
    "{}",
    "{a",
    "a}",
    "a{b}",
    "{a}b",
    "{a}{b}",
    "{1a}",
    "{a-b}",
    "{a:b}",
    "a::{b}",
    "{a}:{a}",
    "{a}/",
    "..",
    "*",
    "x".repeat(201),
  ])("isn't %j", (pattern) => {
    expect(() => new ChannelPattern(pattern)).toThrow(RangeError);
  });
});

describe("two patterns", () => {
  const part = fc.constantFrom("a", "b", "{x}");
  const anyPattern = fc
    .array(fc.tuple(fc.constantFrom(":", "/"), part), { minLength: 1, maxLength: 4 })
    .map((parts) => {
      // A param's name may stand once: number them.
      const numbered = parts.map(([separator, one], index) => [
        separator,
        one.replace("x", `x${index}`),
      ]);
      return new ChannelPattern(numbered.flat().slice(1).join(""));
    });
  const anyName = fc
    .array(fc.tuple(fc.constantFrom(":", "/"), fc.constantFrom("a", "b", "c")), {
      minLength: 1,
      maxLength: 4,
    })
    .map((parts) => parts.flat().slice(1).join(""));

  test("overlap when a name matches both", () => {
    fc.assert(
      fc.property(anyPattern, anyPattern, anyName, (one, other, name) => {
        fc.pre(one.match(name) !== null && other.match(name) !== null);
        expect(one.overlaps(other)).toBe(true);
      }),
      { numRuns: 500, maxSkipsPerRun: 1_000 },
    );
  });

  test("overlap only when some name matches both", () => {
    fc.assert(
      fc.property(anyPattern, anyPattern, (one, other) => {
        fc.pre(one.overlaps(other));
        // Segments that either demands, and anything where both have params.
        const twin = other.pattern.split(/([:/])/);
        const name = one.pattern
          .split(/([:/])/)
          .map((own, index) => (own.startsWith("{") ? twin[index] : own))
          .join("")
          .replaceAll(/\{\w+\}/g, "c");
        expect([one.match(name), other.match(name)]).not.toContain(null);
      }),
      { numRuns: 500, maxSkipsPerRun: 1_000 },
    );
  });

  test("overlap both ways or not at all, and each with itself", () => {
    fc.assert(
      fc.property(anyPattern, anyPattern, (one, other) => {
        expect(one.overlaps(other)).toBe(other.overlaps(one));
        expect(one.overlaps(one)).toBe(true);
      }),
    );
  });

  test.each([
    ["room:{id}", "room:7", true],
    ["room:{id}", "{kind}:7", true],
    ["room:{id}", "room/{id}", false],
    ["room:{id}", "room:{id}:{part}", false],
    ["room:{id}", "hall:{id}", false],
    ["{a}", "{b}", true],
  ])("%s and %s: %s", (one, other, overlap) => {
    expect(new ChannelPattern(one).overlaps(new ChannelPattern(other))).toBe(overlap);
  });
});
