// Whatever is thrown becomes an error that can be read, and a TailwireError one that can travel.
import { TailwireError, tailwireError, validateServerMessage } from "@tailwire/protocol";
import { describe, expect, test } from "vitest";
import { errorOf } from "../../src/support/thrown.ts";
import { THROWABLES } from "../oddities.ts";

describe("errorOf", () => {
  test.each(Object.entries(THROWABLES))("of %s is an error with words", (_what, make) => {
    const error = errorOf(make());
    expect(error).toBeInstanceOf(Error);
    expect(typeof error.message).toBe("string");
    expect(typeof error.stack).toBe("string");
  });

  test("gives an ordinary error as it is, and text in an error's words", () => {
    const error = new RangeError("out of it");
    expect(errorOf(error)).toBe(error);
    expect(errorOf("text").message).toBe("text");
    const refusal = tailwireError("forbidden", "with a detail");
    expect(errorOf(refusal)).toBe(refusal);
  });
});

type Details = ConstructorParameters<typeof TailwireError>[0];

const REFUSAL: Details = { code: "slow_down", description: "Wait.", fault: "client", retry: true };

/** An application's error with something odd in it: TypeScript isn't everywhere. */
const odd = (changes: object): TailwireError => new TailwireError({ ...REFUSAL, ...changes });

const travels = ({ code, description, fault, retry, retryAfterMs }: TailwireError): boolean =>
  "message" in
  validateServerMessage({
    type: "error",
    id: "s1",
    timestamp: 1,
    code,
    description,
    fault,
    retry,
    ...(retryAfterMs === null ? {} : { retryAfterMs }),
  });

describe("a TailwireError", () => {
  test.each([
    ["code", { code: "x".repeat(5_000) }],
    ["code", { code: "" }],
    ["code", { code: 7 }],
    ["code", { code: undefined }],
    ["description", { description: undefined }],
    ["description", { description: ["Wait."] }],
    ["fault", { fault: "nobody" }],
    ["retry", { retry: "yes" }],
    ["retryAfterMs", { retryAfterMs: Number.NaN }],
    ["retryAfterMs", { retryAfterMs: Infinity }],
    ["retryAfterMs", { retryAfterMs: "soon" }],
  ])("whose %s is unfit isn't one any more, and says so: %j", (field, changes) => {
    const error = errorOf(odd(changes));
    expect(error).not.toBeInstanceOf(TailwireError);
    expect(error.message).toContain(field);
  });

  test.each([
    [12.1, 13],
    [-3, 0],
    [1e300, Number.MAX_SAFE_INTEGER],
    [0, 0],
  ])("that waits %d ms is brought to a whole number from 0 on", (retryAfterMs, whole) => {
    const error = errorOf(odd({ retryAfterMs })) as TailwireError;
    expect(error).toMatchObject({ code: "slow_down", retryAfterMs: whole });
    expect(travels(error)).toBe(true);
  });

  test("whose description is as long as a book is cut", () => {
    for (const description of ["x".repeat(5_000), "é".repeat(5_000), "👍".repeat(2_000)]) {
      const error = errorOf(odd({ description })) as TailwireError;
      expect(error.code).toBe("slow_down");
      expect(travels(error)).toBe(true);
    }
  });

  test("made by hand from its prototype is read like any other", () => {
    const bare = Object.create(TailwireError.prototype) as unknown;
    expect(errorOf(bare).message).toContain("code");
  });
});
