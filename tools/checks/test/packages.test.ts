/** Files and fields that npm shows of each package. */
import { expect, test } from "vitest";
import { checkPackages } from "../src/packages.ts";
import { lines, treeOf } from "./support.ts";

const manifest = {
  name: "@tailwire/client",
  description: "The client",
  keywords: ["websocket"],
  homepage: "https://a.example",
  license: "MIT",
  repository: { type: "git", url: "git+https://a.example", directory: "packages/client" },
};

const files = {
  LICENSE: "MIT",
  "packages/client/LICENSE": "MIT",
  "packages/client/README.md": "# @tailwire/client\n\nThe client.\n",
  "packages/client/package.json": JSON.stringify(manifest),
};

function check(changed: Readonly<Record<string, string | undefined>>): string[] {
  const entries = Object.entries({ ...files, ...changed });
  const kept = entries.filter((entry): entry is [string, string] => entry[1] !== undefined);
  return lines(checkPackages(treeOf(Object.fromEntries(kept))));
}

test("a package with its README, its licence and its addresses passes", () => {
  expect(check({})).toEqual([]);
});

test("a package without README is found, and one with another's", () => {
  const found = [expect.stringContaining("packages/client/README.md is missing")];
  expect(check({ "packages/client/README.md": undefined })).toEqual(found);
  expect(check({ "packages/client/README.md": "# @tailwire/server\n" })).toEqual(found);
});

test("a package without the root's licence is found", () => {
  const found = [expect.stringContaining("packages/client/LICENSE has to be the root's")];
  expect(check({ "packages/client/LICENSE": undefined })).toEqual(found);
  expect(check({ "packages/client/LICENSE": "BSD" })).toEqual(found);
});

test.each(["description", "keywords", "homepage", "license", "repository"])(
  "a package without %s is found",
  (field) => {
    const text = JSON.stringify({ ...manifest, [field]: undefined });
    expect(check({ "packages/client/package.json": text })).toEqual([
      expect.stringContaining(`"${field}" is missing`),
    ]);
  },
);

test("an address of another folder is found", () => {
  const repository = { ...manifest.repository, directory: "packages/server" };
  const text = JSON.stringify({ ...manifest, repository });
  expect(check({ "packages/client/package.json": text })).toHaveLength(1);
});

test("what isn't published is nobody's business", () => {
  const text = JSON.stringify({ name: "@tailwire/client", private: true });
  expect(check({ "packages/client/package.json": text, LICENSE: "BSD" })).toEqual([]);
});
