/** Which packages have a page, and which of their entry points stand on it. */
import { apiOf } from "./api-model.ts";
import { apiPage } from "./api-page.ts";

interface Packed {
  readonly name: string;
  readonly folder: string;
  /** Entry points that have another page, in words. */
  readonly words?: string;
  /** Declarations in `dist`, by the text that follows the package's name in an import. */
  readonly entries: Readonly<Record<string, string>>;
}

const PACKAGES: Readonly<Record<string, Packed>> = {
  "docs/api/client.md": {
    name: "@tailwire/client",
    folder: "packages/client",
    entries: { "": "index" },
  },
  "docs/api/server.md": {
    name: "@tailwire/server",
    folder: "packages/server",
    entries: {
      "": "index",
      "/broker-contract": "broker-contract",
      "/broker-contract-suite": "brokers/contract-suite",
    },
  },
  "docs/api/redis.md": {
    name: "@tailwire/redis",
    folder: "packages/redis",
    entries: { "": "index" },
  },
  "docs/api/nats.md": {
    name: "@tailwire/nats",
    folder: "packages/nats",
    entries: { "": "index" },
  },
  "docs/api/react.md": {
    name: "@tailwire/react",
    folder: "packages/react",
    entries: { "": "index" },
  },
  "docs/api/protocol.md": {
    name: "@tailwire/protocol",
    folder: "packages/protocol",
    entries: { "": "index", "/msgpack": "codec-msgpack" },
  },
  "docs/api/tailwire.md": {
    name: "tailwire",
    folder: "packages/tailwire",
    words:
      "`tailwire` is all of [@tailwire/server](server.md), `tailwire/client` all of " +
      "[@tailwire/client](client.md), `tailwire/msgpack` the codec of " +
      "[@tailwire/protocol/msgpack](protocol.md), and `tailwire/client.min.js` the client in one file, " +
      "for a page without a bundler.",
    entries: { "/standalone": "standalone" },
  },
};

/** The pages by path, each whole. */
export function apiPages(root: string): Readonly<Record<string, () => string>> {
  return Object.fromEntries(
    Object.entries(PACKAGES).map(([path, { name, folder, words, entries }]) => [
      path,
      () =>
        apiPage(
          name,
          Object.entries(entries).map(([below, entry]) => ({
            specifier: name + below,
            items: apiOf(root, folder, entry),
          })),
          words,
        ),
    ]),
  );
}
