/** Checks of clients that follow a channel: the chain, gaps, epochs, and where they go on. */
import { setTimeout as delay } from "node:timers/promises";
import { CannotJudge, must, quote } from "../verdict.ts";
import { CHANNEL, type ClientCheck, mustBe, place, publication } from "./play.ts";

/** Long enough for what must not come to have come. */
const QUIET_MS = 300;

export const READING_CHECKS: Readonly<Record<string, ClientCheck>> = {
  "DEL-1": async (play) => {
    play.subscribe();
    const caller = await play.following(0, 0);
    caller.say(publication(1), publication(2));
    await play.shows(1, 2);
    // Its position moves on once the application has it.
    await delay(QUIET_MS);
    caller.cut();
    mustBe(await play.startOn(1), place(2));
  },

  "DEL-2": async (play) => {
    play.subscribe();
    const caller = await play.following(0, 0);
    caller.say(publication(1), publication(1, "twice"), publication(3));
    await caller.message("unsubscribe");
    const again = await caller.message("subscribe", 1);
    mustBe(again.start, place(1));
    await play.acknowledge(caller, place(1), 1);
    caller.say(publication(2), publication(3));
    await play.shows(1, 2, 3);
  },

  "DEL-4": async (play) => {
    play.subscribe();
    const caller = await play.following(0, 0);
    caller.say(publication(1));
    const [from, to] = [place(1), place(9)];
    const gap = { type: "gap", channel: CHANNEL, from, to, continuesAfter: to, lost: 8 };
    caller.say({ ...gap, reason: "trimmed" }, publication(10));
    await play.shows(1, 10);
    const told = play.news.findIndex(({ event }) => event === "gap");
    must(told === 1, "the gap isn't told before what follows it");
    const beyond = {
      ...gap,
      from: place(10),
      to: place(2, "other"),
      continuesAfter: place(2, "other"),
    };
    caller.say({ ...beyond, reason: "epoch", lost: null });
    await play.until((news) => news.event === "gap" && news.reason === "epoch", "the second gap");
    await delay(QUIET_MS);
    caller.cut();
    mustBe(await play.startOn(1), place(2, "other"));
  },

  "DEL-7": async (play) => {
    play.subscribe();
    const caller = await play.following(0, 0);
    caller.say(publication(1));
    caller.say({ type: "epoch", channel: CHANNEL, position: place(1, "next") }, publication(2));
    await play.shows(1, 2);
    must(!play.news.some(({ event }) => event === "gap"), "it told a gap, where nothing was lost");
    await delay(QUIET_MS);
    caller.cut();
    mustBe(await play.startOn(1), place(2, "next"));
  },

  "SUB-5": async (play) => {
    play.subscribe();
    const caller = await play.following(0, 0);
    caller.say(publication(1), publication(3));
    await caller.message("unsubscribe");
    await caller.message("subscribe", 1);
    caller.say(publication(2, "of a cursor that is gone"));
    await play.acknowledge(caller, place(1), 1);
    caller.say(publication(2));
    await play.shows(1, 2);
  },

  "SUB-9": async (play) => {
    play.subscribe();
    const caller = await play.following(0, 0);
    caller.say(publication(1), {
      type: "unsubscribed",
      channel: CHANNEL,
      code: "forbidden",
      description: "",
      retry: false,
    });
    const ended = await play.until(({ event }) => event === "ended", "the end");
    must(ended.event === "ended" && ended.code === "forbidden", `it told ${quote(ended)}`);
    must(
      !(await caller.comes("subscribe", 1, QUIET_MS)),
      "it subscribes again, although it may not",
    );
  },

  "STATE-1": async (play) => {
    play.subscribe("latest");
    const caller = await play.welcomed(0);
    const subscribe = await caller.message("subscribe");
    const position = place(5);
    caller.say(
      { type: "ack", re: subscribe.id, position },
      { type: "snapshot", channel: CHANNEL, position, data: "state" },
      publication(6),
    );
    await play.shows(6);
    const [first] = play.news;
    if (first?.event !== "state") throw new CannotJudge("the client shows no states");
    must(first.data === "state", `it showed ${quote(first)}`);
  },

  "VER-3": async (play) => {
    play.subscribe();
    const caller = await play.following(0, 0);
    caller.say(
      { type: "conf-unknown", channel: CHANNEL, offset: "x" },
      { type: "constructor", position: null },
      { ...publication(1), unknown: { deep: [1] }, type2: "gap" },
    );
    await play.shows(1);
  },

  "VER-4": async (play) => {
    play.subscribe();
    const caller = await play.following(0, 0, { features: ["conf-unknown", "another"] });
    caller.say(publication(1));
    await play.shows(1);
  },

  "ERR-1": async (play) => {
    play.subscribe();
    const caller = await play.welcomed(0);
    const refuse = async (behind: number, retry: boolean): Promise<void> => {
      const { id: re } = await caller.message("subscribe", behind);
      const code = "conf_unknown";
      caller.say({ type: "error", re, code, description: "forbidden", fault: "server", retry });
    };
    await refuse(0, true);
    await refuse(1, false);
    const ended = await play.until(({ event }) => event === "ended", "the end");
    must(ended.event === "ended" && ended.code === "conf_unknown", `it told ${quote(ended)}`);
    must(!(await caller.comes("subscribe", 2, QUIET_MS)), "it asks again after a refusal for good");
  },
};
