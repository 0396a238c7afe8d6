// Pages: a piece of a log in either direction, which costs the server no more than one at a time.
import { describe, expect, test } from "vitest";
import type { Ack, Position } from "@tailwire/protocol";
import { type TestNodeOptions, TestNode, type Peer, publish, type Said } from "../harness.ts";

type ReadFields = Omit<Extract<Said, { type: "read" }>, "type" | "channel">;

/** A peer on a channel that holds 1 … n. */
async function peerAt(count: number, options: TestNodeOptions = {}): Promise<Peer> {
  const testNode = new TestNode({
    channels: { "room:{id}": { retention: { count: 8 } } },
    ...options,
  });
  const peer = await testNode.openPeer();
  for (let number = 1; number <= count; number += 1) await peer.say(publish(number));
  peer.forget();
  return peer;
}

async function page(peer: Peer, fields: ReadFields): Promise<Ack> {
  await peer.say({ type: "read", channel: "room:1", ...fields });
  const answer = peer.heard.at(-1);
  if (answer?.type !== "ack") throw new Error(`answered with ${JSON.stringify(answer)}`);
  return answer;
}

const dataOf = ({ publications = [] }: Ack): unknown[] => publications.map(({ data }) => data);

/** Where a publication of a page stands. */
function placeIn({ publications, position }: Ack, index: number): Position {
  const publication = publications?.at(index);
  if (publication === undefined || position === undefined) throw new Error("no such place");
  return { epoch: position.epoch, offset: publication.offset, id: publication.id };
}

describe("[READ-1] a page", () => {
  test("is the end of the log where nothing else is asked for", async () => {
    const peer = await peerAt(5);
    expect(dataOf(await page(peer, { count: 2 }))).toEqual([4, 5]);
    expect(dataOf(await page(peer, { count: 5 }))).toEqual([1, 2, 3, 4, 5]);
    expect(dataOf(await page(peer, { count: 1_000 }))).toEqual([1, 2, 3, 4, 5]);
  });

  test("is what follows a position, or the last of what precedes it, without that itself", async () => {
    const peer = await peerAt(7);
    const all = await page(peer, { count: 10 });
    const fourth = placeIn(all, 3);
    expect(dataOf(await page(peer, { count: 2, after: fourth }))).toEqual([5, 6]);
    expect(dataOf(await page(peer, { count: 2, before: fourth }))).toEqual([2, 3]);
  });

  test("follows `after` where both are given", async () => {
    const peer = await peerAt(7);
    const all = await page(peer, { count: 10 });
    const both = { after: placeIn(all, 3), before: placeIn(all, 5) };
    expect(dataOf(await page(peer, { count: 9, ...both }))).toEqual([5, 6, 7]);
  });

  test("is shorter where publications are large, and has one where there is one", async () => {
    const peer = await peerAt(0, { limits: { flushBytesMax: 2_000 } });
    const large = (letter: string) => publish(letter.repeat(900));
    await peer.say(large("a"), large("b"), large("c"), publish("d".repeat(3_000)));
    const first = await page(peer, { count: 10, after: { epoch: "none", offset: 0, id: null } });
    expect(first.publications).toHaveLength(1);
    const next = await page(peer, { count: 10, after: placeIn(first, 0) });
    expect(dataOf(next)).toEqual(["b".repeat(900)]);
    expect(next.more).toBe(true);
    const end = await page(peer, { count: 10 });
    expect(dataOf(end)).toEqual(["d".repeat(3_000)]);
    expect(end.more).toBe(true);
  });

  test("of an empty log is empty, from its beginning", async () => {
    const peer = await peerAt(0);
    expect(await page(peer, { count: 3 })).toMatchObject({
      publications: [],
      more: false,
      position: { offset: 0, id: null },
    });
  });

  test("needs the permission to subscribe", async () => {
    const asked: string[] = [];
    const peer = await peerAt(1, {
      application: {
        authorize: ({ action }) => {
          asked.push(action);
          return action === "publish";
        },
      },
    });
    await peer.say({ type: "read", channel: "room:1", count: 1 });
    await peer.say({ type: "read", channel: "nowhere", count: 1 });
    expect(peer.heardInShort).toEqual(["error r1 forbidden", "error r2 forbidden"]);
    expect(asked).toEqual(["publish", "subscribe"]);
  });
});

