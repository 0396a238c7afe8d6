/** Checks of how long clients wait: for a sign of life, and before they come back. */
import { setTimeout as delay } from "node:timers/promises";
import { CannotJudge, must } from "../verdict.ts";
import type { ClientCheck } from "./play.ts";

const HEARTBEAT = { intervalMs: 1_500, timeoutMs: 1_500 };
const SILENCE_MS = HEARTBEAT.intervalMs + HEARTBEAT.timeoutMs;
/** Clients may look at their clocks in steps, and machines be slow. */
const LATE_MS = SILENCE_MS * 1.75;
const SLACK_MS = 20;
const SIGN_EVERY_MS = 300;

/** Clients that are cut off at once. */
const CROWD = 10;
/** The first wait is up to 1 s; programs and machines may be slow beside that. */
const FIRST_WAIT_MS = 3_500;
/** The shortest of ten random waits is nearly always shorter than this part of the longest. */
const ALIKE = 0.75;
const WATCH_MS = 6_000;
/** Between three and four waits of up to 1, 2, 4 s are over by then, and dice may fall low. */
const ATTEMPTS_MAX = 7.5 * CROWD;

export const WAITING_CHECKS: Readonly<Record<string, ClientCheck>> = {
  "LIVE-2": async (play) => {
    play.subscribe();
    const caller = await play.following(0, 0, { heartbeat: HEARTBEAT });
    let saidAt = performance.now();
    const until = saidAt + SILENCE_MS * 1.5;
    while (performance.now() < until) {
      caller.say({ type: "conf-unknown" });
      await delay(SIGN_EVERY_MS);
      must(!caller.isGone, "it drops a socket on which messages come");
      const silentMs = performance.now() - saidAt;
      if (silentMs > HEARTBEAT.intervalMs) throw new CannotJudge("the judge's machine is too slow");
      saidAt = performance.now();
    }
  },

  "LIVE-3": async (play) => {
    play.subscribe();
    const caller = await play.following(0, 0, { heartbeat: HEARTBEAT });
    const silentSince = performance.now();
    const isGone =
      (await caller.gone(LATE_MS)) ||
      // Its timer came late, so that it asks first.
      (caller.all("ping").length > 0 && (await caller.gone(2 * HEARTBEAT.timeoutMs)));
    const silentMs = Math.round(performance.now() - silentSince);
    must(isGone, `after ${silentMs} ms of silence, of ${SILENCE_MS}, it keeps the socket`);
    must(silentMs >= SILENCE_MS - SLACK_MS, `it drops the socket after ${silentMs} ms of silence`);
    must(await play.server.isAsked(1, FIRST_WAIT_MS), "it doesn't come back");
  },

  "CLOSE-4": async (play) => {
    const others = Array.from({ length: CROWD - 1 }, () => play.another());
    const plays = [play, ...(await Promise.all(others))];
    for (const one of plays) one.subscribe();
    const callers = await Promise.all(plays.map((one) => one.following(0, 0)));
    for (const { server } of plays) server.isFull = true;
    const cutAt = performance.now();
    for (const caller of callers) caller.cut();
    const asked = await Promise.all(plays.map(({ server }) => server.isAsked(1, FIRST_WAIT_MS)));
    must(!asked.includes(false), "it doesn't come back within the first wait");
    const waits = plays.map(({ server }) => (server.offers[1]?.at ?? 0) - cutAt);
    const [shortest, longest] = [Math.min(...waits), Math.max(...waits)];
    const range = `${Math.round(shortest)} to ${Math.round(longest)} ms`;
    must(shortest < longest * ALIKE, `${CROWD} clients that are cut off at once wait for ${range}`);
    await delay(Math.max(0, cutAt + WATCH_MS - performance.now()));
    const attempts = plays.reduce((sum, { server }) => sum + server.offers.length - 1, 0);
    must(attempts <= ATTEMPTS_MAX, `${CROWD} clients try ${attempts} times in ${WATCH_MS} ms`);
  },
};
