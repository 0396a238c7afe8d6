/**
 * Mutants where the simulator sees least: the client's manners, memory, isolation, permission, where a
 * subscription begins, and the broker that is shipped. Each names who finds it.
 */
import { DISK } from "./disk.ts";
import { client, type Mutant, server } from "./mutant.ts";

const MEMORY = server("brokers/memory");
const KEPT = server("log/kept-log");

const CONTRACT = "packages/server/test/brokers/memory-broker.test.ts";

const MANNERS: readonly Mutant[] = [
  {
    name: "the client's waits don't grow",
    file: client("connection/backoff"),
    find: "backoffMinMs * 2 ** (failures - 1)",
    replace: "backoffMinMs",
    foundBy: "unit",
    test: "tools/simulation/test/client-status.test.ts",
  },
  {
    name: "a crowd that was cut off comes back at once",
    file: client("connection/backoff"),
    find: "Math.round(random.fraction() * ceilingMs(failures))",
    replace: "ceilingMs(failures)",
    foundBy: "unit",
    test: "tools/simulation/test/client-status.test.ts",
  },
  {
    name: "the server isn't told that nobody waits for an answer",
    file: client("requests"),
    find: 'this.#connection.say({ type: "cancel", re: asked.id });',
    replace: "",
    foundBy: "unit",
    test: "tools/simulation/test/client-requests.test.ts",
  },
  {
    name: "a request is made once more on the next connection",
    file: client("requests"),
    find: "if (asked.sent && isOnce)",
    replace: "if (false)",
    foundBy: "unit",
    test: "tools/simulation/test/client-requests.test.ts",
  },
  {
    name: "a token is renewed when it has ended",
    file: client("connection/token-renewal"),
    find: "leftMs - Math.min(CLIENT_LIMITS.renewalMs, leftMs / 2)",
    replace: "leftMs",
    foundBy: "unit",
    test: "tools/simulation/test/client-requests.test.ts",
  },
  {
    name: "a renewal that failed isn't tried again",
    file: client("connection/token-renewal"),
    find: "if (token === null)\n                return this.#again();",
    replace: "if (token === null)\n                return;",
    foundBy: "unit",
    test: "tools/simulation/test/client-manners.test.ts",
  },
  {
    name: "a position moves on before its listener is done",
    file: client("following/handover"),
    find: "if (work.length === 0)",
    replace: "if (true)",
    foundBy: "unit",
    test: "tools/simulation/test/subscriptions.test.ts",
  },
  {
    name: "who leaves the loop stays subscribed",
    file: client("following/handover"),
    find: "this.#comeRound();\n                leave();",
    replace: "this.#comeRound();",
    foundBy: "unit",
    test: "tools/simulation/test/subscriptions.test.ts",
  },
];

const HELD: readonly Mutant[] = [
  {
    name: "a subscription takes more than may wait",
    file: client("following/handover"),
    find: "this.#queue.length >= CLIENT_LIMITS.waitingMax",
    replace: "false",
    foundBy: "unit",
    test: "tools/simulation/test/subscriptions.test.ts",
  },
  {
    name: "a log that nobody uses is kept for ever",
    file: MEMORY,
    find: "if (log.idle())",
    replace: "if (false)",
    foundBy: "unit",
    test: CONTRACT,
  },
  {
    name: "producers are remembered for ever",
    file: server("log/append-rules"),
    find: "if (periods === 0)",
    replace: "if (true)",
    foundBy: "unit",
    test: CONTRACT,
  },
  {
    name: "a log keeps what is beyond its bytes",
    file: server("log/retained"),
    find: "(entries.bytes > bytes && !isLast)",
    replace: "false",
    foundBy: "unit",
    test: "packages/server/test/log/retained.test.ts",
  },
  {
    name: "a log drops its newest where that is too large",
    file: server("log/retained"),
    find: "(entries.bytes > bytes && !isLast)",
    replace: "entries.bytes > bytes",
    foundBy: "unit",
    test: "packages/server/test/log/retained.test.ts",
  },
  {
    name: "retention trims what those in line haven't been sent",
    file: server("log/node-tail"),
    find: "Math.min(this.sweptTo, this.stateAt)",
    replace: "this.stateAt",
    foundBy: "unit",
    test: "packages/server/test/delivery/small-retention.test.ts",
  },
  {
    name: "what was sent to those in line is kept for good",
    file: server("delivery/sweep"),
    find: "channel.swept();",
    replace: "void 0;",
    foundBy: "unit",
    test: "packages/server/test/delivery/small-retention.test.ts",
  },
  {
    name: "a gap that a node can make is asked of the broker",
    file: server("log/retained"),
    find: "this.#entries?.isCut === true",
    replace: "false",
    foundBy: "unit",
    test: "packages/server/test/delivery/small-retention.test.ts",
  },
  {
    name: "two gaps go in one write",
    file: server("delivery/cursor"),
    find: 'if (step.kind === "gap" && hasGap)',
    replace: "if (false)",
    foundBy: "unit",
    test: "packages/server/test/delivery/small-retention.test.ts",
  },
  {
    name: "what is pushed during a read is dropped",
    file: server("log/log"),
    find: "this.#early.add(epoch, publications)",
    replace: "false",
    foundBy: "unit",
    test: "packages/server/test/log/log.test.ts",
  },
  {
    name: "a state is asked for by each who needs it",
    file: server("delivery/snapshots"),
    find: "this.#last === null ? null :",
    replace: "true ? null :",
    foundBy: "unit",
    test: "packages/server/test/delivery/snapshots.test.ts",
  },
  {
    name: "the tail keeps nothing for a state",
    file: server("delivery/snapshots"),
    find: "log.keepForState(log.lastOffset);",
    replace: "void 0;",
    foundBy: "unit",
    test: "packages/server/test/delivery/snapshots.test.ts",
  },
  {
    name: "an address may have any number of connections that say nothing",
    file: server("access/newcomers"),
    find: "if (count >= this.#max)",
    replace: "if (false)",
    foundBy: "unit",
    test: "packages/server/test/drivers/newcomers.test.ts",
  },
];

