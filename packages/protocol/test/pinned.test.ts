// The shape of every message is pinned to the version: whoever changes one decides what that means.
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { CLIENT_MESSAGES, PROTOCOL_VERSION, SERVER_MESSAGES } from "@tailwire/protocol";

/**
 * Version 1, as it is now. Within a version fields may be added where they can be left out, and
 * messages where `features` names them or whoever doesn't know them loses nothing [VER-3, MSG-6].
 * Anything else needs another version.
 */
const PINNED = {
  version: 1,
  schema: "28106db9a096c3d1",
};

/** Tables as text: patterns by their source, in the order of the tables. */
function schemaText(): string {
  return JSON.stringify(
    { client: CLIENT_MESSAGES, server: SERVER_MESSAGES },
    (_key, value: unknown) => (value instanceof RegExp ? String(value) : value),
  );
}

test("[VER-1] the messages of this version have the shapes that were pinned to it", () => {
  const schema = createHash("sha256").update(schemaText()).digest("hex").slice(0, 16);
  expect({ version: PROTOCOL_VERSION, schema }).toEqual(PINNED);
});
