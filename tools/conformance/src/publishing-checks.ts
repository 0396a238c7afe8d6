/** Checks of §8: publishing, and publishing again. */
import { type Peer, shown } from "./peer.ts";
import type { Check, Stage } from "./stage.ts";
import { CannotJudge, must, quote } from "./verdict.ts";

/** All of a channel, as somebody else reads it. */
async function logOf(stage: Stage, channel: string): ReturnType<Peer["has"]> {
  const peer = await stage.welcomed();
  await peer.subscribe(channel, "earliest");
  await peer.message("caughtup");
  return peer.published(channel);
}

export const PUBLISHING_CHECKS: Readonly<Record<string, Check>> = {
  "PUB-1": async (stage) => {
    const peer = await stage.welcomed();
    const channel = stage.channel();
    for (const data of [1, null, { a: [true] }]) {
      const { position } = await peer.publish(channel, data);
      const last = (await logOf(stage, channel)).at(-1);
      must(last !== undefined, "what was acknowledged isn't in the log");
      const there = last.offset === position.offset && last.id === position.id;
      must(there, `acknowledged at ${quote(position)}, stands at ${last.offset} as ${last.id}`);
      must(quote(last.data) === quote(data), `${quote(data)} became ${quote(last.data)}`);
      must(last.event === "conf", `the event became ${quote(last.event)}`);
    }
  },

  "PUB-2": async (stage) => {
    const peer = await stage.welcomed();
    const channel = stage.channel();
    const { re } = await peer.publish(channel, 1);
    const [publication] = await logOf(stage, channel);
    const { client } = peer.welcome;
    must(publication?.id === `${client}/${re}`, `the id is ${quote(publication?.id)}`);
    must(publication.publisher === client, `the publisher is ${quote(publication.publisher)}`);
  },

  "PUB-3": async (stage) => {
    const session = stage.session();
    const one = await stage.welcomed({ session });
    const { client } = one.welcome;
    one.end();
    const again = await stage.welcomed({ session, generation: 2 });
    must(again.welcome.client === client, "the public id changes with the connection");
    must(!client.includes(session), "the public id gives the secret away");
    const otherSecret = await stage.welcomed();
    must(otherSecret.welcome.client !== client, "another secret has the same public id");
    if (!(await stage.asksForTokens())) return "one user only: the server asks for no token";
    const otherUser = await stage.another({ session });
    must(otherUser.welcome.client !== client, "another user has the same public id");
    return undefined;
  },

  "PUB-4": async (stage) => {
    const session = stage.session();
    const peer = await stage.welcomed({ session });
    const channel = stage.channel();
    const id = "conf.1";
    const numbers = { id, sequence: 1, settled: 0 };
    const again = { ...numbers, repeat: { ageMs: 10 } };
    const [, twin = ""] = peer.say(
      { type: "publish", channel, event: "conf", data: 1, ...numbers },
      { type: "publish", channel, event: "conf", data: 1, ...again },
    );
    const acks = await peer.until(() => {
      const found = peer.messages.filter((m) => "re" in m && m.re === twin);
      return found.length === 2 ? found : undefined;
    }, "two answers to an id that was sent twice");
    const duplicates = acks.map((ack) => (ack.type === "ack" ? ack.duplicate === true : null));
    must(quote(duplicates) === "[false,true]", `duplicate is ${quote(duplicates)}`);
    const newer = await stage.welcomed({ session, generation: 2 });
    const { position, duplicate } = await newer.publish(channel, 1, again);
    must(duplicate === true, "the same again over a new connection isn't a duplicate");
    const log = await logOf(stage, channel);
    must(log.length === 1, `published once, and ${log.length} times in the log`);
    must(position.offset === log[0]?.offset, `the duplicate's position is ${quote(position)}`);
    const publish = { type: "publish", channel, event: "conf", data: 1, ...again };
    await newer.refusal({ ...publish, data: 2 }, "id_conflict");
    await newer.refusal({ ...publish, event: "other" }, "id_conflict");
    await newer.refusal({ ...publish, repeat: undefined }, "id_conflict");
  },

  "PUB-5": async (stage) => {
    const peer = await stage.welcomed();
    const channel = stage.channel();
    const { position } = await peer.publish(channel, 1, { id: "conf.1", sequence: 1, settled: 0 });
    const repeat = { ageMs: 10, epoch: position.epoch };
    const again = { id: "conf.1", sequence: 1, settled: 0, repeat };
    const known = await peer.publish(channel, 1, again);
    must(known.duplicate === true, "a repeat of what is in the log isn't a duplicate");
    const fresh = await peer.publish(channel, 2, { id: "conf.2", sequence: 2, settled: 0, repeat });
    must(fresh.duplicate !== true, "a repeat of what never arrived is a duplicate");
    const { dedupeMs } = peer.welcome.limits;
    const old = { ageMs: dedupeMs + 1, epoch: position.epoch };
    const numbers = { sequence: 3, settled: 0 };
    const publish = { type: "publish", channel, event: "conf", data: 3, ...numbers };
    await peer.refusal({ ...publish, repeat: old }, "indeterminate");
    const elsewhere = { ageMs: Number.MAX_SAFE_INTEGER, epoch: "conf-none" };
    await peer.refusal({ ...publish, repeat: elsewhere }, "indeterminate");
    const log = await logOf(stage, channel);
    must(log.length === 2, `${log.length} publications in the log, not 2`);
  },

  "PUB-7": async (stage) => {
    const session = stage.session();
    const older = await stage.welcomed({ session });
    const channel = stage.channel();
    await older.publish(channel, "older");
    const newer = await stage.welcomed({ session, generation: 2 });
    await newer.publish(channel, "newer");
    if (older.isClosed) throw new CannotJudge("the older connection was closed at once");
    await older.refusal({ type: "publish", channel, event: "conf", data: 1 }, "fenced");
    await older.publish(stage.channel(), "another channel");
    must((await logOf(stage, channel)).length === 2, "what was fenced is in the log");
  },

  "PUB-8": async (stage) => {
    const peer = await stage.welcomed();
    const channel = stage.channel();
    const numbers = { id: "conf.1", sequence: 1, settled: 0 };
    await peer.publish(channel, 0, numbers);
    const publish = (data: number): object => ({ type: "publish", channel, event: "conf", data });
    const all = Array.from({ length: 200 }, (_, index) => ({ ...publish(index + 1) }));
    const ids = peer.say(...all.slice(0, 100), { ...publish(-1), ...numbers }, ...all.slice(100));
    const answers = await Promise.all(ids.map((id) => peer.answer(id)));
    const refused = answers.filter(({ type }) => type === "error");
    // The first answer by that id is the ack from before.
    must(refused.length === 0, `${refused.length} were refused: ${quote(answers.map(shown))}`);
    await peer.message("error", ({ code }) => code === "id_conflict");
    const data = (await logOf(stage, channel)).map((publication) => publication.data);
    const inOrder = data.every((value, index) => value === index);
    must(inOrder && data.length === 201, `the log's order is ${quote(data)}`);
  },

  "PUB-14": async (stage) => {
    const peer = await stage.welcomed();
    const channel = stage.channel();
    const { position } = await peer.publish(channel, 2, { id: "conf.2", sequence: 2, settled: 0 });
    const repeat = { ageMs: 10, epoch: position.epoch };
    const numbers = { sequence: 1, settled: 0, repeat };
    const first = { type: "publish", channel, event: "conf", data: 1, ...numbers };
    await peer.refusal(first, "overtaken");
    const third = await peer.publish(channel, 3, { id: "conf.3", sequence: 3, settled: 0, repeat });
    must(third.duplicate !== true, "a repeat of what never arrived is a duplicate");
    const data = (await logOf(stage, channel)).map((publication) => publication.data);
    must(quote(data) === "[2,3]", `the log is ${quote(data)}`);
  },
};