const ISOLATION: readonly Mutant[] = [
  {
    name: "a write that never leaves is waited for",
    file: server("connection/heartbeat"),
    find: "(this.#watched.output.blockedAt ?? Infinity) + this.#watched.node.limits.stallMs",
    replace: "Infinity",
    foundBy: "unit",
    test: "packages/server/test/connection/flow-control.test.ts",
  },
  {
    name: "nobody sends too many bad messages",
    file: server("connection/connection"),
    find: "this.#badMessages += 1;",
    replace: "",
    foundBy: "unit",
    test: "packages/server/test/connection/states.test.ts",
  },
  {
    name: "a turn of the sweep has no end",
    file: server("delivery/sweep"),
    find: "if (this.#clock.monotonic() >= end)",
    replace: "if (false)",
    foundBy: "unit",
    test: "packages/server/test/delivery/sweep.test.ts",
  },
  {
    name: "a large channel is marked in every turn",
    file: server("delivery/sweep"),
    find: "if (!newSweep && channel.size > LARGE_CHANNEL)",
    replace: "if (false)",
    foundBy: "unit",
    test: "packages/server/test/delivery/sweep.test.ts",
  },
  {
    name: "a flood costs no connection",
    file: server("connection/rate-limit"),
    find: "return debtMs <= DEBT_CLOSE_MS",
    replace: "return true",
    foundBy: "unit",
    test: "packages/server/test/connection/rate-limits.test.ts",
  },
];

const PERMISSION: readonly Mutant[] = [
  {
    name: "a token of somebody else goes on as this one",
    file: server("commands/session"),
    find: "if (access.userId !== connection.access.userId)",
    replace: "if (false)",
    foundBy: "unit",
    test: "packages/server/test/connection/expiry.test.ts",
  },
  {
    name: "who may read a channel may publish to it",
    file: server("access/access"),
    find: "actions.has(action) && ",
    replace: "",
    foundBy: "unit",
    test: "packages/server/test/access/authorisation.test.ts",
  },
  {
    name: "a ticket lets in twice",
    file: server("access/tickets"),
    find: "this.#tickets.delete(ticket);\n        if (known",
    replace: "if (known",
    foundBy: "unit",
    test: "packages/server/test/drivers/tickets.test.ts",
  },
  {
    name: "a ticket is good on any page",
    file: server("access/tickets"),
    find: "known.origin === null || known.origin === origin",
    replace: "true",
    foundBy: "unit",
    test: "packages/server/test/drivers/tickets.test.ts",
  },
  {
    name: "an older connection takes the place of a newer one",
    file: server("connection/sessions"),
    find: "if (generation <= currentGeneration)",
    replace: "if (false)",
    foundBy: "unit",
    test: "packages/server/test/connection/sessions.test.ts",
  },
];

const STARTS: readonly Mutant[] = [
  {
    name: "the earliest is the latest",
    file: KEPT,
    find: "return this.position(this.retained.edge);",
    replace: "return this.position(this.retained.last);",
    foundBy: "unit",
    test: CONTRACT,
  },
  {
    name: "a rewind brings one too many",
    file: KEPT,
    find: "this.retained.back(start.rewind.count)",
    replace: "this.retained.back(start.rewind.count + 1)",
    foundBy: "unit",
    test: CONTRACT,
  },
  {
    name: "a rewind by age brings nothing",
    file: KEPT,
    find: "this.retained.since(now - start.rewind.ageMs)",
    replace: "this.retained.since(now)",
    foundBy: "unit",
    test: CONTRACT,
  },
  {
    name: "who wants what comes from now on is shown what was",
    file: client("following/wire-subscription"),
    find: "if (!received)\n                return start;",
    replace: 'if (!received)\n                return start === "latest" ? "earliest" : start;',
    foundBy: "unit",
    test: "tools/simulation/test/subscriptions.test.ts",
  },
];

const SHIPPED_BROKER: readonly Mutant[] = [
  {
    name: "timestamps go back with the clock",
    file: MEMORY,
    find: "Math.max(this.#options.clock.now(), retained.lastTimestamp)",
    replace: "this.#options.clock.now()",
    foundBy: "unit",
    test: CONTRACT,
  },
  {
    name: "another publication at a position is taken for the one that was seen",
    file: KEPT,
    find: 'return this.retained.holds(after.offset, after.id) ? null : this.#gap("diverged", edge, null);',
    replace: "return null;",
    foundBy: "unit",
    test: CONTRACT,
  },
  {
    name: "a sequence that is used for something else is taken for a repeat",
    file: server("log/append-rules"),
    find: "if (known.fingerprint !== fingerprint)",
    replace: "if (false)",
    foundBy: "unit",
    test: CONTRACT,
  },
  {
    name: "the broker lets the next one overtake what it refused for now",
    file: server("log/append-rules"),
    find: "if (producer !== null && holding.has(producer.id))",
    replace: "if (false)",
    foundBy: "unit",
    test: CONTRACT,
  },
  {
    name: "a page is as long as asked for, however large",
    file: KEPT,
    find: "if (bytes > limit.bytes && entries.length > 0)",
    replace: "if (false)",
    foundBy: "unit",
    test: CONTRACT,
  },
];

export const UNSEEN: readonly Mutant[] = [
  ...DISK,
  ...MANNERS,
  ...HELD,
  ...ISOLATION,
  ...PERMISSION,
  ...STARTS,
  ...SHIPPED_BROKER,
];
