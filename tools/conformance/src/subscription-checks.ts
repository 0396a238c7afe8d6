/** Checks of subscribing (§6) and delivery (§7). */
import { setTimeout as delay } from "node:timers/promises";
import type { Position } from "@tailwire/protocol";
import type { Gap, Peer } from "./peer.ts";
import type { Check, Stage } from "./stage.ts";
import { CannotJudge, must, quote } from "./verdict.ts";

/** More subscriptions than this aren't tried. */
const SUBSCRIPTIONS_TRIED_MAX = 4_096;

/** A channel with n publications, and where each stands. */
async function filled(
  stage: Stage,
  count: number,
): Promise<{ channel: string; publisher: Peer; positions: Position[] }> {
  const publisher = await stage.welcomed();
  const channel = stage.channel();
  const acks = await publisher.publishMany(channel, count);
  return { channel, publisher, positions: acks.map(({ position }) => position) };
}

/** Subscribes on a connection of its own, and waits for the end of the log. */
async function followed(stage: Stage, channel: string, start: unknown): Promise<Followed> {
  const peer = await stage.welcomed();
  const { position, recovered } = await peer.subscribe(channel, start);
  await peer.message("caughtup");
  const offsets = peer.published(channel).map(({ offset }) => offset);
  const gaps = peer.messages.filter((message) => message.type === "gap");
  return { peer, position, recovered, offsets, gaps };
}

interface Followed {
  readonly peer: Peer;
  readonly position: Position;
  readonly recovered: boolean | undefined;
  readonly offsets: readonly number[];
  readonly gaps: readonly Gap[];
}

/** The gap that has to come first, and to be right. */
async function gapFrom(stage: Stage, channel: string, start: Position): Promise<Gap> {
  const { gaps, recovered, peer } = await followed(stage, channel, start);
  const [gap] = gaps;
  must(gap !== undefined, `no gap for the position ${quote(start)}`);
  must(recovered === false, `recovered is ${quote(recovered)} before a gap ${gap.reason}`);
  const first = peer.messages.find(({ type }) => type === "gap" || type === "publication");
  must(first === gap, "a publication came before the gap");
  const next = peer.published(channel)[0];
  const after = gap.continuesAfter.offset;
  const follows = next === undefined || next.offset === after + 1;
  must(follows, `${next?.offset} doesn't follow ${after}`);
  return gap;
}

