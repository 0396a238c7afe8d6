// No parser takes more than in proportion to what it is given: counted in steps, since times say
// something about the machine as well.
import fc from "fast-check";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { jsonCodec } from "@tailwire/protocol";
import { msgpackCodec } from "@tailwire/protocol/msgpack";
import { depthExceeds, isBounded, parseJson } from "../src/json-text.ts";
import * as PROTOCOL_LIMITS from "../src/limits.ts";
import { scanMessages } from "../src/msgpack-scan.ts";

/** Text that counts how often somebody looks at a character of it, and the ones that are copied. */
function counted(text: string): { readonly text: string; steps: () => number } {
  let steps = 0;
  const looks = {
    length: text.length,
    charCodeAt: (at: number) => {
      steps += 1;
      return text.charCodeAt(at);
    },
    slice: (start: number, end: number) => {
      steps += end - start;
      return text.slice(start, end);
    },
  };
  return { text: looks as unknown as string, steps: () => steps };
}

/** Units that patterns and revivers stumble over, to be repeated. */
const UNITS: readonly string[] = [
  `${"1".repeat(209)}a`,
  `${"1".repeat(209)},`,
  "1",
  "9e9",
  "1e100,",
  "1e99e",
  "-+.eE",
  "[],",
  "{},",
  `"a":1,`,
  `"\\`,
  `\\"`,
  `"`,
  "[[[[]]]],",
  "1.5e300,",
  "0.",
];

describe("text of 64 KiB is looked at a fixed number of times, whatever it is:", () => {
  test.each(UNITS.map((unit) => [unit.slice(0, 12), unit] as const))("%s…", (_name, unit) => {
    for (const [before, behind] of [
      ["", ""],
      ['"', '"'],
      ["[1e100,", "1]"],
    ] as const) {
      const text = before + unit.repeat(65_000 / unit.length) + behind;
      for (const scan of [isBounded, depthExceeds]) {
        const one = counted(text);
        scan(one.text, 64);
        expect(one.steps()).toBeLessThanOrEqual(3 * text.length);
      }
    }
  });
});

test("a value is made without a call for each of its parts", () => {
  const parse = vi.spyOn(JSON, "parse");
  onTestFinished(() => parse.mockRestore());
  expect(parseJson(`[1e100,${"[],".repeat(1_000)}1]`, 64)).toHaveLength(1_002);
  expect(parse.mock.calls.map(({ length }) => length)).toEqual([1]);
});

test("[ENC-3] a number that overflows is found wherever it stands, and only if it is one", () => {
  const number = fc.oneof(
    fc.constantFrom("1e308", "1.8e308", "2e308", "1e309", "-1e309", "1E+400", "1e-400", "0e999"),
    fc.constantFrom("1".repeat(308), "1".repeat(309), "9".repeat(310), `0.${"1".repeat(400)}`),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  );
  const around = fc.constantFrom(
    (text: string) => text,
    (text: string) => `[1,${text}]`,
    (text: string) => `{"1e999":${text},"x":"2e999\\"3e999"}`,
    (text: string) => JSON.stringify([`${text} 1e999`, "\\"]),
  );
  fc.assert(
    fc.property(number, around, (text, place) => {
      const json = place(text);
      const value: unknown = JSON.parse(json);
      const overflows = JSON.stringify(value) !== JSON.stringify(finite(value));
      expect(isBounded(json, 64)).toBe(!overflows);
    }),
  );
});

/** The same with every number that isn't finite as something that JSON has no null for. */
function finite(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(finite);
  if (typeof value !== "object" || value === null) {
    return value === Infinity || value === -Infinity ? "overflow" : value;
  }
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, finite(one)]));
}

