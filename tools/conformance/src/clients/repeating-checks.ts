/** Checks of clients that publish the same again: ages, epochs, clocks, and what they wait for. */
import { CannotJudge, must, quote } from "../verdict.ts";
import { type ClientCheck, EPOCH, mustBe, place, publication } from "./play.ts";
import type { News } from "./program.ts";
import { acknowledge, idsOf, publishes } from "./publishing-checks.ts";
import type { Caller, Of } from "./scripted-server.ts";

/** How long a client is kept away, so that its ages grow. */
const AWAY_MS = 400;
/** Rounding, and the steps of coarse clocks. */
const SLACK_MS = 20;
const QUIET_MS = 500;
const SET_BACK_MS = 60_000;

function refuse(
  caller: Caller,
  { id: re }: Of<"publish">,
  code: string,
  retryAfterMs: number,
): void {
  const refusal = { code, description: "", fault: "server", retry: true, retryAfterMs };
  caller.say({ type: "error", re, ...refusal });
}

const codeOf = (news: News): string => ("code" in news ? news.code : "");
const epochOf = ({ repeat }: Of<"publish">): unknown => repeat?.epoch;

/** The age lies between the times that the judge can be sure of. */
function mustBeAged({ repeat }: Of<"publish">, leastMs: number, mostMs: number): void {
  const { ageMs = -1 } = repeat ?? {};
  const bounds = `${Math.round(leastMs)} to ${Math.round(mostMs)} ms`;
  const isTrue = ageMs >= leastMs - SLACK_MS && ageMs <= mostMs + SLACK_MS;
  must(isTrue, `a repeat says that its age is ${ageMs} ms, and it is ${bounds}`);
}

export const REPEATING_CHECKS: Readonly<Record<string, ClientCheck>> = {
  "PUB-1": async (play) => {
    play.publish("here");
    const caller = await play.welcomed(0);
    const { id: re } = await caller.message("publish");
    const position = { ...place(7, "another"), id: `conf-client/${re}` };
    caller.say({ type: "ack", re, position });
    const news = await play.until(({ event }) => event === "published", "that it was published");
    if (news.event !== "published" || news.position === undefined) {
      throw new CannotJudge("the client tells no positions");
    }
    mustBe(news.position, position, "it was told that it stands at");
  },

  "PUB-5": async (play) => {
    const orderedAt = performance.now();
    play.publish("blind");
    let caller = await play.welcomed(0);
    await publishes(caller, 1);
    const cameAt = performance.now();
    play.subscribe();
    await play.acknowledge(caller, place(0));
    caller.say(publication(1));
    await play.shows(1);
    play.publish("seeing");
    await publishes(caller, 2);
    for (const [index, epoch] of [EPOCH, "next"].entries()) {
      const admittedAt = await play.away(caller, AWAY_MS);
      caller = await play.welcomed(index + 1);
      const [blind, seeing] = (await publishes(caller, 2)) as [Of<"publish">, Of<"publish">];
      const readAt = performance.now();
      mustBeAged(blind, admittedAt - cameAt, readAt - orderedAt);
      const claimed = quote(epochOf(blind));
      must(epochOf(blind) === undefined, `it didn't know the epoch, and claims ${claimed}`);
      must(
        epochOf(seeing) === EPOCH,
        `it was sent under ${EPOCH}, and says ${quote(seeing.repeat)}`,
      );
      // The log goes on under another epoch, of which the first sends know nothing.
      await play.acknowledge(caller, place(index + 1, epoch === EPOCH ? "next" : epoch));
      caller.say(publication(index + 2));
      await play.shows(...[1, 2, 3].slice(0, index + 2));
    }
  },

  "PUB-6": async (play) => {
    play.publish("lost");
    const first = await play.welcomed(0);
    await publishes(first, 1);
    const cameAt = performance.now();
    play.order({ do: "clock", backMs: SET_BACK_MS });
    const admittedAt = await play.away(first, AWAY_MS);
    const second = await play.welcomed(1);
    const outcome = await Promise.race([
      play.able(second.message("publish")),
      play.until(({ event }) => event === "refused", "indeterminate"),
    ]);
    // A client that has another clock isn't misled by this one.
    if ("type" in outcome) mustBeAged(outcome, admittedAt - cameAt, SET_BACK_MS);
    else must(codeOf(outcome) === "indeterminate", `it told ${quote(outcome)}`);
  },

  "PUB-9": async (play) => {
    play.publish(1, 2, 3);
    const caller = await play.welcomed(0);
    const sent = await publishes(caller, 3);
    const [first, ...others] = sent as [Of<"publish">, ...Of<"publish">[]];
    refuse(caller, first, "unavailable", 10);
    must(
      !(await caller.comes("publish", 3, QUIET_MS)),
      "it sends again, before all that is under way is answered",
    );
    for (const other of others) refuse(caller, other, "held", 10);
    const again = await publishes(caller, 3, 3);
    must(idsOf(again) === idsOf(sent), `after refusals for now it sent ${quote(again)}`);
  },

  "PUB-12": async (play) => {
    play.subscribe();
    play.publish(1, 2);
    const caller = await play.following(0, 0);
    const [one, two] = (await publishes(caller, 2)) as [Of<"publish">, Of<"publish">];
    refuse(caller, one, "unavailable", 200);
    refuse(caller, two, "held", 200);
    // An earlier send of it is in the log: the server waits for it all the same.
    const own = { id: `conf-client/${one.id}`, publisher: "conf-client" };
    caller.say({ ...publication(1), ...own });
    const [again] = (await publishes(caller, 1, 2)) as [Of<"publish">];
    must(again.id === one.id, `the refused one has to come first, and ${quote(again.data)} came`);
    acknowledge(caller, again, 1);
    const [next] = (await publishes(caller, 1, 3)) as [Of<"publish">];
    must(next.id === two.id, `then ${quote(next.data)} came`);
    acknowledge(caller, next, 2);
    await play.until(
      (news) => news.event === "published" && news.data === 2,
      "that 2 is published",
    );
  },
};
