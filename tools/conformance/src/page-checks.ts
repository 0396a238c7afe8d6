/** Checks of `read` (§6): pages of a log, in both directions. */
import type { Ack, Entry, Position } from "@tailwire/protocol";
import type { Fields, Peer } from "./peer.ts";
import type { Check, Stage } from "./stage.ts";
import { must, quote } from "./verdict.ts";

/** A channel with 1 … n, and where each stands. */
async function filled(stage: Stage, count: number) {
  const peer = await stage.welcomed();
  const channel = stage.channel();
  const acks = await peer.publishMany(channel, count);
  return { peer, channel, positions: acks.map(({ position }) => position) };
}

interface Page {
  readonly ack: Ack;
  readonly entries: readonly Entry[];
  readonly data: readonly unknown[];
  readonly position: Position;
}

async function page(peer: Peer, channel: string, fields: Fields): Promise<Page> {
  const ack = await peer.ack({ type: "read", channel, ...fields });
  const { publications: entries, position, more } = ack;
  must(entries !== undefined, `the ack to read has no publications: ${quote(ack)}`);
  must(position !== undefined && more !== undefined, `it has no position or more: ${quote(ack)}`);
  return { ack, entries, data: entries.map(({ data }) => data), position };
}

function mustHave({ data, ack }: Page, expected: readonly number[], more: boolean): void {
  must(quote(data) === quote(expected), `the page has ${quote(data)}, not ${quote(expected)}`);
  must(ack.more === more, `more is ${quote(ack.more)} for ${quote(data)}`);
}

export const PAGE_CHECKS: Readonly<Record<string, Check>> = {
  "READ-1": async (stage) => {
    const { peer, channel, positions } = await filled(stage, 8);
    mustHave(await page(peer, channel, { count: 3 }), [6, 7, 8], true);
    mustHave(await page(peer, channel, { count: 3, after: positions[3] }), [5, 6, 7], true);
    mustHave(await page(peer, channel, { count: 3, before: positions[5] }), [3, 4, 5], true);
    const both = { count: 3, after: positions[3], before: positions[2] };
    mustHave(await page(peer, channel, both), [5, 6, 7], true);
    mustHave(await page(peer, stage.channel(), { count: 3 }), [], false);
    for (const fields of [{ count: 0 }, { count: 1_001 }, {}]) {
      const other = await stage.welcomed();
      await other.refusal({ type: "read", channel, ...fields }, "bad_message");
    }
    await peer.publish(channel, 9);
    must(peer.published(channel).length === 0, "a read page is followed");
  },

  "READ-2": async (stage) => {
    const { peer, channel, positions } = await filled(stage, 8);
    const all = await page(peer, channel, { count: 8 });
    mustHave(all, [1, 2, 3, 4, 5, 6, 7, 8], false);
    for (const [index, { offset, id }] of all.entries.entries()) {
      const at = positions[index];
      must(at?.offset === offset && at.id === id, `${quote(offset)} isn't at ${quote(at)}`);
    }
    const last = positions[7];
    const backwards = await page(peer, channel, { count: 2, before: last });
    mustHave(backwards, [6, 7], true);
    const onwards = await page(peer, channel, { count: 2, after: backwards.position });
    mustHave(onwards, [6, 7], true);
    mustHave(await page(peer, channel, { count: 2, after: last }), [], false);
    mustHave(await page(peer, channel, { count: 9, before: positions[0] }), [], false);
  },

  "READ-3": async (stage) => {
    const { peer, channel } = await filled(stage, 3);
    const lost = { epoch: "conf-none", offset: 2, id: null };
    for (const fields of [{ after: lost }, { before: lost }]) {
      const { ack, data } = await page(peer, channel, { count: 9, ...fields });
      must(ack.gap?.reason === "epoch", `the gap is ${quote(ack.gap)} for ${quote(fields)}`);
      must(quote(ack.gap.from) === quote(lost), `it is from ${quote(ack.gap.from)}`);
      must(quote(data) === "[1,2,3]", `the page has ${quote(data)}`);
    }
    return "trimmed isn't judged";
  },
};
