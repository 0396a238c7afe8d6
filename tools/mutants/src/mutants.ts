/**
 * The mutants: deliberate bugs, each a change of one place in the built code. Each names
 * who has to find it, seeds of the simulator or a unit test; one that isn't found is a promise that
 * nothing checks. The list here is for seeds.
 *
 * They are told from the outside, so that the product has no switch for being wrong. A place that
 * isn't there any more, or is there twice, is an error: whoever moves code moves its mutants.
 *
 * A promise that two guards hold isn't here: one of them can be taken away and nothing is broken. So
 * it is with the client's chain and what the server sends, with ids at positions and the lineage of
 * epochs, and with the age of repeats, which both sides look at. Each guard has unit tests of its
 * own. That repeats which were overtaken are refused isn't here either: it takes a refusal that is
 * lost and isn't one the next time, which 500 seeds needn't bring; the model of publishing has that mutant.
 */
import { type Change, client, type Mutant, server } from "./mutant.ts";
import { PRODUCING } from "./producing.ts";
import { UNSEEN } from "./unseen.ts";

const BROKER = "tools/simulation/dist/broker/shared-log.js";
const LINE = "tools/simulation/dist/broker/broker-line.js";

const PUBLISHING: readonly Change[] = [
  {
    name: "the broker doesn't deduplicate",
    file: server("log/append-rules"),
    find: "if (sequence > record.last) {",
    replace: "if (true) {",
  },
  {
    name: "the broker trusts every repeat that it doesn't know",
    file: server("log/append-rules"),
    find: "const isSure = repeat === undefined || this.#reachesBackTo(repeat, log, now);",
    replace: "const isSure = true;",
  },
  {
    name: "the broker fences nobody",
    hint: 5,
    file: server("log/append-rules"),
    find: "if (generation < record.generation)",
    replace: "if (false)",
  },
  {
    name: "a publication is acknowledged before it is appended",
    file: server("commands/publish"),
    find: "const result = append(node, incoming, data, notAfter);",
    replace: `const { log } = node.channel(message.channel);
        const position = { epoch: log.epoch, offset: log.lastOffset + 1, id: connection.identity.clientId + "/" + message.id };
        connection.say({ type: "ack", re: message.id, position });
        const result = append(node, incoming, data, notAfter);
        Promise.resolve(result).then(release, release);
        return;`,
  },
  {
    name: "an ack names the place behind the publication's",
    file: server("commands/publish"),
    find: "const { position, duplicate } = result;",
    replace:
      "const { duplicate } = result; const position = { ...result.position, offset: result.position.offset + 1 };",
  },
  {
    name: "a refusal holds nothing up on the connection",
    file: server("commands/publish"),
    find: "if (!holds.mustWait(channel, id))\n        return;",
    replace: "return;",
  },
  {
    name: "a repeat that is refused is called refused",
    file: server("commands/publish"),
    find: "if (repeat === undefined || refusal.retry)",
    replace: "if (true)",
  },
  {
    name: "the client sends what it repeats under a new id",
    file: client("publishing/outbox"),
    find: '            type: "publish",\n            id,',
    replace:
      '            type: "publish",\n            id: first === null ? id : `${id}.${this.#connections}`,',
  },
  {
    name: "the client repeats the newest first",
    file: client("publishing/outbox"),
    find: "const entry = entries[queue.next];",
    replace: "const entry = queue.next === 0 ? entries.at(-1) : entries[queue.next - 1];",
  },
  {
    name: "the client doesn't say that it repeats",
    file: client("publishing/outbox"),
    find: "...(first &&",
    replace: "...(false &&",
  },
  {
    name: "the client calls what was sent unsent when it gives it up",
    file: client("publishing/outbox"),
    find: 'entry.way.state === "indeterminate" ? localError("indeterminate") : error',
    replace: "error",
  },
];

