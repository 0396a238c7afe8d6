/** Paths and hosts of the machine are found before they are committed. */
import { expect, test } from "vitest";
import { checkLeaks } from "../src/leaks.ts";
import { places, treeOf } from "./support.ts";

// Put together here, so that this file holds no leak of its own.
const slash = "/";
const registry = "registry";
const cleanLock = lock({ "node_modules/a": { version: "1.0.0" } });

function lock(packages: object): string {
  return JSON.stringify({ packages });
}

function check(text: string): string[] {
  return places(checkLeaks(treeOf({ "package-lock.json": cleanLock, "docs/a.md": text })));
}

test.each(["work", "home", "farm", "root", "Users"])("a path below /%s is found", (folder) => {
  const path = `${slash}${folder}/someone/a.ts`;
  expect(check(`one\nsee ${path}`)).toEqual(["docs/a.md:2: leaks"]);
  expect(check(`"file://${path}"`)).toEqual([]);
  expect(check(`"${path}"`)).toEqual(["docs/a.md:1: leaks"]);
});

test.each(["src/work/a.ts", "./home/a.ts", "https://example.com/home/a", "the work/home balance"])(
  "`%s` is not a machine's path",
  (text) => {
    expect(check(text)).toEqual([]);
  },
);

test("a registry's host is found", () => {
  expect(check(`from https://${registry}.npmjs.org/a`)).toEqual(["docs/a.md:1: leaks"]);
  expect(check(`${registry} = https://example.com`)).toEqual(["docs/a.md:1: leaks"]);
});

test("a download address in a lock is found, a link to a workspace is not", () => {
  const entry = (resolved: string): string =>
    lock({ "node_modules/a": { resolved } }).replace(':"', ': "');
  const address = ["http", "s://example.com/a.tgz"].join("");
  expect(places(checkLeaks(treeOf({ "package-lock.json": entry(address) })))).toEqual([
    "package-lock.json:1: leaks",
  ]);
  expect(checkLeaks(treeOf({ "package-lock.json": entry("packages/a") }))).toEqual([]);
});

test("a missing lock is found", () => {
  expect(places(checkLeaks(treeOf({})))).toEqual(["package-lock.json:1: lock"]);
});

test("an optional dependency without an entry in the lock is found", () => {
  const packages = {
    "node_modules/a": { optionalDependencies: { "@a/linux": "1", "@a/darwin": "1", nested: "1" } },
    "node_modules/@a/linux": { version: "1" },
    "node_modules/a/node_modules/nested": { version: "1" },
  };
  const findings = checkLeaks(treeOf({ "package-lock.json": lock(packages) }));
  expect(findings.map(({ message }) => message)).toEqual([
    expect.stringContaining('"@a/darwin", optional for "node_modules/a"'),
  ]);
});
