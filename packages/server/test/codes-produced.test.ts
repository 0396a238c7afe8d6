// Every code is met in some suite beside the one of the table itself: none is only a word.
import { readdirSync, readFileSync } from "node:fs";
import { CLOSE_CODES, ERROR_CODES } from "@tailwire/protocol";
import { expect, test } from "vitest";

const folders = ["packages/client", "packages/server", "tools/simulation"];
const suites = folders
  .flatMap((folder) =>
    readdirSync(`${folder}/test`, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".test.ts"))
      .map((name) => readFileSync(`${folder}/test/${name}`, "utf8")),
  )
  .join("\n");

const isMet = (word: string | number): boolean => new RegExp(`\\b${word}\\b`).test(suites);

test("every error code is expected by a test", () => {
  expect(Object.keys(ERROR_CODES).filter((code) => !isMet(code))).toEqual([]);
});

test("every close code is expected by a test, by its number or its name", () => {
  const unmet = Object.entries(CLOSE_CODES).filter(([name, { code }]) => {
    return !isMet(code) && !isMet(name);
  });
  expect(unmet).toEqual([]);
});