const SUBSCRIPTIONS: Readonly<Record<string, Check>> = {
  "SUB-1": async (stage) => {
    const { channel, positions } = await filled(stage, 10);
    const { peer, position } = await followed(stage, channel, { rewind: { count: 4 } });
    const after = positions[5];
    must(position.offset === after?.offset, `the ack says ${quote(position)}`);
    must(position.id === after.id, `the ack says ${quote(position)} and not ${quote(after)}`);
    must(peer.published(channel)[0]?.offset === positions[6]?.offset, "begins elsewhere");
  },

  "SUB-2": async (stage) => {
    const { channel, publisher, positions } = await filled(stage, 5);
    const startsAt = async (start: unknown, count: number): Promise<Peer> => {
      const { peer, offsets } = await followed(stage, channel, start);
      const expected = positions.slice(5 - count).map(({ offset }) => offset);
      must(quote(offsets) === quote(expected), `${quote(start)} was sent ${quote(offsets)}`);
      return peer;
    };
    const peers = [
      await startsAt("latest", 0),
      await startsAt("earliest", 5),
      await startsAt({ rewind: { count: 0 } }, 0),
      await startsAt({ rewind: { count: 2 } }, 2),
      await startsAt({ rewind: { count: 1_000_000 } }, 5),
      await startsAt({ rewind: { ageMs: 3_600_000 } }, 5),
      await startsAt(positions[1], 3),
    ];
    await delay(300);
    peers.push(await startsAt({ rewind: { ageMs: 100 } }, 0));
    const { position } = await publisher.publish(channel, "after");
    for (const peer of peers) {
      const live = (): true | undefined =>
        peer.published(channel).at(-1)?.offset === position.offset ? true : undefined;
      await peer.until(live, "what was published after the subscribe");
    }
  },

  "SUB-3": async (stage) => {
    const { channel, positions } = await filled(stage, 3);
    const known = await followed(stage, channel, positions[0]);
    must(known.recovered === true, `recovered is ${quote(known.recovered)} where all is retained`);
    must(known.gaps.length === 0, "recovered: true, and a gap came");
    const lost = await followed(stage, channel, { epoch: "conf-none", offset: 3, id: null });
    must(lost.recovered === false, `recovered is ${quote(lost.recovered)} for an unknown epoch`);
    must(lost.gaps.length === 1, "recovered: false, and no gap came");
    for (const start of ["latest", "earliest", { rewind: { count: 1 } }]) {
      const { recovered } = await followed(stage, channel, start);
      must(recovered === undefined, `recovered is ${quote(recovered)} for ${quote(start)}`);
    }
  },

  "SUB-4": async (stage) => {
    const { channel, publisher } = await filled(stage, 400);
    const peer = await stage.welcomed();
    await peer.subscribe(channel, "earliest");
    await publisher.publishMany(channel, 400);
    const offsets = (await peer.has(channel, 800)).map(({ offset }) => offset);
    const rising = offsets.every((offset, index) => offset > (offsets[index - 1] ?? 0));
    must(rising && offsets.length === 800, "replay and live delivery aren't one run");
  },

  "SUB-5": async (stage) => {
    const { channel, publisher } = await filled(stage, 1);
    const peer = await stage.welcomed();
    for (let round = 0; round < 5; round += 1) {
      await peer.subscribe(channel, "earliest");
      const publishing = publisher.publishMany(channel, 60);
      await peer.ack({ type: "unsubscribe", channel });
      await publishing;
      await publisher.publish(channel, "late");
      await peer.lives();
    }
    await delay(100);
    await peer.lives();
  },

  "SUB-6": async (stage) => {
    const peer = await stage.welcomed();
    const channel = stage.channel();
    await peer.refusal({ type: "unsubscribe", channel }, "not_subscribed");
    await peer.subscribe(channel);
    await peer.refusal({ type: "subscribe", channel, start: "earliest" }, "already_subscribed");
    await peer.publish(channel, 1);
    await peer.has(channel, 1);
    await peer.ack({ type: "unsubscribe", channel });
    await peer.refusal({ type: "unsubscribe", channel }, "not_subscribed");
    await peer.subscribe(channel);
  },

  "SUB-7": async (stage) => {
    const peer = await stage.welcomed();
    const channel = stage.channel();
    const publish = { type: "publish", channel, event: "conf", data: 1 };
    const subscribe = { type: "subscribe", channel, start: "latest" };
    const unsubscribe = { type: "unsubscribe", channel };
    const ids = peer.say(publish, subscribe, publish, unsubscribe, publish, subscribe, publish);
    const answers = await Promise.all(ids.map((id) => peer.answer(id)));
    const offsets = answers.map((answer) => (answer.type === "ack" ? answer.position?.offset : -1));
    const [first = 0, begun, second = 0, , third, again, fourth] = offsets;
    must(
      offsets.every((offset) => offset !== -1),
      `one was refused: ${quote(offsets)}`,
    );
    must(begun === first, `a subscribe after publication ${first} begins at ${begun}`);
    must(again === third, `a subscribe after publication ${third} begins at ${again}`);
    await peer.until(
      () => (peer.published(channel).at(-1)?.offset === fourth ? true : undefined),
      "the last publication",
    );
    const seen = peer.published(channel).map(({ offset }) => offset);
    must(!seen.includes(first) && !seen.includes(third ?? 0), `delivered ${quote(seen)}`);
    must(second > first, "publications aren't in the order in which they came");
    return "that channels don't wait for each other isn't seen from outside";
  },

  "REQ-1": async (stage) => {
    const peer = await stage.welcomed();
    const names = ["conf.none-1", "conf.none-2"];
    for (const name of names) {
      await peer.refusal({ type: "request", name, data: null }, "unknown_request");
    }
    const [id = ""] = peer.say({ type: "cancel", re: "conf.none" });
    await peer.lives();
    const answered = peer.messages.some((message) => "re" in message && message.re === id);
    must(!answered, "a cancel was answered");
    return "only that nobody answers an unknown name";
  },

  "SUB-8": async (stage) => {
    const peer = await stage.welcomed();
    const { subscriptionsMax } = peer.welcome.limits;
    if (subscriptionsMax > SUBSCRIPTIONS_TRIED_MAX) throw new CannotJudge("the limit is high");
    for (let left = subscriptionsMax; left > 0; left -= 100) {
      const fields = Array.from({ length: Math.min(left, 100) }, () => ({
        type: "subscribe",
        channel: stage.channel(),
        start: "latest",
      }));
      await Promise.all(peer.say(...fields).map((id) => peer.placed(id)));
    }
    const channel = stage.channel();
    await peer.refusal({ type: "subscribe", channel, start: "latest" }, "limit_exceeded");
    await peer.lives();
  },
};

