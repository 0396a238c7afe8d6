/** Mutants of the broker on disk, which tests with a simulated disk find. */
import { type Mutant, server } from "./mutant.ts";

const ON_DISK = "packages/server/test/brokers/disk/disk-faults.test.ts";

export const DISK: readonly Mutant[] = [
  {
    name: "what is written is acknowledged before it is synced",
    file: server("brokers/disk/segments"),
    find: "    await file.sync();\n    segment.size = at;",
    replace: "    segment.size = at;",
    foundBy: "unit",
    test: ON_DISK,
  },
  {
    name: "damage within a segment is taken for a torn write",
    file: server("brokers/disk/records"),
    find: "if (group > from && group <= at && wholeAt(file, at, salt) !== null)",
    replace: "if (false)",
    foundBy: "unit",
    test: ON_DISK,
  },
  {
    name: "a torn write is left where it is",
    file: server("brokers/disk/recovery"),
    find: "this.#folder.cut(name, size);",
    replace: "void 0;",
    foundBy: "unit",
    test: ON_DISK,
  },
  {
    name: "a write that found no room leaves its beginning",
    file: server("brokers/disk/segments"),
    find: "await file.truncate(group);",
    replace: "void 0;",
    foundBy: "unit",
    test: ON_DISK,
  },
  {
    name: "a disk that has failed is written again",
    file: server("brokers/disk/writer"),
    find: 'this.#failure = tailwireError("unavailable");',
    replace: 'return tailwireError("unavailable");',
    foundBy: "unit",
    test: ON_DISK,
  },
  {
    name: "a segment begins without the producers",
    file: server("brokers/disk/disk-log"),
    find: "producers: this.#rules.checkpoint(),",
    replace: "producers: [],",
    foundBy: "unit",
    test: ON_DISK,
  },
  {
    name: "a segment goes with publications that are retained",
    file: server("brokers/disk/segments"),
    find: "if (await this.#copyForward(segment, places))",
    replace: "if (true)",
    foundBy: "unit",
    test: ON_DISK,
  },
  {
    name: "the directory remembers from its beginning on only",
    file: server("brokers/disk/disk-broker"),
    find: "host.clock.monotonic() - remembersMs",
    replace: "host.clock.monotonic()",
    foundBy: "unit",
    test: ON_DISK,
  },
];
