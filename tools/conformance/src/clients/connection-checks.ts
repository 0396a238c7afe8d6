/** Checks of how clients keep a connection: hello, heartbeat, closes, and coming back. */
import { setTimeout as delay } from "node:timers/promises";
import { SUBPROTOCOL_JSON, SUBPROTOCOL_MSGPACK } from "@tailwire/protocol";
import { must, quote } from "../verdict.ts";
import type { ClientCheck } from "./play.ts";

const FIRST_BYTES_MAX = 16_384;
/** The first wait is up to 1 s; programs and machines may be slow beside that. */
const FIRST_WAIT_MS = 3_500;
/** The second is up to 2 s. */
const SECOND_WAIT_MS = 4_500;
/** How long a client that stays away is watched: the third wait is up to 4 s. */
const AWAY_MS = 5_000;

export const CLIENT_CONNECTION_CHECKS: Readonly<Record<string, ClientCheck>> = {
  "VER-2": async (play) => {
    play.subscribe();
    await play.hello(0);
    const offers = play.server.offers[0]?.subprotocols ?? [];
    must(offers.includes(SUBPROTOCOL_JSON), `it offers ${quote(offers)}`);
  },

  "VER-6": async (play) => {
    play.subscribe();
    await play.hello(0);
    const offers = play.server.offers[0]?.subprotocols ?? [];
    const [binary, text] = [offers.indexOf(SUBPROTOCOL_MSGPACK), offers.indexOf(SUBPROTOCOL_JSON)];
    must(binary < text, `it offers ${quote(offers)}`);
    return binary === -1 ? "it doesn't offer MessagePack" : undefined;
  },

  "CONN-2": async (play) => {
    play.subscribe();
    play.publish(1);
    const caller = await play.welcomed(0);
    await caller.message("publish");
    await caller.message("subscribe");
    must(caller.all("hello").length === 1, "it said hello twice");
  },

  "CONN-4": async (play) => {
    const large = Array.from({ length: 40 }, (_, index) => `${index} ${"x".repeat(1_000)}`);
    play.publish(...large);
    const { caller, hello } = await play.hello(0);
    await delay(500);
    must(caller.bytes <= FIRST_BYTES_MAX, `it sent ${caller.bytes} bytes before welcome`);
    play.welcome(caller, hello);
    await caller.message("publish", 39);
  },

  "LIVE-4": async (play) => {
    play.subscribe();
    const caller = await play.following(0, 0);
    caller.say({ type: "ping", id: "conf.ping" });
    const pong = await caller.message("pong");
    must(pong.re === "conf.ping", `pong answers ${quote(pong.re)}`);
  },

  "CLOSE-1": async (play) => {
    play.subscribe();
    (await play.following(0, 0)).close(4_321, "conf");
    must(await play.server.isAsked(1, FIRST_WAIT_MS), "after 4321 it doesn't come back");
    // As a proxy does to connections that are idle.
    (await play.following(1, 0)).close(1_000, "conf");
    must(await play.server.isAsked(2, SECOND_WAIT_MS), "after a stranger's 1000 it stays away");
    (await play.following(2, 0)).close(4_777, "conf");
    must(!(await play.server.isAsked(3, AWAY_MS)), "after 4777 it comes back");
  },
};