describe("[READ-2] a page's position", () => {
  test("lies right before its first publication, with that place's id", async () => {
    const peer = await peerAt(5);
    const all = await page(peer, { count: 10 });
    expect(all.position).toMatchObject({ offset: 0, id: null });
    const second = placeIn(all, 1);
    expect((await page(peer, { count: 3 })).position).toEqual(second);
    expect((await page(peer, { count: 3, after: second })).position).toEqual(second);
    const fifth = placeIn(all, 4);
    expect((await page(peer, { count: 2, before: fifth })).position).toEqual(second);
  });

  test("and `more` tell where to read on, in both directions", async () => {
    const peer = await peerAt(5);
    const end = await page(peer, { count: 2 });
    expect(end.more).toBe(true);
    const before = await page(peer, { count: 3, before: placeIn(end, 0) });
    expect([dataOf(before), before.more]).toEqual([[1, 2, 3], false]);
    const after = await page(peer, { count: 1, after: placeIn(before, 2) });
    expect([dataOf(after), after.more]).toEqual([[4], true]);
    const last = await page(peer, { count: 1, after: placeIn(after, 0) });
    expect([dataOf(last), last.more]).toEqual([[5], false]);
    const beyond = await page(peer, { count: 1, after: placeIn(last, 0) });
    expect([dataOf(beyond), beyond.more, beyond.position]).toEqual([[], false, placeIn(last, 0)]);
  });
});

describe("[READ-3] a page from a place that the log doesn't have", () => {
  test("forwards has the gap of a subscriber, and begins right after it", async () => {
    const peer = await peerAt(1);
    const first = placeIn(await page(peer, { count: 1 }), 0);
    for (let number = 2; number <= 12; number += 1) await peer.say(publish(number));
    const trimmed = await page(peer, { count: 2, after: first });
    expect(trimmed.gap).toMatchObject({ reason: "trimmed", from: first, lost: 3 });
    expect(trimmed.gap?.continuesAfter).toEqual(trimmed.position);
    expect([dataOf(trimmed), trimmed.more]).toEqual([[5, 6], true]);
    const ahead = await page(peer, { count: 2, after: { ...first, offset: 99 } });
    expect(ahead.gap).toMatchObject({ reason: "ahead", lost: null });
    expect([dataOf(ahead), ahead.more]).toEqual([[], false]);
  });

  test("backwards has the gap, and is the end of the log", async () => {
    const peer = await peerAt(3);
    const unknown = { epoch: "another", offset: 2, id: null };
    const lost = await page(peer, { count: 2, before: unknown });
    expect(lost.gap).toMatchObject({ reason: "epoch", from: unknown });
    expect(dataOf(lost)).toEqual([2, 3]);
  });

  test("backwards has no gap where retention took what was before", async () => {
    const peer = await peerAt(12);
    const all = await page(peer, { count: 10 });
    const edge = await page(peer, { count: 2, before: placeIn(all, 0) });
    expect([dataOf(edge), edge.more, edge.gap]).toEqual([[], false, undefined]);
  });
});

test("[FLOW-3] a connection's pages are read one after another, each when the one before has left", async () => {
  const peer = await peerAt(3);
  peer.socket.completes = false;
  const read: Said = { type: "read", channel: "room:1", count: 3 };
  await peer.say(read, read, read);
  expect(peer.heardInShort).toEqual(["ack r1"]);
  await peer.drain();
  expect(peer.heardInShort).toEqual(["ack r1", "ack r2"]);
  await peer.drain();
  expect(peer.heardInShort).toEqual(["ack r1", "ack r2", "ack r3"]);
});

test("[READ-1] a page isn't given to whom a fresh token took the permission while it was read", async () => {
  let decide: (may: boolean) => void = () => undefined;
  let asked = 0;
  const testNode = new TestNode({
    application: {
      authorize: () => {
        asked += 1;
        return asked === 1 ? true : new Promise((resolve) => (decide = resolve));
      },
      authenticate: async () => ({ user: { id: "ada" } }),
    },
  });
  const peer = await testNode.openPeer();
  await peer.say(
    { type: "read", channel: "room:1", count: 1 },
    { type: "authenticate", token: "t" },
  );
  decide(false);
  await testNode.clock.settle();
  expect(peer.heardInShort.filter((one) => one.includes("r1"))).not.toContain("ack r1");
});
