/** Checks of clients that subscribe again: from where, when, and beside what a server begins. */
import { must } from "../verdict.ts";
import { CHANNEL, type ClientCheck, mustBe, place, publication } from "./play.ts";

const RETRY_AFTER_MS = 700;
const SLACK_MS = 20;

export const RETURNING_CHECKS: Readonly<Record<string, ClientCheck>> = {
  "DEL-1": async (play) => {
    play.subscribe("latest");
    const caller = await play.following(0, 5);
    // The pong shows that it has read the ack.
    caller.say({ type: "ping" });
    await caller.message("pong");
    caller.cut();
    mustBe(await play.startOn(1), place(5));
  },

  "DEL-4": async (play) => {
    play.subscribe();
    let caller = await play.following(0, 0);
    caller.say(publication(1));
    await play.shows(1);
    for (const [index, position] of [place(9), place(9, "other")].entries()) {
      caller.cut();
      caller = await play.welcomed(index + 1);
      const { id: re, start } = await caller.message("subscribe");
      mustBe(start, place(1));
      caller.say({ type: "ack", re, position, recovered: false }, { type: "ping" });
      // The pong shows that it has read that. The gap is lost with the connection.
      await caller.message("pong");
    }
    caller.cut();
    mustBe(await play.startOn(3), place(1));
  },

  "ERR-1": async (play) => {
    play.subscribe();
    const caller = await play.welcomed(0);
    const { id: re } = await caller.message("subscribe");
    const refusal = { code: "unavailable", description: "", fault: "server", retry: true };
    const saidAt = performance.now();
    caller.say({ type: "error", re, ...refusal, retryAfterMs: RETRY_AFTER_MS });
    await caller.message("subscribe", 1);
    const waitedMs = Math.round(performance.now() - saidAt);
    must(waitedMs >= RETRY_AFTER_MS - SLACK_MS, `it waited for ${waitedMs} ms`);
  },

  "SUB-10": async (play) => {
    play.subscribe();
    const caller = await play.welcomed(0);
    const { id: re } = await caller.message("subscribe");
    caller.say(
      { type: "subscribed", channel: CHANNEL, position: place(5) },
      publication(6, "of the server's own"),
      { type: "ack", re, position: place(0) },
      publication(1),
      publication(2),
    );
    await play.shows(1, 2);
    must(caller.all("unsubscribe").length === 0, "it ended its own subscription");
    must(caller.all("subscribe").length === 1, "it subscribed twice");
  },
};