const DELIVERY: Readonly<Record<string, Check>> = {
  "DEL-1": async (stage) => {
    const channel = stage.channel();
    const bad = [
      { epoch: "", offset: 0, id: null },
      { epoch: "e", offset: -1, id: null },
      { epoch: "e", offset: 1.5, id: null },
      { epoch: "e", offset: 0, id: 7 },
      { epoch: "x".repeat(65), offset: 0, id: null },
      { epoch: "e", offset: 0, id: "x".repeat(129) },
    ];
    for (let at = 0; at < bad.length; at += 2) {
      const peer = await stage.welcomed();
      for (const start of bad.slice(at, at + 2)) {
        await peer.refusal({ type: "subscribe", channel, start }, "bad_position");
      }
    }
  },

  "DEL-2": async (stage) => {
    const { channel, publisher } = await filled(stage, 50);
    const { peer } = await followed(stage, channel, "earliest");
    await publisher.publishMany(channel, 50);
    await peer.has(channel, 100);
    return "of the server: that its publications chain";
  },

  "DEL-3": async (stage) => {
    const { channel, publisher } = await filled(stage, 30);
    const peers = await Promise.all([stage.welcomed(), stage.welcomed()]);
    for (const peer of peers) await peer.subscribe(channel, "earliest");
    await publisher.publishMany(channel, 30);
    const [one, other] = await Promise.all(
      peers.map(async (peer) => {
        await peer.has(channel, 60);
        return peer.arrived.filter(({ message }) => message.type === "publication");
      }),
    );
    for (const [index, { line }] of (one ?? []).entries()) {
      const twin = other?.[index]?.line;
      must(line === twin, `two subscribers were sent ${quote(line)} and ${quote(twin)}`);
    }
    must(one?.length === 60, `${one?.length} of 60 publications came`);
  },

  "DEL-4": async (stage) => {
    const { channel, positions } = await filled(stage, 3);
    const last = positions[2];
    must(last !== undefined, "nothing was published");
    const unknown = await gapFrom(stage, channel, { epoch: "conf-none", offset: 2, id: null });
    must(unknown.reason === "epoch", `an unknown epoch makes a gap ${unknown.reason}`);
    const ahead = await gapFrom(stage, channel, { ...last, offset: last.offset + 9, id: null });
    must(ahead.reason === "ahead", `a position that is ahead makes a gap ${ahead.reason}`);
    must(ahead.continuesAfter.offset === last.offset, `goes on after ${quote(ahead)}`);
    for (const { lost } of [unknown, ahead]) must(lost === null, `lost is ${quote(lost)}`);
    return trimmedGap(stage);
  },

  "DEL-5": async (stage) => {
    const { channel } = await filled(stage, 3);
    const { position } = await followed(stage, channel, "earliest");
    const { gaps, recovered, offsets } = await followed(stage, channel, position);
    must(gaps.length === 0, `the edge made a gap ${gaps[0]?.reason}`);
    must(recovered === true && offsets.length === 3, `recovered is ${quote(recovered)}`);
  },

  "DEL-6": async (stage) => {
    const { channel, positions } = await filled(stage, 3);
    const at = positions[1];
    must(at !== undefined, "nothing was published");
    const gap = await gapFrom(stage, channel, { ...at, id: "conf-other/1" });
    must(gap.reason === "diverged", `another id makes a gap ${gap.reason}`);
    const nameless = await followed(stage, channel, { ...at, id: null });
    must(nameless.gaps.length === 0, "an id that is null was compared");
    must(nameless.recovered === true, "an id that is null doesn't recover");
  },

  "DEL-8": async (stage) => {
    const { channel, publisher, positions } = await filled(stage, 20);
    const { peer } = await followed(stage, channel, "earliest");
    const end = await peer.message("caughtup");
    must(end.position.offset === positions.at(-1)?.offset, `at ${quote(end.position)}`);
    must(peer.published(channel).length === 20, "caughtup came before the end of the log");
    const { position } = await publisher.publish(channel, "live");
    await peer.has(channel, 21);
    await peer.lives();
    const count = peer.messages.filter(({ type }) => type === "caughtup").length;
    must(count === 1, `caughtup came ${count} times by ${position.offset}`);
  },
};

/** Publishes until retention passes the first one, as far as is decent. Gives what isn't judged. */
async function trimmedGap(stage: Stage): Promise<string | undefined> {
  const { channel, publisher, positions } = await filled(stage, 64);
  const [first] = positions;
  must(first !== undefined, "nothing was published");
  const trimmed = async (): Promise<boolean> =>
    (await followed(stage, channel, "earliest")).position.offset > first.offset;
  const data = "x".repeat(Math.min(60_000, publisher.welcome.limits.messageBytesMax - 1_000));
  for (let sent = 0; !(await trimmed()); sent += 20) {
    if (sent >= 100) return "trimmed isn't judged: retention is long there";
    for (let count = 0; count < 20; count += 1) await publisher.publish(channel, data);
  }
  const gap = await gapFrom(stage, channel, first);
  must(gap.reason === "trimmed", `what retention passed makes a gap ${gap.reason}`);
  const { lost, continuesAfter } = gap;
  const between = continuesAfter.offset - first.offset;
  must(lost !== null && lost === between, `${quote(lost)} lost of ${between}`);
  return undefined;
}

export const SUBSCRIPTION_CHECKS: Readonly<Record<string, Check>> = {
  ...SUBSCRIPTIONS,
  ...DELIVERY,
};
