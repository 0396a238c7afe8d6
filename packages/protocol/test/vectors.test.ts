/** The golden vectors: lines that any codec of protocol v1 must read, write and refuse alike. */
import { readFileSync } from "node:fs";
import { ERROR_CODES } from "@tailwire/protocol";
import { describe, expect, test } from "vitest";
import {
  decodeOne,
  type Direction,
  encode,
  refusal,
  revived,
  type Table,
  TYPES,
} from "./arbitraries.ts";

interface Vector {
  readonly name: string;
  readonly direction: Direction;
  readonly line: string;
}

interface MessageVector extends Vector {
  readonly message: Table | null;
}

interface RefusedVector extends Vector {
  readonly code: string;
  readonly re: string | null;
}

function read(name: string): unknown {
  const url = new URL(`../vectors/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, "utf8"));
}

const valid = read("valid") as readonly MessageVector[];
const accepted = read("accepted") as readonly MessageVector[];
const invalid = read("invalid") as readonly RefusedVector[];

/** A title for each vector. */
function titled<Kind extends Vector>(vectors: readonly Kind[]): readonly [string, Kind][] {
  return vectors.map((vector) => [`from a ${vector.direction}: ${vector.name}`, vector]);
}

describe("[ENC-1] a valid line is read and written", () => {
  test.each(titled(valid))("%s", (_, { direction, line, message }) => {
    expect(decodeOne(direction, line)).toEqual({ message: revived(message as Table) });
    expect(encode(revived(message as Table))).toBe(line);
  });
});

describe("[MSG-6] a line is accepted, though nobody here writes such", () => {
  test.each(titled(accepted))("%s", (_, { direction, line, message }) => {
    // Unknown fields of a message are nobody's business.
    expect(decodeOne(direction, line)).toMatchObject({
      message: message === null ? null : revived(message),
    });
  });
});

describe("[MSG-1] an invalid line is refused", () => {
  test.each(titled(invalid))("%s", (_, { direction, line, code, re }) => {
    expect(refusal(direction, line)).toMatchObject({ code, re });
  });
});

test("the vectors hold every message type, valid and invalid", () => {
  for (const vectors of [valid, invalid]) {
    const missing = TYPES.filter(
      ([direction, type]) =>
        !vectors.some(
          (one) => one.direction === direction && one.line.includes(`"type":"${type}"`),
        ),
    );
    expect(missing).toEqual([]);
  }
});

test("no two vectors of a file have the same name or the same line", () => {
  for (const vectors of [valid, accepted, invalid]) {
    const names = vectors.map(({ direction, name }) => `${direction} ${name}`);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
    const lines = vectors.map(({ direction, line }) => `${direction} ${line}`);
    expect(lines.filter((line, index) => lines.indexOf(line) !== index)).toEqual([]);
  }
});

test("the vectors' codes are in the table", () => {
  const codes = Object.keys(ERROR_CODES);
  expect(invalid.filter(({ code }) => !codes.includes(code))).toEqual([]);
});
