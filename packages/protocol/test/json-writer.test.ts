/** An application's value, as JSON: whole, or refused with the place of what JSON can't hold. */
import { runInNewContext } from "node:vm";
import { JsonText, TailwireError } from "@tailwire/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

/** The text of a value, or the words that it is refused with. */
function written(value: unknown): string {
  try {
    return JsonText.of(value).text;
  } catch (error) {
    // The place and the reason stand in brackets, behind what holds for all of them.
    if (error instanceof TailwireError && error.code === "invalid_data")
      return / \((.*)\)$/s.exec(error.description)?.[1] ?? "";
    throw error;
  }
}

class Money {
  readonly #amount = 5;
  get amount(): number {
    return this.#amount;
  }
}

class Point {
  readonly x = 1;
  readonly y: number | undefined = undefined;
  norm(): number {
    return this.x;
  }
}

const holes: unknown[] = [1];
holes.length = 3;

const cycle: { next?: unknown } = {};
cycle.next = { list: [cycle] };

const revoked = Proxy.revocable({}, {});
revoked.revoke();

const throwing = (thrown: unknown): object => ({
  get a() {
    throw thrown;
  },
});

describe("[ENC-12] what JSON would turn into something else is refused, with its place", () => {
  test.each<[string, unknown, string]>([
    ["undefined", undefined, "data: undefined"],
    ["a Map", { items: [0, 1, 2, new Map()] }, "data.items[3]: Map"],
    ["a Set", new Set([1]), "data: Set"],
    ["a WeakMap", { a: new WeakMap() }, "data.a: WeakMap"],
    ["a Blob", new Blob(["four"]), "data: Blob"],
    ["an Error", { cause: new TypeError("no") }, "data.cause: Error"],
    ["a RegExp", [/x/], "data[0]: RegExp"],
    ["a Promise", { later: Promise.resolve(1) }, "data.later: Promise"],
    ["a function", { a: () => 1 }, "data.a: Function"],
    ["an async function", [async () => 1], "data[0]: AsyncFunction"],
    ["a class", { Point }, "data.Point: Function"],
    ["a symbol", { a: Symbol("x") }, "data.a: Symbol"],
    ["a bigint", { a: [1n] }, "data.a[0]: BigInt"],
    ["NaN", { a: { b: NaN } }, "data.a.b: NaN"],
    ["Infinity", [Infinity], "data[0]: Infinity"],
    ["-Infinity", -Infinity, "data: -Infinity"],
    ["an invalid Date", { at: new Date(NaN) }, "data.at: Invalid Date"],
    ["undefined in a list", [1, undefined], "data[1]: undefined"],
    ["a hole", { list: holes }, "data.list[1]: undefined"],
    ["a boxed number", [Object(1)], "data[0]: Number"],
    ["a boxed text", Object("x"), "data: String"],
    ["a query", { q: new URLSearchParams("a=1") }, "data.q: URLSearchParams"],
    ["a generator", (function* () {})(), "data: Generator"],
    ["an event", new Event("click"), "data: Event"],
    ["a Uint8Array", { file: new Uint8Array(4) }, "data.file: bytes"],
    ["a Buffer", { file: Buffer.from("four") }, "data.file: bytes"],
    ["an ArrayBuffer", [new ArrayBuffer(4)], "data[0]: bytes"],
    ["a SharedArrayBuffer", [new SharedArrayBuffer(4)], "data[0]: bytes"],
    ["a Float32Array", [[new Float32Array(1)]], "data[0][0]: bytes"],
    ["a DataView", { a: new DataView(new ArrayBuffer(1)) }, "data.a: bytes"],
    ["bytes alone, where they are no payload", new Uint8Array(1), "data: bytes"],
    ["a symbol for a key", [{ [Symbol("x")]: 1 }], "data[0]: more than JSON can hold"],
    ["private fields", { p: new Money() }, "data.p: more than JSON can hold"],
    ["inherited data", Object.create({ a: 1 }), "data: more than JSON can hold"],
    ["a toJSON that gives a Set", { toJSON: () => new Set() }, "data: Set"],
    ["a toJSON that gives nothing, in a list", [{ toJSON: () => undefined }], "data[0]: undefined"],
    [
      "a toJSON that throws",
      [{ toJSON: () => new Set(JSON.parse("") as []) }],
      "data[0]: Unexpected end of JSON input",
    ],
    ["a getter that throws", [throwing(new Error("no"))], "data[0].a: no"],
    ["a getter that throws text", throwing("no"), "data.a: no"],
    ["a getter that throws what has no words", throwing(Object.create(null)), "data.a: ?"],
    [
      "a revoked Proxy",
      { a: revoked.proxy },
      expect.stringMatching(/^data\.a: .*revoked/) as never,
    ],
    ["another realm's Map", runInNewContext("[new Map()]"), "data[0]: Map"],
    ["another realm's Error", runInNewContext("[new Error()]"), "data[0]: Error"],
    ["another realm's bytes", runInNewContext("[new Uint8Array(1)]"), "data[0]: bytes"],
  ])("%s", (_, value, words) => {
    expect(written(value)).toEqual(words);
  });

  test("cycles, and nesting that no stack holds, end at the limit", () => {
    const deep = Array.from({ length: 20_000 }).reduce((inner: unknown) => ({ inner }), 0);
    for (const value of [cycle, deep]) expect(written(value)).toMatch(/: over 64 deep$/);
  });
});

