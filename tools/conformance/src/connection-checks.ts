/** Checks of §3, §9 and §10: hello, heartbeat, and how a connection ends. */
import { setTimeout as delay } from "node:timers/promises";
import type { Peer } from "./peer.ts";
import type { Check, Stage } from "./stage.ts";
import { Broken, CannotJudge, must, quote } from "./verdict.ts";

const FIRST_BYTES_MAX = 16_384;
/** How long hello's deadline is waited for: 10 s, and some more. */
const HELLO_MS = 13_000;
const HELLO_SLOW_MS = 120_000;
/** Heartbeats that take longer are judged with `--slow` only. */
const HEARTBEAT_MS = 15_000;
/** How much later than said a timer may come. */
const SLACK_MS = 2_000;
/** How much earlier: welcome takes its way too. */
const EARLY_MS = 50;

/** Publications under way: waiting for each would make the pause as long as the machine is slow. */
const FLOW_AT_ONCE = 8;

interface Heartbeat {
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

function heartbeatOf({ welcome }: Peer, { subject }: Stage, intervals: number): Heartbeat {
  const { heartbeat } = welcome;
  const neededMs = intervals * heartbeat.intervalMs + heartbeat.timeoutMs;
  if (neededMs <= HEARTBEAT_MS || subject.slow) return heartbeat;
  throw new CannotJudge(`takes ${Math.ceil(neededMs / 1_000)} s there: --slow waits for it`);
}

/** A hello of so many bytes, padded with a field that nobody knows. */
function helloOf(bytes: number, peer: Peer, stage: Stage): string {
  const fields = { ...stage.hello(), padding: "" };
  const { text } = peer.line(fields);
  return peer.line({ ...fields, padding: "x".repeat(bytes - text.length - 1) }).text;
}

export const CONNECTION_CHECKS: Readonly<Record<string, Check>> = {
  "CONN-1": async (stage) => {
    const peer = await stage.open();
    const waitMs = stage.subject.slow ? HELLO_SLOW_MS : HELLO_MS;
    try {
      await peer.closedWith(4408, waitMs);
    } catch (error) {
      if (peer.isClosed || stage.subject.slow) throw error;
      throw new CannotJudge(`not closed within ${waitMs} ms, so configured longer: try --slow`);
    }
  },

  "CONN-2": async (stage) => {
    const early = await stage.open();
    const channel = stage.channel();
    const publish = { type: "publish", channel, event: "conf", data: "early" };
    const [ping = ""] = early.say({ type: "ping" }, stage.hello(), publish);
    const answer = await early.answer(ping);
    const refused = answer.type === "error" && answer.code === "not_ready";
    must(refused, `a ping before hello was answered with ${quote(answer)}`);
    await early.closedWith(4502);
    const peer = await stage.welcomed();
    await peer.subscribe(channel, "earliest");
    const { position } = await peer.message("caughtup");
    must(position.offset === 0, "a publication was carried out while closing");
    await peer.refusal(stage.hello(), "not_ready");
    await peer.lives();
  },

  "CONN-3": async (stage) => {
    const peer = await stage.open();
    const channel = stage.channel();
    const ids = peer.say(
      stage.hello(),
      { type: "subscribe", channel, start: "latest" },
      { type: "publish", channel, event: "conf", data: 1 },
    );
    for (const id of ids) {
      const answer = await peer.answer(id);
      must(answer.type !== "error", `what followed hello at once was answered ${quote(answer)}`);
    }
    const first = peer.messages.find((message) => "re" in message);
    must(first?.type === "welcome", `${first?.type} came before welcome`);
    await peer.has(channel, 1);
  },

  "CONN-4": async (stage) => {
    const fits = await stage.open();
    fits.sayText(helloOf(FIRST_BYTES_MAX, fits, stage));
    await fits.message("welcome");
    const large = await stage.open();
    large.sayText(helloOf(FIRST_BYTES_MAX + 200, large, stage));
    await large.closedWith(1009);
  },

  "CONN-5": async (stage) => {
    const nonsense = await stage.open();
    nonsense.sayText("nonsense");
    const error = await nonsense.message("error");
    must(error.code === "bad_message", `nonsense before hello: ${error.code}`);
    await nonsense.closedWith(4502);
    const poor = await stage.open();
    await poor.refusal({ ...stage.hello(), session: "short" }, "bad_message");
    await poor.closedWith(4502);
  },

  "CONN-6": async (stage) => {
    const session = stage.session();
    const older = await stage.welcomed({ session, generation: 2 });
    const newer = await stage.welcomed({ session, generation: 4, overlap: false });
    const nodes = new Set([older, newer].map(({ welcome }) => welcome.node));
    if (nodes.size > 1) throw new CannotJudge("these connections came to several nodes");
    await older.closedWith(4509);
    const late: readonly [number, number][] = [
      [1, 4509],
      [4, 4510],
    ];
    for (const [generation, code] of late) {
      const peer = await stage.open();
      peer.say(stage.hello({ session, generation, overlap: false }));
      await peer.closedWith(code);
      const welcomed = peer.messages.some(({ type }) => type === "welcome");
      must(!welcomed, `generation ${generation} was welcomed beside 4`);
    }
    await newer.lives();
    await stage.welcomed({ session, generation: 5, overlap: true });
    await newer.lives();
    return "how long overlap lasts isn't waited for";
  },

  "LIVE-1": async (stage) => {
    const peer = await stage.welcomed();
    const { intervalMs, timeoutMs } = heartbeatOf(peer, stage, 2);
    peer.answersPings = false;
    const times = [performance.now()];
    const pings = (): number => peer.messages.filter(({ type }) => type === "ping").length;
    for (const count of [1, 2]) {
      const enough = (): true | undefined => (pings() >= count ? true : undefined);
      await peer.until(enough, "ping", intervalMs + SLACK_MS);
      times.push(performance.now());
    }
    await peer.closedWith(4409, timeoutMs + SLACK_MS);
    const [begun = 0, first = 0, second = 0] = times;
    // Half: one that was late on its way makes the next one look early.
    const [firstMs, nextMs, closeMs] = [first - begun, second - first, performance.now() - second];
    must(firstMs >= intervalMs / 2 - EARLY_MS, `the first ping came after ${firstMs} ms`);
    must(nextMs >= intervalMs / 2, `the second ping came after ${nextMs} ms`);
    must(closeMs >= timeoutMs / 2, `closed ${closeMs} ms after the second ping`);
  },

  "LIVE-2": async (stage) => {
    const peers = await Promise.all([stage.welcomed(), stage.welcomed()]);
    const [quiet, talking] = peers;
    const { intervalMs, timeoutMs } = heartbeatOf(quiet, stage, 4);
    for (const peer of peers) peer.answersPings = false;
    const end = performance.now() + 3 * intervalMs + timeoutMs;
    while (performance.now() < end) {
      quiet.pingSocket();
      talking.say({ type: "ping" });
      await delay(intervalMs / 3);
      must(!quiet.isClosed, "closed, although WebSocket pings arrived");
      must(!talking.isClosed, "closed, although pings arrived");
    }
  },

  "LIVE-4": async (stage) => {
    const peer = await stage.welcomed();
    for (let count = 0; count < 3; count += 1) await peer.lives();
  },

  "FLOW-1": async (stage) => {
    const [publisher, quick, slow] = await Promise.all([
      stage.welcomed(),
      stage.welcomed(),
      stage.welcomed(),
    ]);
    const channel = stage.channel();
    await quick.subscribe(channel);
    await slow.subscribe(channel);
    slow.pause();
    const count = 96;
    const data = "x".repeat(Math.min(20_000, publisher.welcome.limits.messageBytesMax / 2));
    const publish = async (): Promise<void> => {
      await publisher.publish(channel, data);
      // It reads nothing, so it answers no ping: however long this takes, it is there [LIVE-1].
      slow.say({ type: "ping" });
    };
    for (let sent = 0; sent < count; sent += FLOW_AT_ONCE) {
      await Promise.all(Array.from({ length: FLOW_AT_ONCE }, publish));
    }
    await quick.has(channel, count);
    slow.resume();
    const last = quick.published(channel).at(-1)?.offset;
    const arrived = (): true | undefined =>
      slow.published(channel).at(-1)?.offset === last ? true : undefined;
    await slow.until(arrived, "the last publication, after a pause");
    const gaps = slow.messages.filter((message) => message.type === "gap");
    for (const { reason } of gaps) must(reason === "trimmed", `a pause made a gap ${reason}`);
    const came = slow.published(channel).length;
    const lost = gaps.reduce((sum, gap) => sum + (gap.lost ?? 0), 0);
    must(came + lost === count, `${came} came and ${lost} were lost of ${count}`);
    return "what the server holds meanwhile isn't seen from outside";
  },

  "CLOSE-2": async (stage) => {
    const peer = await stage.welcomed();
    const pings = Array.from({ length: 20 }, () => ({ type: "ping" }));
    const bad = Array.from({ length: 3 }, () => ({ type: "conf-unknown" }));
    const ids = peer.say(...pings, ...bad);
    await peer.closedWith(4400);
    const answered = new Set(peer.messages.map((message) => ("re" in message ? message.re : "")));
    const missing = ids.filter((id) => !answered.has(id)).length;
    must(missing === 0, `${missing} of ${ids.length} answers weren't written before the close`);
  },

  "CLOSE-3": async (stage) => {
    const endings: Readonly<Record<string, (peer: Peer) => void>> = {
      protocol_violation: (peer) => void peer.say({ type: "ping" }),
      too_large: (peer) => peer.sayText(helloOf(FIRST_BYTES_MAX + 200, peer, stage)),
      bad_message: (peer) =>
        void peer.say(stage.hello(), ...["a", "b", "c"].map((type) => ({ type }))),
    };
    for (const [name, end] of Object.entries(endings)) {
      const peer = await stage.open();
      end(peer);
      const { code, reason } = await peer.closed();
      const named = reason === name || reason.startsWith(`${name}: `);
      if (!named) throw new Broken(`the reason of ${code} is ${quote(reason)}, not ${name}`);
      must(Buffer.byteLength(reason) <= 123, "the reason is longer than 123 bytes");
    }
  },
};