describe("a batch", () => {
  /** Counts the texts that are parsed while something is done. */
  const parsedBy = (work: () => unknown): number => {
    const parse = vi.spyOn(JSON, "parse");
    work();
    const { length } = parse.mock.calls;
    parse.mockRestore();
    return length;
  };

  test("is decoded as far as somebody asks for it", () => {
    const text = "x\n".repeat(1_000);
    const take = (count: number) => (): void => {
      const messages = jsonCodec.clientBatch(text)[Symbol.iterator]();
      for (let taken = 0; taken < count; taken += 1) messages.next();
    };
    expect([0, 1, 3].map((count) => parsedBy(take(count)))).toEqual([0, 1, 3]);
    const message = msgpackCodec.encode({ type: "x" } as never) as Uint8Array;
    const batch = msgpackCodec.clientBatch(msgpackCodec.join([message, message]));
    const malformed = { malformed: { code: "bad_message" } };
    expect(batch[Symbol.iterator]().next()).toMatchObject({ done: false, value: malformed });
    expect(batch.size).toBe(2);
  });

  test("gives what decoding it as a whole gives, and says before how many they are", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("{}", "x", "", "[]", '{"type":"ping"}')), (lines) => {
        for (const end of ["", "\n"]) {
          const text = lines.join("\n") + end;
          const batch = jsonCodec.clientBatch(text);
          expect([...batch]).toEqual(jsonCodec.decodeClientMessages(text));
          expect([...batch]).toHaveLength(batch.size);
        }
      }),
    );
  });

  test("[ENC-2] of too many lines is refused without looking at them", () => {
    for (const text of ["\n".repeat(65_000), "x\n".repeat(1_025), `${"{}\n".repeat(1_024)}x`]) {
      expect(parsedBy(() => [...jsonCodec.clientBatch(text)])).toBe(0);
      expect(jsonCodec.decodeClientMessages(text)).toMatchObject([{ malformed: { re: null } }]);
    }
    expect(jsonCodec.clientBatch("x\n".repeat(1_024)).size).toBe(1_024);
  });

  test("[FLOW-6] says how many lists and objects there are, wherever they stand", () => {
    const containersOf = (data: string): number => jsonCodec.clientBatch(data).containers;
    expect(containersOf(`[${"[],".repeat(500)}1]`)).toBe(501);
    expect(containersOf(`{"a":[${"{},".repeat(500)}1]}`)).toBe(502);
    expect(containersOf(`"${"a".repeat(1_000)}"`)).toBe(0);
    const data = `[${"[],".repeat(500)}1]`;
    const message = msgpackCodec.encode({ type: "publish", data: { text: data } } as never);
    expect(msgpackCodec.clientBatch(message).containers).toBe(501);
  });
});

describe("[ENC-10] a client's message as MessagePack", () => {
  /** A map with so many pairs, of which each is three bytes. */
  const pairs = (count: number): Uint8Array =>
    Uint8Array.of(
      0xde,
      count >> 8,
      count & 255,
      ...Array.from({ length: count }, () => [0xa1, 0x61, 0x01]).flat(),
    );

  test("has 1,024 values at most, which is found before any is made", () => {
    const most = (PROTOCOL_LIMITS.valuesMax - 1) / 2;
    expect(scanMessages(pairs(Math.floor(most)), PROTOCOL_LIMITS.valuesMax)).not.toBeNull();
    expect(scanMessages(pairs(Math.ceil(most)), PROTOCOL_LIMITS.valuesMax)).toBeNull();
    const nested = Uint8Array.of(0x81, 0xa1, 0x61, 0xdc, 0x04, 0x00, ...new Uint8Array(1_024));
    expect(msgpackCodec.decodeClientMessages(nested)).toMatchObject([{ malformed: { re: null } }]);
    // A server's message may hold a page.
    expect(msgpackCodec.decodeServerMessages(nested)).not.toMatchObject([
      { malformed: { detail: expect.stringContaining("batch") as string } },
    ]);
  });

  test("[FLOW-6] with more than 64 values counts as dear", () => {
    const dearnessOf = (count: number): number => msgpackCodec.clientBatch(pairs(count)).containers;
    // The map itself is a value as well.
    expect([1, 31, 32, 100].map(dearnessOf)).toEqual([0, 0, 4, 4 * (201 - 64)]);
  });

  test("is walked once, each value of it", () => {
    expect(scanMessages(pairs(5_000), Infinity)?.values).toBe(10_001);
  });
});