test("what JSON.stringify gives back whole is taken as it takes it", () => {
  const values: readonly [unknown, string][] = [
    [new Date(0), '"1970-01-01T00:00:00.000Z"'],
    [new URL("https://a/b"), '"https://a/b"'],
    [{ toJSON: (key: string) => ({ key }) }, '{"key":""}'],
    [[{ toJSON: (key: string) => key }], '["0"]'],
    [{ a: undefined, b: { toJSON: () => undefined }, c: 1 }, '{"c":1}'],
    [new Point(), '{"x":1}'],
    [Object.create(null), "{}"],
    [Object.defineProperty({}, "hidden", { value: 1 }), "{}"],
    [Object.defineProperty({}, Symbol("hidden"), { value: 1 }), "{}"],
    [JSON.parse('{"__proto__":{"a":1}}'), '{"__proto__":{"a":1}}'],
    [
      runInNewContext("({ a: [1, {}], at: new Date(0) })"),
      '{"a":[1,{}],"at":"1970-01-01T00:00:00.000Z"}',
    ],
    [new Proxy([new Proxy({ a: 1 }, {})], {}), '[{"a":1}]'],
    [-0, "0"],
    ['\ud800 " \\ \u2028 \u007f \n 😀', '"\\ud800 \\" \\\\ \u2028 \u007f \\n 😀"'],
    [{ '\ud800"': 1 }, '{"\\ud800\\"":1}'],
  ];
  for (const [value, text] of values) expect(written(value)).toBe(text);
});

test("each property is read once, so that what was judged is what is sent", () => {
  let reads = 0;
  const value = {
    get a() {
      reads += 1;
      return reads === 1 ? 1 : NaN;
    },
  };
  expect(written(value)).toBe('{"a":1}');
  expect(reads).toBe(1);
});

test("a list that grows while it is read is as long as it was", () => {
  const list: unknown[] = [];
  list.push({
    get a() {
      list.push(1);
      return 1;
    },
  });
  expect(written(list)).toBe('[{"a":1}]');
});

/** A value as JSON's own words can say it; throws where they can't. Written without the writer. */
function plain(value: unknown): unknown {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return Array.from(value, plain);
  if (typeof value !== "object") throw new TypeError("not JSON");
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) throw new TypeError("not JSON");
  const present = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(present.map(([key, item]) => [key, plain(item)]));
}

test("[ENC-12] any value arrives whole, or is refused", () => {
  const anything = fc.anything({
    maxDepth: 4,
    withBigInt: true,
    withBoxedValues: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withObjectString: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true,
  });
  let [whole, refused] = [0, 0];
  fc.assert(
    fc.property(fc.oneof(anything, fc.jsonValue()), (value) => {
      let expected: string | null = null;
      try {
        expected = JSON.stringify(plain(value));
        whole += 1;
      } catch {
        refused += 1;
      }
      const text = written(value);
      expect(text.startsWith("data") ? null : text).toBe(expected);
    }),
    { numRuns: 3_000 },
  );
  expect(Math.min(whole, refused)).toBeGreaterThan(300);
});
