/**
 * Mutants of a producer's record, and of the outbox that counts for it: what is remembered, what counts as
 * settled, and whose word counts. The simulator's faults seldom reach them; each names its unit test.
 */
import { client, type Mutant, server } from "./mutant.ts";

const RULES = "packages/server/test/log/append-rules.test.ts";

const OUTBOX = "packages/client/test/publishing/outbox.test.ts";

export const PRODUCING: readonly Mutant[] = [
  {
    name: "settled is taken one too far by the log",
    file: server("log/append-rules"),
    find: "Math.max(record.settled, producer.settled)",
    replace: "Math.max(record.settled, producer.settled + 1)",
    foundBy: "unit",
    test: RULES,
  },
  {
    name: "what may come again is cut silently where it grows long",
    file: server("log/append-rules"),
    find: "open.push({ sequence, offset, fingerprint });",
    replace: "open.push({ sequence, offset, fingerprint });\n    open.splice(0, open.length - 2);",
    foundBy: "unit",
    test: RULES,
  },
  {
    name: "a producer's highest sequence isn't carried into the next period",
    file: server("log/append-rules"),
    find: "extended(this.#recordOf(id) ?? NEW, producer, offset));",
    replace: "extended(this.#period.get(id) ?? NEW, producer, offset));",
    foundBy: "unit",
    test: RULES,
  },
  {
    name: "a repeat is refused without being looked up",
    file: server("commands/publish"),
    find: "return lookUp(node, incoming, refusal).finally(release);",
    replace: "refusePublish(incoming, truthFor(incoming.message, refusal));",
    foundBy: "unit",
    test: "packages/server/test/commands/on-publish.test.ts",
  },
  {
    name: "producers may be forgotten while a copy is on its way",
    file: server("limits"),
    find: "if (dedupeMs > onItsWayMs)",
    replace: "if (true)",
    foundBy: "unit",
    test: "packages/server/test/options.test.ts",
  },
  {
    name: "settled is taken one too far by the client",
    file: client("publishing/outbox"),
    find: "(queue.entries[0]?.sequence ?? sequence) - 1",
    replace: "(queue.entries[0]?.sequence ?? sequence)",
    foundBy: "unit",
    test: OUTBOX,
  },
  {
    name: "the window counts what is unanswered only",
    file: client("publishing/outbox"),
    find: "queue.next < this.#connection.limits.window",
    replace: "entries.filter(({ underWay }) => underWay).length < this.#connection.limits.window",
    foundBy: "unit",
    test: OUTBOX,
  },
  {
    name: "what was lost with its connection counts as never sent",
    file: client("publishing/outbox"),
    find: 'if (entry.underWay)\n                entry.way.enter("lost");',
    replace: "",
    foundBy: "unit",
    test: OUTBOX,
  },
  {
    name: "one that came back from the log is sent again however old",
    file: client("publishing/outbox"),
    find: "(entry.first && this.#mayBeForgotten(entry.first) &&",
    replace: '(entry.first && entry.way.state !== "told" && this.#mayBeForgotten(entry.first) &&',
    foundBy: "unit",
    test: OUTBOX,
  },
  {
    name: "an older connection's refusal is taken",
    file: client("connection/connection"),
    find: "if (this.#link !== link)\n                return;",
    replace: "",
    foundBy: "unit",
    test: "tools/simulation/test/older-connection.test.ts",
  },
];
