/** Checks of §4: negotiation, tokens and origins, up to the open WebSocket. */
import { SUBPROTOCOL_JSON } from "@tailwire/protocol";
import { Peer } from "./peer.ts";
import { type Check, randomName, type Refusal, type Stage, type UpgradeOptions } from "./stage.ts";
import { CannotJudge, must, quote } from "./verdict.ts";

const NO_TOKENS = "the server asks for no token";

/** The words of a refused upgrade. @throws Broken when it isn't refused like this [CONN-7]. */
async function refusal(
  stage: Stage,
  options: UpgradeOptions,
  status: number,
  code: string,
): Promise<string> {
  const answer = await stage.upgrade(options);
  must(!(answer instanceof Peer), `an upgrade was taken that should be refused with ${status}`);
  must(answer.status === status, `refused with ${answer.status}, not ${status}`);
  const body = bodyOf(answer);
  must(body.code === code, `the body of ${status} is ${quote(answer.body)}`);
  must(typeof body.description === "string", `no description in ${quote(answer.body)}`);
  return body.description;
}

function bodyOf({ body }: Refusal): { readonly code?: unknown; readonly description?: unknown } {
  try {
    return Object(JSON.parse(body)) as object;
  } catch {
    return {};
  }
}

function bearer(token: string): string {
  return `tailwire.bearer.${Buffer.from(token).toString("base64url")}`;
}

export const HANDSHAKE_CHECKS: Readonly<Record<string, Check>> = {
  "VER-1": async (stage) => {
    const peer = await stage.open({ compression: true });
    must(peer.subprotocol === SUBPROTOCOL_JSON, `echoed ${quote(peer.subprotocol)}`);
    must(peer.extensions === "", `negotiated ${quote(peer.extensions)}; nothing is compressed`);
    peer.say(stage.hello());
    await peer.message("welcome");
  },

  "VER-2": async (stage) => {
    const offers = ["tailwire.v9.json", SUBPROTOCOL_JSON, "other"];
    const peer = await stage.welcomed({ offers });
    must(peer.subprotocol === SUBPROTOCOL_JSON, `chose ${quote(peer.subprotocol)}`);
  },

  "VER-5": async (stage) => {
    for (const offers of [["tailwire.v9.json"], []]) {
      const description = await refusal(stage, { offers }, 400, "unsupported_version");
      const named = description.includes(SUBPROTOCOL_JSON);
      must(named, `the description doesn't name what is supported: ${quote(description)}`);
    }
  },

  "CONN-8": async (stage) => {
    await refusal(stage, { version: 8 }, 426, "bad_handshake");
    for (const headers of [{ "content-length": "0" }, { "transfer-encoding": "chunked" }]) {
      await refusal(stage, { headers }, 400, "bad_handshake");
    }
    return "versions of HTTP and a second Host aren't tried";
  },

  "AUTH-1": async (stage) => {
    if (!(await stage.asksForTokens())) throw new CannotJudge(NO_TOKENS);
    await stage.welcomed();
  },

  "AUTH-2": async (stage) => {
    const session = stage.session();
    const { token } = stage.subject;
    const asked = await stage.asksForTokens();
    const byHeader = await stage.welcomed({ session });
    const byOffer = await stage.welcomed({
      session,
      generation: 2,
      token: null,
      offers: [bearer(token), SUBPROTOCOL_JSON],
    });
    must(byOffer.subprotocol === SUBPROTOCOL_JSON, `chose ${quote(byOffer.subprotocol)}`);
    const sameUser = byOffer.welcome.client === byHeader.welcome.client;
    must(sameUser, "the same token as header and as offer are two users");
    const both = await stage.welcomed({
      session,
      generation: 3,
      offers: [SUBPROTOCOL_JSON, bearer(stage.otherToken)],
    });
    must(both.welcome.client === byHeader.welcome.client, "the offer won over the header");
    return asked ? undefined : `${NO_TOKENS}: only that the offer isn't chosen`;
  },

  "AUTH-3": async (stage) => {
    if (!(await stage.asksForTokens())) throw new CannotJudge(NO_TOKENS);
    await refusal(stage, { token: null }, 401, "unauthenticated");
  },

  "AUTH-4": async (stage) => {
    if (!(await stage.asksForTokens())) throw new CannotJudge(NO_TOKENS);
    const { host, protocol } = new URL(stage.subject.url);
    const origin = `${protocol === "wss:" ? "https" : "http"}://${host}`;
    const answer = await stage.upgrade({ token: null, origin });
    if (!(answer instanceof Peer) && answer.status === 403) {
      throw new CannotJudge("the server's own origin isn't allowed there");
    }
    must(answer instanceof Peer, "a browser's upgrade without a token doesn't complete");
    const error = await answer.message("error");
    must(error.code === "unauthenticated", `the error is ${error.code}`);
    must(error.re === undefined, "the error has re, though nothing was asked");
    await answer.closedWith(4501);
  },

  "AUTH-6": async (stage) => {
    const origin = `https://conf-${randomName()}.invalid`;
    await refusal(stage, { origin }, 403, "forbidden_origin");
  },

  "AUTH-7": async (stage) => {
    const peer = await stage.welcomed();
    const channel = `conf-${randomName()}/none`;
    const subscribed = await peer.ask({ type: "subscribe", channel, start: "latest" });
    if (subscribed.type === "ack") throw new CannotJudge("every channel exists there");
    const code = subscribed.type === "error" ? subscribed.code : subscribed.type;
    must(code === "forbidden", `a channel that doesn't exist is answered with ${code}`);
    await peer.refusal({ type: "publish", channel, event: "conf", data: 1 }, "forbidden");
    return "a channel that exists and isn't allowed isn't known here";
  },

  "AUTH-8": async (stage) => {
    const stranger = await stage.open();
    const publisher = `conf-${randomName()}`;
    await stranger.refusal({ ...stage.hello(), publisher }, "identity_changed");
    await stranger.closedWith(4503);
    if (!(await stage.asksForTokens())) return `${NO_TOKENS}: fresh ones aren't judged`;
    const peer = await stage.welcomed();
    const channel = stage.channel();
    await peer.subscribe(channel);
    await peer.ack({ type: "authenticate", token: stage.subject.token });
    await peer.publish(channel, 1);
    await peer.has(channel, 1);
    const answer = await peer.ask({ type: "authenticate", token: stage.otherToken });
    const code = answer.type === "error" ? answer.code : answer.type;
    if (code === "unauthenticated") {
      await peer.lives();
      return "of a user's change: the second token was refused";
    }
    must(code === "identity_changed", `another user's token was answered with ${code}`);
    await peer.closedWith(4503);
    return "no token is known that is refused";
  },

  "CONN-7": async (stage) => {
    await refusal(stage, { path: `/conf-${randomName()}` }, 404, "not_found");
    await refusal(stage, { offers: ["tailwire.v9.json"] }, 400, "unsupported_version");
    return "503 isn't judged: nobody fills or stops the server";
  },
};