const DELIVERY: readonly Change[] = [
  {
    name: "a cursor skips one",
    file: server("delivery/encoded-tail"),
    find: "const index = this.#indexAfter(offset);",
    replace: "const index = Math.min(this.#indexAfter(offset + 1), this.#lines.length - 1);",
  },
  {
    name: "a lost push is nothing to read again for",
    file: server("log/log"),
    find: 'fits &&= link !== "broken";\n            if (link === "next")',
    replace: 'if (link !== "seen")',
  },
  {
    name: "a lost last push is never asked for",
    hint: 4,
    file: LINE,
    find: "if (this.#probing || this.#ended)",
    replace: "if (true)",
  },
  {
    name: "the broker keeps its epoch after a loss",
    file: BROKER,
    find: "this.#epoch = random.token();\n        this.#lineage",
    replace: "this.#lineage",
  },
  {
    name: "a gap is kept from the subscriber",
    file: server("delivery/cursor"),
    find: 'this.#say(flush, { type: "gap", channel, from: this.#position, ...step.gap }, ...(step.snapshot === null ? [] : [snapshotMessage(channel, step.snapshot)]));',
    replace: "",
  },
  {
    name: "a gap comes without the state that is owed",
    file: server("delivery/cursor"),
    find: "...(step.snapshot === null ? [] : [snapshotMessage(channel, step.snapshot)])",
    replace: "",
  },
  {
    name: "what follows a gap isn't sent with it",
    file: server("delivery/cursor"),
    find: "return this.#sendFollowing(step.following, flush);",
    replace: 'this.#next = "growth"; return;',
  },
  {
    name: "a gap that a node makes is counted one short",
    file: server("log/retained"),
    find: "? this.#edge - offset : null",
    replace: "? this.#edge - offset - 1 : null",
  },
  {
    name: "a gap is counted one short",
    file: BROKER,
    find: 'this.#gap("trimmed", this.#edge, this.#edge - offset)',
    replace: 'this.#gap("trimmed", this.#edge, this.#edge - offset - 1)',
  },
  {
    name: "a new epoch isn't told",
    file: server("delivery/cursor"),
    find: 'this.#say(flush, { type: "epoch", channel, position: this.#position });',
    replace: "",
  },
  {
    name: "a state is called newer than it is",
    file: server("delivery/snapshots"),
    find: "{ position: started.position, payload }",
    replace: '{ position: (await this.#options.log.start("latest")).position, payload }',
  },
  {
    name: "recovered is said of everything",
    file: server("commands/subscribe"),
    find: "const known = isPosition(message.start) ? { recovered } : {};",
    replace: "const known = isPosition(message.start) ? { recovered: true } : {};",
  },
  {
    name: "a page before a place has that place in it",
    file: BROKER,
    find: "before.offset - 1",
    replace: "before.offset",
  },
  {
    name: "a page leaves its first one out",
    file: server("log/pages"),
    find: "read.publications.slice(0, count)",
    replace: "read.publications.slice(1, count + 1)",
  },
  {
    name: "the client takes what it has seen",
    file: client("following/subscription"),
    find: 'if (link === "next") {',
    replace: 'if (link !== "broken") {',
  },
];

const CONDUCT: readonly Change[] = [
  {
    name: "an ended subscription's replay goes on",
    file: server("connection/subscriptions"),
    find: "this.release(channel);\n        cursor.close();",
    replace: "this.release(channel);",
  },
  {
    name: "a token that has ended is served",
    file: server("connection/heartbeat"),
    find: "return this.#now + leftMs;",
    replace: "return Infinity;",
  },
  {
    name: "permission is asked for at subscribe only",
    file: server("commands/session"),
    find: "const channels = connection.subscriptions.channels();",
    replace: "const channels = [];",
  },
  {
    name: "a refusal tells what exists",
    file: server("access/access"),
    find: 'if (rule === null)\n            throw tailwireError("forbidden");',
    replace: 'if (rule === null)\n            throw tailwireError("forbidden", "no such channel");',
  },
  {
    name: "a connection is read however much waits on it",
    file: server("connection/input"),
    find: "if (this.#reading && share > 1) {",
    replace: "if (false) {",
  },
  {
    name: "the others wait while one doesn't read",
    file: server("delivery/sweep"),
    find: "if (served.serve())\n                this.enqueue(served);",
    replace: `if (served.serve()) this.enqueue(served);
            if (served.output.blockedAt !== null) {
                const rest = this.#line.splice(this.#head);
                this.#clock.after(500, () => {
                  for (const one of rest) {
                    one.inLine = false;
                    this.enqueue(one);
                  }
                });
            }`,
  },
  {
    name: "a connection that is gone leaves its cursors",
    file: server("connection/subscriptions"),
    find: "this.closeAll();\n        this.#cursors.clear();",
    replace: "this.#cursors.clear();",
  },
  {
    name: "a request stays unanswered when it fails",
    file: server("commands/request"),
    find: "connection.refuse(id, error);\n        // The application",
    replace: "// The application",
  },
  {
    name: "what belongs to a connection outlives it",
    file: client("connection/connection"),
    find: "this.scope.end();",
    replace: "",
  },
  {
    name: "silence is never noticed by the client",
    file: client("connection/connection"),
    find: '() => this.#lose("silent")',
    replace: "() => undefined",
  },
];

const SEEN = [...PUBLISHING, ...DELIVERY, ...CONDUCT];

export const MUTANTS: readonly Mutant[] = [
  ...SEEN.map((change) => ({ ...change, foundBy: "seed" as const })),
  ...UNSEEN,
  ...PRODUCING,
];
