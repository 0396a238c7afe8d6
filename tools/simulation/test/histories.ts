/** The words of which tests make the smallest histories, and how such a history is judged. */
import { expect, test } from "vitest";
import { check, type HistoryEvent, type Place, type Rule } from "@tailwire/simulation";

export const channel = "room:1";

export const place = (offset: number, epoch = "A") => ({
  epoch,
  offset,
  id: offset === 0 ? null : `id${offset}`,
});
export const entry = (offset: number, changes: object = {}) => ({
  offset,
  id: `id${offset}`,
  tag: `tag${offset}`,
  event: "said",
  publisher: "Ada",
  timestamp: 0,
  content: "it",
  ...changes,
});

export const epoch = (name: string, parent: string | null = null, at = 0): HistoryEvent => ({
  type: "epoch",
  channel,
  epoch: name,
  parent,
  at,
});
/** A client that there is. */
export const client = (name: string, user = name, session = name): HistoryEvent => ({
  type: "client",
  client: name,
  user,
  session,
});
export const publish = (tag: string, publisher = "ada", changes: object = {}): HistoryEvent => ({
  type: "publish",
  tag,
  channel,
  publisher,
  as: "ada",
  event: "said",
  content: "it",
  bytes: 10,
  ttlMs: null,
  at: 0,
  ...changes,
});
/** A publication is sent, and refused by a node, perhaps after something has become of it. */
export const refused = (
  tag: string,
  code: string,
  meanwhile: readonly HistoryEvent[] = [],
): HistoryEvent[] => [
  wrote(tag, { id: tag }),
  request(tag, { what: "publish", channel, grant: "c" }),
  ...meanwhile,
  answer(tag, { code }),
];
/** It is given up. */
export const unpublished = (tag: string, code: string, changes: object = {}): HistoryEvent => ({
  type: "unpublished",
  tag,
  code,
  may: code === "indeterminate",
  at: 0,
  ...changes,
});
export const appended = (offset: number, changes: object = {}, name = "A"): HistoryEvent => ({
  type: "appended",
  channel,
  epoch: name,
  entry: entry(offset, changes),
  bytes: 10,
});
/** A publication is handed to a socket, on the connection `c`, under the id `1`. */
export const wrote = (tag: string, changes: object = {}): HistoryEvent => ({
  type: "wrote",
  connection: "c",
  id: "1",
  tag,
  at: 0,
  ageMs: null,
  channel,
  sequence: Number(/\d+/.exec(tag)?.[0] ?? 1),
  settled: 0,
  ...changes,
});
/** It is sent once in vain, and comes to a node when it is sent again. */
const sentAgain = (tag: string): HistoryEvent[] => [
  wrote(tag, { connection: "lost", id: tag }),
  wrote(tag, { id: tag, ageMs: 0 }),
  request(tag, { what: "publish", channel, grant: "c" }),
];
/** Taken as a repeat of the publication of this tag. */
export const repeated = (offset: number, tag: string, name = "A"): HistoryEvent[] => [
  ...sentAgain(tag),
  appended(offset, { tag, id: tag.replace("tag", "id") }, name),
];
export const published = (offset: number, name = "A"): HistoryEvent => ({
  type: "published",
  tag: `tag${offset}`,
  position: place(offset, name),
});
/** Published, appended and acknowledged. */
export const done = (offset: number): HistoryEvent[] => [
  publish(`tag${offset}`),
  appended(offset),
  published(offset),
];
export const subscribe = (changes: object = {}): HistoryEvent[] => [
  {
    type: "subscribe",
    sub: "s",
    channel,
    start: "latest",
    without: null,
    client: "ada",
    hasState: false,
    begun: false,
    at: 0,
    ...changes,
  },
  { type: "started", sub: "s", position: place(0), at: 0 },
];
export const delivery = (offset: number, changes: object = {}, name = "A"): HistoryEvent => ({
  type: "delivery",
  sub: "s",
  epoch: name,
  entry: entry(offset, changes),
  at: 0,
});
/** The application keeps its position, perhaps while it is at work. */
export const kept = (offset: number, working = false): HistoryEvent => ({
  type: "kept",
  sub: "s",
  position: place(offset),
  working,
});
/** It was told that it has everything. */
export const caughtUp: HistoryEvent = { type: "caughtup", sub: "s" };
export const gap = (
  reason: "trimmed" | "epoch" | "diverged" | "ahead",
  changes: object,
): HistoryEvent => ({
  type: "gap",
  sub: "s",
  reason,
  from: place(0),
  to: place(1),
  continuesAfter: place(1),
  lost: null,
  at: 0,
  ...changes,
});
interface Question {
  readonly after?: Place | null;
  readonly before?: Place | null;
  readonly count?: number;
  /** Fields of the page itself. */
  readonly [field: string]: unknown;
}

/** A page is asked for, perhaps something happens, and the page comes. */
export const page = (
  { after = place(0), before = null, count = 10, ...changes }: Question,
  meanwhile: readonly HistoryEvent[] = [],
): HistoryEvent[] => [
  { type: "read", page: "p", channel, after, before, count },
  ...meanwhile,
  { type: "page", page: "p", epoch: "A", entries: [], more: false, gap: null, ...changes },
];

export const token = (changes: object = {}): HistoryEvent => ({
  type: "token",
  connection: "c",
  user: "ada",
  expiresAt: Infinity,
  at: 0,
  ...changes,
});
export const policy = (allowed: boolean): HistoryEvent => ({
  type: "policy",
  user: "ada",
  channel,
  allowed,
});
export const sent = (wall = 0, at = wall): HistoryEvent => ({
  type: "sent",
  connection: "c",
  channel,
  wall,
  at,
});
/** A request comes to a node, on the connection `c`. */
export const request = (id: string, changes: object = {}): HistoryEvent => ({
  type: "request",
  connection: "c",
  id,
  what: "request",
  channel: null,
  start: null,
  grant: null,
  wall: 0,
  at: 0,
  ...changes,
});
/** The answer to a request is written. */
export const answer = (re: string, changes: object = {}): HistoryEvent => ({
  type: "answer",
  connection: "c",
  re,
  code: null,
  retry: false,
  position: null,
  recovered: null,
  at: 0,
  ...changes,
});
export const setting = (changes: object): HistoryEvent => ({ type: "setting", ...changes });
export const settled: HistoryEvent = { type: "settled" };

/** A rule, how it is broken, the history that does, and one that is nearly the same, and right. */
export type Broken = readonly [
  rule: Rule,
  what: string,
  wrong: readonly HistoryEvent[],
  right?: readonly HistoryEvent[],
];

/** Tests that each wrong history breaks its rule alone, and its right twin none. */
export function judge(rows: readonly Broken[]): void {
  for (const [rule, what, wrong, right = []] of rows) {
    test(`${rule} is broken, and nothing else, when ${what}`, () => {
      expect(check(wrong).map((violation) => violation.rule)).toEqual([rule]);
      expect(check(right)).toEqual([]);
    });
  }
}
