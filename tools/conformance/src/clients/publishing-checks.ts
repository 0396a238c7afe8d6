/** Checks of clients that publish and ask: the outbox, repeats, and what can't be known. */
import { setTimeout as delay } from "node:timers/promises";
import { must, quote } from "../verdict.ts";
import { type ClientCheck, place } from "./play.ts";
import type { Caller, Of } from "./scripted-server.ts";

const QUIET_MS = 300;

/** The publications that come on a connection, behind so many others. */
export async function publishes(
  caller: Caller,
  count: number,
  behind = 0,
): Promise<Of<"publish">[]> {
  await caller.message("publish", behind + count - 1);
  return caller.all("publish").slice(behind, behind + count);
}

export function acknowledge(caller: Caller, { id }: Of<"publish">, offset: number): void {
  caller.say({ type: "ack", re: id, position: { ...place(offset), id: `conf-client/${id}` } });
}

const dataOf = (all: readonly Of<"publish">[]): string => quote(all.map(({ data }) => data));
export const idsOf = (all: readonly Of<"publish">[]): string => quote(all.map(({ id }) => id));

/** How many upgrades one close may be followed by, when a token was refused. */
const ATTEMPTS_MAX = 2;

export const CLIENT_PUBLISHING_CHECKS: Readonly<Record<string, ClientCheck>> = {
  "MSG-2": async (play) => {
    play.subscribe();
    play.publish(1, 2, 3);
    const first = await play.welcomed(0);
    await publishes(first, 3);
    first.cut();
    const second = await play.welcomed(1);
    await publishes(second, 3);
    const ids = [first, second].flatMap(({ messages }) =>
      messages.filter(({ type }) => type !== "publish").map(({ id }) => id),
    );
    must(new Set(ids).size === ids.length, `ids came twice: ${quote(ids)}`);
  },

  "PUB-5": async (play) => {
    play.publish("once");
    const [first] = await publishes(await play.welcomed(0), 1);
    must(first?.repeat === undefined, "what was never sent says that it was");
    (await play.server.caller(0)).cut();
    const second = await play.welcomed(1);
    const [again] = await publishes(second, 1);
    must(again?.id === first?.id, `it came again as ${quote(again?.id)}, not ${quote(first?.id)}`);
    must(again?.repeat !== undefined, "what was sent before doesn't say so");
    must(again.repeat.ageMs < 60_000, `its age is ${again.repeat.ageMs} ms`);
    acknowledge(second, again, 1);
    await play.until(({ event }) => event === "published", "that it was published");
  },

  "PUB-6": async (play) => {
    const limits = { dedupeMs: 500, appendMs: 100 };
    play.publish("lost");
    const first = await play.welcomed(0, { limits });
    await publishes(first, 1);
    // Its next attempt is kept waiting, and not refused: each refusal would make it wait for longer.
    const admit = play.server.hold();
    first.cut();
    await delay(700);
    admit();
    const second = await play.welcomed(1, { limits });
    const refused = await play.until(({ event }) => event === "refused", "indeterminate");
    const code = refused.event === "refused" ? refused.code : "";
    must(code === "indeterminate", `it told ${code}`);
    // A publication that goes along with hello may have been sent before the limits were known again.
    must(second.all("publish").length === 0, "it was sent again, when its id may be forgotten");
  },

  "PUB-7": async (play) => {
    play.publish(1);
    const { caller, hello } = await play.hello(0);
    caller.cut();
    const { hello: later } = await play.hello(1);
    must(later.session === hello.session, "another session");
    must(
      later.generation > hello.generation,
      `generation ${later.generation} after ${hello.generation}`,
    );
  },

  "PUB-9": async (play) => {
    play.publish(1, 2, 3);
    const first = await play.welcomed(0);
    const sent = await publishes(first, 3);
    must(dataOf(sent) === "[1,2,3]", `it sent ${dataOf(sent)}`);
    first.cut();
    const second = await play.welcomed(1);
    play.publish(4);
    const again = await publishes(second, 4);
    must(dataOf(again) === "[1,2,3,4]", `after a reconnect it sent ${dataOf(again)}`);
    must(idsOf(again.slice(0, 3)) === idsOf(sent), "it sent the same under other ids");
    for (const [index, { id: re }] of again.entries()) {
      const code = index === 0 ? "unavailable" : "held";
      second.say({ type: "error", re, code, description: "", fault: "server", retry: true });
    }
    const third = await publishes(second, 4, 4);
    must(idsOf(third) === idsOf(again), `after a refusal for now it sent ${dataOf(third)}`);
    for (const [index, one] of third.entries()) acknowledge(second, one, index + 1);
    await play.until(
      (news) => news.event === "published" && news.data === 4,
      "that 4 is published",
    );
  },

  "PUB-14": async (play) => {
    play.publish(1, 2, 3);
    const first = await play.welcomed(0);
    const sent = await publishes(first, 3);
    first.cut();
    const again = await publishes(await play.welcomed(1), 3);
    const numbers = sent.map(({ sequence }) => sequence);
    const rises = numbers.every((number, index) => number > (numbers[index - 1] ?? 0));
    must(rises, `its sequence goes ${quote(numbers)}`);
    const later = quote(again.map(({ sequence }) => sequence));
    must(later === quote(numbers), `they come again with ${later}, not ${quote(numbers)}`);
  },

  "PUB-15": async (play) => {
    const window = 2;
    play.subscribe();
    const caller = await play.welcomed(0, { limits: { window } });
    // When it has answered it has read welcome, and knows the window.
    caller.say({ type: "ping" });
    await caller.message("pong");
    play.publish(1, 2, 3, 4);
    const sent = await publishes(caller, window);
    const settled = sent.map((one) => one.settled);
    must(
      settled.every((one) => one === settled[0]),
      `nothing is answered, and settled goes ${quote(settled)}`,
    );
    must(
      !(await caller.comes("publish", window, QUIET_MS)),
      `it sends more than ${window} unanswered`,
    );
    const [first, second] = sent as [Of<"publish">, Of<"publish">];
    // Answers may come in any order: the oldest that isn't settled decides.
    acknowledge(caller, second, 2);
    must(
      !(await caller.comes("publish", window, QUIET_MS)),
      "it sends more while the first is open",
    );
    acknowledge(caller, first, 1);
    const [third] = await publishes(caller, 2, window);
    must(third?.settled === second.sequence, `two are answered, and settled is ${third?.settled}`);
  },

  "REQ-4": async (play) => {
    play.order({ do: "request", name: "conf.ask", data: 1 });
    // A client that can't ask says so.
    const inability = play.inability();
    const caller = await Promise.race([play.welcomed(0), inability]);
    await Promise.race([caller.message("request"), inability]);
    caller.cut();
    const told = await play.until(({ event }) => event === "unanswered", "indeterminate");
    const code = told.event === "unanswered" ? told.code : "";
    must(code === "indeterminate", `it told ${code}`);
    play.publish("after");
    const second = await play.welcomed(1);
    await publishes(second, 1);
    must(second.all("request").length === 0, "it asked again");
  },

  "CLOSE-6": async (play) => {
    play.publish("poison", "good");
    for (const index of [0, 1]) {
      const caller = await play.welcomed(index);
      await publishes(caller, 2);
      caller.close(1009, "too_large");
    }
    const third = await play.welcomed(2);
    await publishes(third, 1);
    must(!(await third.comes("publish", 1, QUIET_MS)), "they aren't sent one by one");
    third.close(1009, "too_large");
    const refused = await play.until(({ event }) => event === "refused", "that it gives one up");
    must(refused.event === "refused" && refused.data === "poison", `it told ${quote(refused)}`);
    const fourth = await play.welcomed(3);
    const [good] = await publishes(fourth, 1);
    must(good?.data === "good", `it sent ${quote(good)}`);
  },

  "AUTH-5": async (play) => {
    play.publish(1);
    for (let index = 0; index <= ATTEMPTS_MAX; index += 1) {
      if (!(await play.server.isAsked(index, index === 0 ? 6_000 : 2_500))) return;
      (await play.server.caller(index)).close(4501, "unauthenticated");
    }
    must(false, "it comes again and again with a token that is refused");
  },
};
