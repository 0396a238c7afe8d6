/** PROTOCOL.md in step with the sources: its tables, its fields, and every line in its examples. */
import { readFileSync } from "node:fs";
import { CLOSE_CODES, ERROR_CODES, PROTOCOL_LIMITS, verdictOf } from "@tailwire/protocol";
import { describe, expect, test } from "vitest";
import {
  decodeOne,
  type Direction,
  encode,
  refusal,
  type Table,
  TABLES,
  TYPES,
} from "./arbitraries.ts";

const text = readFileSync(new URL("../../../PROTOCOL.md", import.meta.url), "utf8");

/** The cells of a table's rows, its head and rule left out. */
function rowsOf(markdown: string): readonly (readonly string[])[] {
  return markdown
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .slice(2)
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

function generated(name: string): readonly (readonly string[])[] {
  const begin = `<!-- generated: ${name} -->`;
  const at = text.indexOf(begin);
  if (at === -1) throw new Error(`no ${begin}`);
  return rowsOf(text.slice(at, text.indexOf("<!-- end -->", at)));
}

/** The text under a message's heading, up to the next one. */
function section(type: string): string {
  const heading = new RegExp(`^### .*\`${type}\`.*$`, "m").exec(text);
  if (heading === null) throw new Error(`no section on ${type}`);
  const from = heading.index + heading[0].length;
  const next = /^##/m.exec(text.slice(from));
  return text.slice(from, next === null ? text.length : from + next.index);
}

const examples = [...text.matchAll(/^```jsonl\n([^]*?)^```$/gm)].flatMap((match) =>
  (match[1] ?? "").trimEnd().split("\n"),
);

test("the table of error codes has exactly the codes there are", () => {
  const rows = Object.entries(ERROR_CODES).map(([code, { fault, retry, description }]) => [
    `\`${code}\``,
    fault,
    retry ? "yes" : "no",
    // A formatter may escape what Markdown would take for its own.
    description,
  ]);
  const unescaped = generated("error codes").map((row) =>
    row.map((cell) => cell.replaceAll("\\", "")),
  );
  expect(unescaped).toEqual(rows);
});

test("[CLOSE-1] the table of close codes has exactly the codes there are, with their verdicts", () => {
  const rows = Object.entries(CLOSE_CODES).map(([name, { code, meaning }]) => [
    String(code),
    `\`${name}\``,
    verdictOf(code),
    meaning,
  ]);
  expect(generated("close codes")).toEqual(rows);
});

test("the table of limits has exactly the limits there are", () => {
  const rows = Object.entries(PROTOCOL_LIMITS).map(([name, value]) => [
    `\`${name}\``,
    value.toLocaleString("en"),
  ]);
  expect(generated("limits").map((row) => row.slice(0, 2))).toEqual(rows);
});

describe("the section on a message", () => {
  test.each(TYPES)(
    "from a %s, %s, has exactly its fields, and which may be left out",
    (direction, type) => {
      const table = section(type)
        .split("\n\n")
        .find((block) => block.startsWith("| field"));
      // `ping` has no fields of its own; the table in its section is the one of `pong`.
      const rows = type === "ping" ? [] : rowsOf(table ?? "");
      const written = rows.map(([name, , required]) => `${name} ${required}`);
      const known = Object.entries(TABLES[direction][type] ?? {}).map(
        ([name, { kind }]) => `\`${name}\` ${kind === "optional" ? "no" : "yes"}`,
      );
      expect(new Set(written)).toEqual(new Set(known));
      expect(written).toHaveLength(known.length);
    },
  );

  test.each(TYPES)(
    "from a %s, %s, has an example, and says what it is answered with",
    (_, type) => {
      expect(section(type)).toContain(`{"type":"${type}",`);
      expect(section(type)).toContain("Errors: ");
    },
  );

  test.each(TYPES)("from a %s, %s, names only errors that there are", (_, type) => {
    const [, listed = ""] = /Errors: (.*)$/m.exec(section(type)) ?? [];
    for (const [, code = ""] of listed.matchAll(/`(\w+)`/g))
      expect(Object.keys(ERROR_CODES)).toContain(code);
  });
});

test("[MSG-1] every line in an example is a valid message, written as the codec writes it", () => {
  expect(examples.length).toBeGreaterThan(15);
  for (const line of examples) {
    const { type } = JSON.parse(line) as { readonly type: string };
    const directions = TYPES.filter(([, known]) => known === type).map(([direction]) => direction);
    expect(directions).not.toEqual([]);
    for (const direction of directions as readonly Direction[]) {
      expect([line, refusal(direction, line)]).toEqual([line, null]);
      const decoded = decodeOne(direction, line) as unknown as { readonly message: Table };
      expect(encode(decoded.message)).toBe(`${line}\n`);
    }
  }
});

test("close codes that clauses name are in the table", () => {
  const codes = new Set<number>(Object.values(CLOSE_CODES).map(({ code }) => code));
  // 1007 is the WebSocket's own.
  const named = [...text.matchAll(/\b(?:with|closes) ([14]\d{3})\b/g)].map(([, code]) =>
    Number(code),
  );
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((code) => code !== 1007 && !codes.has(code))).toEqual([]);
});

test("an id of a clause is used once", () => {
  const ids = [...text.matchAll(/^(?:- )?\*\*\[([A-Z]+-\d+)\]\*\*/gm)].map((match) => match[1]);
  expect(ids.length).toBeGreaterThan(50);
  expect(new Set(ids).size).toBe(ids.length);
  // And what the text refers to is there.
  for (const [, id] of text.matchAll(/\[([A-Z]+-\d+)\]/g)) expect(ids).toContain(id);
});
