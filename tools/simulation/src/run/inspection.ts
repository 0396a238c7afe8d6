/**
 * An inspection: what nodes and clients hold now, and what is left of them at last. It is counted from
 * outside, and held against what there may be, by the number of connections and of channels.
 */
import type { Cast } from "./cast.ts";
import { CHANNELS, type Stage } from "./stage.ts";
import type { Usher } from "./usher.ts";

/** Counts what objects keep, whatever their code says. */
export interface Census {
  /** The sizes of all that a path leads to, added up: names of fields, and `*` for a map's values. */
  count(root: object, path: readonly string[]): number;
}

/** All channels that anybody asks for, and the lane of what is answered at length. */
const NAMES_MAX = CHANNELS.length + 2;

/** Encodings that clients speak. */
const ENCODINGS = 2;

/** Slices that are kept of one tail at most, in slices of full size. */
const SLICES_MAX = 5;

/** Collections of one node, and how much each may keep, for so many connections. */
const NODE: readonly (readonly [
  what: string,
  path: readonly string[],
  each: "connection" | number,
])[] = [
  ["sessions", ["sessions", "#pairs"], "connection"],
  ["channels", ["#channels"], NAMES_MAX],
  ["encodings", ["#channels", "*", "#encodings"], NAMES_MAX * ENCODINGS],
  ["page reads", ["#channels", "*", "#reads"], NAMES_MAX * ENCODINGS * 8],
];

/** Collections of one connection. */
const CONNECTION: readonly (readonly [what: string, path: readonly string[], most: number])[] = [
  ["lanes", ["lanes", "#lanes"], NAMES_MAX],
  ["decisions", ["access", "#decisions"], 2 * NAMES_MAX],
  ["cursors", ["subscriptions"], NAMES_MAX],
  ["holds", ["holds", "#holds"], NAMES_MAX],
];

/** Requests and pages that a client waits for, and publications in its outbox. */
const REQUESTS_MAX = 1_000;
const PUBLICATIONS_MAX = 10_000;

/** Collections of one client. */
const CLIENT: readonly (readonly [what: string, path: readonly string[], most: number])[] = [
  ["wires", ["#wires"], NAMES_MAX],
  ["answers", ["#connection", "answers"], 4 * NAMES_MAX + REQUESTS_MAX + PUBLICATIONS_MAX],
  ["requests", ["#requests", "#asked"], REQUESTS_MAX],
  ["publications", ["#outbox", "#entries"], PUBLICATIONS_MAX],
  ["channels published to", ["#outbox", "#queues"], NAMES_MAX],
];

/** Looks at what everybody holds now. */
export function inspect({ world, witness }: Stage, cast: Cast, census: Census): void {
  const look = (who: string, root: object, path: readonly string[], bound: number): void => {
    const bytes = census.count(root, path);
    if (bytes > bound) witness.note({ type: "held", what: who, bytes, bound });
  };
  for (const host of world.hosts) {
    if (!host.isUp) continue;
    const { node } = host;
    const connections = node.connections + world.linksOf(host).length;
    for (const [what, path, most] of NODE) {
      look(`a node's ${what}`, node, path, most === "connection" ? connections : most);
    }
    const bytesMax = NAMES_MAX * ENCODINGS * SLICES_MAX * (world.limits.flushBytesMax + 65_536);
    const slices = ["#channels", "*", "#encodings", "*", "lines", "#slicesBytes"];
    look("a node's slices", node, slices, bytesMax);
  }
  for (const { connection } of world.links) {
    if (connection === null) continue;
    for (const [what, path, most] of CONNECTION)
      look(`a connection's ${what}`, connection, path, most);
  }
  for (const { client } of cast.players) {
    for (const [what, path, most] of CLIENT) look(`a client's ${what}`, client, path, most);
  }
}

/** Holds what nodes say that they have counted against what was seen of it. */
export function inspectCounters({ world, witness }: Stage, usher: Usher): void {
  let appended = 0;
  for (const { type } of witness.history) if (type === "appended") appended += 1;
  for (const { node } of world.hosts) {
    const { gaps, published, errors } = node.counters.totals;
    const [gapsSeen, errorsSeen] = ["gap", "error"].map((type) => usher.writtenBy(node, type));
    const count = (what: string, said: number, least = 0, most = Infinity): void =>
      witness.note({ type: "counted", what, said, least, most });
    count("gaps", gaps, gapsSeen, gapsSeen);
    // An answer may not have left any more.
    const sum = Object.values(errors).reduce((total, one) => total + one, 0);
    count("errors", sum, errorsSeen);
    count("published", published, 0, appended);
  }
}

/** Counts what is left when all have gone. */
export function inspectLeft({ world, witness }: Stage, cast: Cast, census: Census): void {
  const left = (what: string, root: object, path: readonly string[]): void =>
    witness.note({ type: "left", what, count: census.count(root, path) });
  for (const { node } of world.hosts) {
    for (const [what, path] of NODE) left(`a node's ${what}`, node, path);
  }
  for (const { client, device } of cast.players) {
    for (const [what, path] of CLIENT) left(`a client's ${what}`, client, path);
    witness.note({ type: "left", what: "listeners to a page", count: device.listeners.size });
  }
}
