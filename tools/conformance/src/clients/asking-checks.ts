/** Checks of clients that read pages, take requests back, and accept what a server begins. */
import { must, quote } from "../verdict.ts";
import { CHANNEL, type ClientCheck, mustBe, place, type Play, publication } from "./play.ts";
import type { PageNews } from "./program.ts";
import type { Caller, Fields } from "./scripted-server.ts";

const QUIET_MS = 300;

/** A publication as a page has it. */
function entry(offset: number, changes: Fields = {}): Fields {
  const { type: _type, channel: _channel, ...fields } = publication(offset);
  return { timestamp: 1, ...fields, ...changes };
}

/** The next page that a program tells of, behind so many others. */
async function page(play: Play, behind = 0): Promise<PageNews> {
  const pages = (): PageNews[] => play.news.filter((news) => news.event === "page");
  await play.until(() => pages().length > behind, `page ${behind + 1}`);
  return pages()[behind] as PageNews;
}

async function answer(caller: Caller, behind: number, fields: Fields): Promise<void> {
  const { id: re } = await caller.message("read", behind);
  caller.say({ type: "ack", re, more: false, position: place(0), publications: [], ...fields });
}

export const ASKING_CHECKS: Readonly<Record<string, ClientCheck>> = {
  "READ-1": async (play) => {
    play.order({ do: "read", channel: CHANNEL, count: 2, after: place(3) });
    const caller = await play.able(play.welcomed(0));
    const onwards = await play.able(caller.message("read"));
    must(onwards.channel === CHANNEL, `it reads ${quote(onwards.channel)}`);
    must(onwards.count === 2, `it reads ${onwards.count}, not 2`);
    mustBe(onwards.after, place(3), "it reads after");
    must(onwards.before === undefined, "it reads backwards too");
    await answer(caller, 0, { position: place(3), publications: [entry(4), entry(5)] });
    const first = await page(play);
    must(quote(first.data) === "[4,5]", `it showed ${quote(first.data)}`);
    play.order({ do: "read", channel: CHANNEL, count: 3, before: place(9) });
    const backwards = await caller.message("read", 1);
    mustBe(backwards.before, place(9), "it reads before");
    must(backwards.after === undefined, "it reads onwards too");
    play.order({ do: "read", channel: CHANNEL, count: 1 });
    const newest = await caller.message("read", 2);
    must(newest.after === undefined && newest.before === undefined, "it reads from a place");
    // Answers may come in any order.
    await answer(caller, 2, { position: place(8), publications: [entry(9)] });
    const second = await page(play, 1);
    must(quote(second.data) === "[9]", `the newest page is shown as ${quote(second.data)}`);
  },

  "READ-2": async (play) => {
    play.order({ do: "read", channel: CHANNEL, count: 10 });
    const caller = await play.able(play.welcomed(0));
    await play.able(caller.message("read"));
    const publications = [entry(4), entry(5)];
    await answer(caller, 0, { position: place(3, "other"), publications, more: true });
    const { positions, more } = await page(play);
    must(more, "it doesn't tell that there is more");
    must(positions.length === 2, `it gives ${positions.length} positions of 2`);
    mustBe(positions[0], place(4, "other"), "its first position is");
    mustBe(positions[1], place(5, "other"), "its second position is");
    play.order({ do: "read", channel: CHANNEL, count: 10 });
    await answer(caller, 1, { position: place(5, "other") });
    const last = await page(play, 1);
    must(!last.more, "it tells of more, where there is none");
  },

  "READ-3": async (play) => {
    play.order({ do: "read", channel: CHANNEL, count: 10, after: place(1) });
    const caller = await play.able(play.welcomed(0));
    await play.able(caller.message("read"));
    const to = place(6);
    const gap = { reason: "trimmed", from: place(1), to, continuesAfter: to, lost: 5 };
    await answer(caller, 0, { position: to, publications: [entry(7)], gap });
    const told = await page(play);
    must(told.gap === "trimmed", `it told a gap ${quote(told.gap)}`);
    must(quote(told.data) === "[7]", `it showed ${quote(told.data)}`);
    play.order({ do: "read", channel: CHANNEL, count: 10, after: place(7) });
    await answer(caller, 1, { position: place(7), publications: [entry(8)] });
    const whole = await page(play, 1);
    must(whole.gap === null, `it told a gap ${quote(whole.gap)}, where nothing was lost`);
  },

  "REQ-3": async (play) => {
    const [kept, taken] = ["conf.kept", "conf.taken"];
    for (const name of [kept, taken]) play.order({ do: "request", name, data: name });
    const caller = await play.able(play.welcomed(0));
    await play.able(caller.message("request", 1));
    play.order({ do: "cancel", name: taken });
    const { re } = await play.able(caller.message("cancel"));
    const requests = caller.all("request");
    const named = requests.find(({ id }) => id === re)?.name;
    must(named === taken, `it took back ${quote(named)}`);
    caller.say({
      type: "error",
      re,
      code: "cancelled",
      description: "",
      fault: "client",
      retry: false,
    });
    await play.until(({ event }) => event === "unanswered", "that it was taken back");
    const other = requests.find(({ name }) => name === kept);
    caller.say({ type: "ack", re: other?.id, data: "kept" });
    const answered = await play.until(({ event }) => event === "answered", "the other's answer");
    must(answered.event === "answered" && answered.data === "kept", `it told ${quote(answered)}`);
    must(!(await caller.comes("cancel", 1, QUIET_MS)), "it took back both");
  },

  "SUB-10": async (play) => {
    play.order({ do: "accept" });
    play.publish("to connect");
    const caller = await play.able(play.welcomed(0));
    await play.able(caller.message("publish"));
    caller.say({ type: "subscribed", channel: CHANNEL, position: place(5) }, publication(6));
    await play.shows(6);
    must(caller.all("unsubscribe").length === 0, "it ended what it accepts");
    must(caller.all("subscribe").length === 0, "it asked for what it has");
    // Its position moves on once the application has it.
    caller.say({ type: "ping" });
    await caller.message("pong");
    caller.cut();
    mustBe(await play.startOn(1), place(6));
  },
};
