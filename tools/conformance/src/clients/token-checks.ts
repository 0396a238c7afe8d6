/** Checks of clients with a token: how it is brought, and what comes when it ends. */
import { setTimeout as delay } from "node:timers/promises";
import { CannotJudge, must, quote } from "../verdict.ts";
import { type ClientCheck, place, type Play, publication } from "./play.ts";
import type { Fields, Offer } from "./scripted-server.ts";

/** In base64 it has characters and padding that base64url doesn't have. */
const TOKEN = "conf.first-???>>>~~~~";
const FRESH = "conf.fresh";
const BEARER = "tailwire.bearer.";
const QUIET_MS = 300;
const LIFE_MS = 3_000;
/** How long after its end a server waits for a fresh token. */
const GRACE_MS = 5_000;
/** How far ahead of the client's clock the server's is. */
const AHEAD_MS = 3_600_000;
const WATCH_MS = 6_000;
/** Waits of 1 and 2 s are over by then, and one more may be. */
const RENEWALS_MAX = 3;

/** The token that an offer of an upgrade brings. */
function tokenOf({ authorization, subprotocols }: Offer): string | undefined {
  if (authorization !== undefined) return authorization.replace(/^Bearer /i, "");
  const bearers = subprotocols.filter((offer) => offer.startsWith(BEARER));
  must(bearers.length <= 1, `it offers ${quote(bearers)}`);
  const encoded = bearers[0]?.slice(BEARER.length);
  if (encoded === undefined) return undefined;
  must(/^[\w-]+$/.test(encoded), `${quote(encoded)} isn't base64url without padding`);
  return Buffer.from(encoded, "base64url").toString();
}

/** The fields about a token that ends, by a server's clock that is ahead. */
const ending = (ms: number): Fields => {
  const timestamp = Date.now() + AHEAD_MS;
  return { timestamp, expiresAt: timestamp + ms };
};

async function begin(play: Play): Promise<void> {
  play.order({ do: "token", token: TOKEN });
  play.subscribe();
  await play.able(play.hello(0));
}

export const TOKEN_CHECKS: Readonly<Record<string, ClientCheck>> = {
  "AUTH-2": async (play) => {
    await begin(play);
    const caller = await play.welcomed(0);
    await caller.message("subscribe");
    // The word that it can't may come behind that, by another way.
    await play.able(delay(QUIET_MS));
    const [offer] = play.server.offers;
    const token = offer && tokenOf(offer);
    must(token === TOKEN, `it brought ${quote(token)}, not ${quote(TOKEN)}`);
    return offer?.authorization === undefined ? undefined : "it sends a header";
  },

  "AUTH-8": async (play) => {
    await begin(play);
    const caller = await play.following(0, 0, ending(LIFE_MS));
    play.order({ do: "token", token: FRESH });
    if (!(await play.able(caller.comes("authenticate", 0, LIFE_MS + GRACE_MS)))) {
      throw new CannotJudge("the client brings no token to a connection that it has");
    }
    const first = await caller.message("authenticate");
    must(first.token === FRESH, `it brought ${quote(first.token)}, not ${quote(FRESH)}`);
    const refusal = { code: "unauthenticated", description: "", fault: "client", retry: false };
    // The token before stands until its end.
    caller.say({ type: "error", re: first.id, ...refusal }, publication(1));
    await play.shows(1);
    must(await caller.comes("authenticate", 1, LIFE_MS + GRACE_MS), "it gives up after a refusal");
    const { id: re } = await caller.message("authenticate", 1);
    caller.say({ type: "ack", re }, publication(2));
    await play.shows(1, 2);
    must(!caller.isGone, "it left, although the token before stood");
    must(caller.all("subscribe").length === 1, "it subscribed anew");
    must(caller.all("unsubscribe").length === 0, "it unsubscribed");
  },

  "AUTH-9": async (play) => {
    await begin(play);
    let caller = await play.following(0, 0, ending(LIFE_MS));
    play.order({ do: "token", token: FRESH });
    if (!(await play.able(caller.comes("authenticate", 0, LIFE_MS + GRACE_MS)))) {
      caller.close(4410, "token_expired");
      caller = await play.welcomed(1);
      const [, offer] = play.server.offers;
      const token = offer && tokenOf(offer);
      must(token === FRESH, `it came back with ${quote(token)}, not ${quote(FRESH)}`);
      return "it comes back with a fresh token, and brings none to a connection that it has";
    }
    // From now on its tokens are over at once.
    const deadline = performance.now() + WATCH_MS;
    let count = 0;
    while (await caller.comes("authenticate", count, Math.max(0, deadline - performance.now()))) {
      const { id: re } = await caller.message("authenticate", count);
      caller.say({ type: "ack", re, ...ending(0) });
      count += 1;
    }
    // The first one was due before.
    must(count - 1 <= RENEWALS_MAX, `${count - 1} fresh tokens in ${WATCH_MS} ms`);
    must(!caller.isGone, "it left");
    caller.say(publication(1));
    await play.shows(1);
    caller.close(4410, "token_expired");
    const again = await play.welcomed(1);
    await play.acknowledge(again, place(1));
    return "";
  },
};
