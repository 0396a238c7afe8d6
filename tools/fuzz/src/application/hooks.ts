/**
 * The server's hooks, as a table: what each may give, who says whether it would do, and a
 * conversation in which it is called.
 */
import type { Dice } from "@tailwire/simulation";
import {
  type Fitness,
  type Judge,
  judgeAddress,
  judgeAnswer,
  judgeAuthenticated,
  judgeDecision,
  judgeNothing,
  judgePayload,
  judgeSnapshot,
} from "./fitness.ts";
import { BROKER_METHODS } from "./odd-broker.ts";
import type { Answer, Peer } from "./peer.ts";
import { type HookName, RIGHT_ANSWERS, type Stage, type StageKind, TOKENS } from "./stage.ts";
import { pick } from "../target.ts";

/** The answers, by whether the hook decides about them. */
export interface Answers {
  readonly decided: readonly Answer[];
  readonly others: readonly Answer[];
  /** Which need an answer, whatever it is. */
  readonly beside?: readonly Answer[];
}

export interface Hook {
  readonly hook: HookName;
  readonly name: string;
  readonly share: number;
  /** Where it is played, if that isn't the same for it. */
  readonly stage?: StageKind;
  /** The words that a line in the log has to have, so that its reader knows where to look. */
  readonly called: RegExp;
  /** Whether somebody waits for what it gives; else it is only told. */
  readonly decides: boolean;
  /** Whether all that a connection may depends on it. */
  readonly endsAll: boolean;
  readonly judge: Judge;
  right(dice: Dice, user: string): unknown;
  converse(stage: Stage, user: string, meet: Meet, dice: Dice): Promise<Answers>;
}

/** Begins a conversation. */
export type Meet = (introduction: {
  readonly token: string;
  readonly headers?: readonly string[];
}) => Peer;

const PAYLOADS: readonly unknown[] = [
  { text: "hello", to: ["you"], at: { x: 1, y: null } },
  [1, "two", { three: [3] }],
  Uint8Array.of(1, 2, 3),
  "text",
];

const right = (user: string): string => TOKENS.right + user;
const odd = (user: string): string => TOKENS.odd + user;

const echo = (peer: Peer): Promise<Answer> => peer.ask({ type: "request", name: "echo", data: 1 });

const publish = (peer: Peer, channel: string): Promise<Answer> =>
  peer.answer(peer.publish(channel, { text: "x" }));

const ended = ({ end }: Peer): Answer =>
  end === null ? { kind: "nothing", code: null } : { kind: "ended", code: end };

/** Says hello, and does all that a client may. */
async function live(peer: Peer, room: string): Promise<Answers> {
  const isWelcome = await peer.greet();
  const [hello] = peer.messages.filter(({ type }) => type === "welcome" || type === "error");
  if (!isWelcome || hello === undefined) return { decided: [ended(peer)], others: [] };
  const subscribed = peer.ask({ type: "subscribe", channel: room, start: "latest" });
  const others = [await subscribed, await publish(peer, room), await echo(peer)];
  return { decided: [{ kind: "ack", code: null, message: hello }], others };
}

/** The answer instead of publications that are gone: a state, or the end of the subscription. */
async function afterGap(peer: Peer, channel: string): Promise<readonly Answer[]> {
  const start = { epoch: "another", offset: 7, id: null };
  const subscribed = await peer.ask({ type: "subscribe", channel, start });
  if (subscribed.kind !== "ack") return [subscribed];
  const find = (): Peer["messages"][number] | undefined =>
    peer.messages.find(({ type }) => type === "snapshot" || type === "unsubscribed");
  await peer.until(() => find() !== undefined);
  const message = find();
  if (message === undefined) return [ended(peer)];
  if (message.type === "unsubscribed") return [{ kind: "error", code: message.code, message }];
  return [{ kind: "ack", code: null, message }];
}

/**
 * Methods of a broker, which may fail. Whether an answer is true nobody can tell from outside: that is
 * for the suite that every broker has to pass.
 */
const BROKER_HOOKS = BROKER_METHODS.map((method): Hook => ({
  hook: `broker.${method}`,
  name: `broker.${method}`,
  share: 2,
  stage: "odd broker",
  // Whatever is logged has its stack, and a broker is a program of its own.
  called: /./,
  decides: true,
  endsAll: false,
  judge: () => "either",
  right: () => undefined,
  converse: async (_stage, user, meet) => {
    const peer = meet({ token: TOKENS.right + user });
    const channel = `room:${user}`;
    await peer.greet();
    const answers = [await peer.ask({ type: "subscribe", channel, start: "latest" })];
    answers.push(await publish(peer, channel));
    answers.push(await peer.ask({ type: "read", channel, count: 2 }));
    answers.push(await peer.ask({ type: "unsubscribe", channel }));
    const after = { epoch: "e", offset: 0, id: null };
    answers.push(await peer.ask({ type: "subscribe", channel, start: after }));
    answers.push(await peer.ask({ type: "read", channel, count: 2, after }));
    answers.push(await publish(peer, channel));
    return { decided: [], others: [await echo(peer)], beside: answers };
  },
}));

const told = (hook: HookName, share: number, converse: Hook["converse"]): Hook => ({
  hook,
  name: hook,
  share,
  called: hook === "tracer" ? /trace/i : new RegExp(hook),
  decides: false,
  endsAll: false,
  judge: judgeNothing,
  right: () => undefined,
  converse,
});

export const HOOKS: readonly Hook[] = [
  {
    hook: "authenticate",
    name: "authenticate",
    share: 14,
    called: /authenticate/,
    decides: true,
    endsAll: true,
    judge: judgeAuthenticated,
    right: (dice, user) => pick(dice, RIGHT_ANSWERS)?.(user),
    converse: async (_stage, user, meet, dice) => {
      const headers = dice.below(2) === 0 ? [] : ["Origin: http://127.0.0.1"];
      const { decided, others } = await live(meet({ token: odd(user), headers }), `room:${user}`);
      // Its permissions in channels depend on what it was given.
      return { decided, others: others.slice(2) };
    },
  },
  {
    hook: "authenticate",
    name: "authenticate, live",
    share: 10,
    called: /authenticate/,
    decides: true,
    endsAll: true,
    judge: (value) => sameUser(value, judgeAuthenticated(value)),
    right: (dice, user) => pick(dice, RIGHT_ANSWERS)?.(user),
    converse: async (_stage, user, meet) => {
      const peer = meet({ token: right(user) });
      await peer.greet();
      await peer.ask({ type: "subscribe", channel: `room:${user}`, start: "latest" });
      const renewed = await peer.ask({ type: "authenticate", token: odd(user) });
      // Its permissions from now on depend on what it was given.
      await publish(peer, `room:${user}`);
      return { decided: [renewed], others: [await echo(peer)] };
    },
  },
  {
    hook: "authorize",
    name: "authorize",
    share: 10,
    called: /authorize/,
    decides: true,
    endsAll: false,
    judge: judgeDecision,
    right: () => true,
    converse: async (_stage, user, meet) => {
      const peer = meet({ token: right(user) });
      const channel = `room:${user}`;
      await peer.greet();
      const subscribed = await peer.ask({ type: "subscribe", channel, start: "latest" });
      const published = await publish(peer, channel);
      const read = await peer.ask({ type: "read", channel, count: 2 });
      return { decided: [subscribed, published, read], others: [await echo(peer)] };
    },
  },
  {
    hook: "onPublish",
    name: "onPublish",
    share: 10,
    called: /onPublish/,
    decides: true,
    endsAll: false,
    judge: judgePayload,
    right: (dice) => pick(dice, PAYLOADS),
    converse: async (_stage, user, meet) => {
      const peer = meet({ token: right(user) });
      await peer.greet();
      await peer.ask({ type: "subscribe", channel: `kept:${user}`, start: "latest" });
      const published = await publish(peer, `kept:${user}`);
      return { decided: [published], others: [await echo(peer)] };
    },
  },
  {
    hook: "snapshot",
    name: "snapshot",
    share: 10,
    called: /snapshot/,
    decides: true,
    endsAll: false,
    judge: judgeSnapshot,
    right: (dice) => ({
      data: pick(dice, PAYLOADS),
      ...(dice.below(2) === 0 ? {} : { position: { epoch: "e", offset: 1, id: null } }),
    }),
    converse: async (_stage, user, meet, dice) => {
      const peer = meet({ token: right(user) });
      const channel = `state:${user}`;
      await peer.greet();
      const decided =
        dice.below(2) === 0
          ? [await peer.ask({ type: "subscribe", channel, start: "latest" })]
          : await afterGap(peer, channel);
      return { decided, others: [await echo(peer)] };
    },
  },
  {
    hook: "request",
    name: "request",
    share: 8,
    called: /request|ask/,
    decides: true,
    endsAll: false,
    judge: judgeAnswer,
    right: (dice) =>
      pick(
        dice,
        PAYLOADS.filter((one) => !(one instanceof Uint8Array)),
      ),
    converse: async (_stage, user, meet) => {
      const peer = meet({ token: right(user) });
      await peer.greet();
      const asked = await peer.ask({ type: "request", name: "ask", data: 1 });
      return { decided: [asked], others: [await echo(peer)] };
    },
  },
  {
    hook: "clientAddress",
    name: "clientAddress",
    share: 5,
    called: /clientAddress/,
    decides: true,
    endsAll: true,
    judge: judgeAddress,
    right: () => "10.0.0.1",
    converse: (_stage, user, meet) =>
      live(meet({ token: right(user), headers: [`X-Odd: ${user}`] }), `room:${user}`),
  },
  told("onConnect", 5, (_stage, user, meet) => asTold(meet, user)),
  told("onDisconnect", 5, async (stage, user, meet) => {
    const peer = meet({ token: right(user) });
    const { others } = await live(peer, `room:${user}`);
    await peer.leave();
    await stage.called();
    return { decided: [], others };
  }),
  told("tracer", 5, async (stage, user, meet) => {
    const stop = stage.tailwire.user(user).trace(() => stage.scene?.conduct.run());
    const answers = await asTold(meet, user);
    stop();
    return answers;
  }),
  {
    ...told("logger", 5, async (_stage, user, meet) => {
      const { others } = await live(meet({ token: right(user) }), `room:${user}`);
      return { decided: [], others: others.slice(2) };
    }),
    stage: "odd logger",
  },
  ...BROKER_HOOKS,
];

/** A hook that is only told has no say in anything. */
async function asTold(meet: Meet, user: string): Promise<Answers> {
  const { decided, others } = await live(meet({ token: right(user) }), `room:${user}`);
  return { decided: [], others: [...decided, ...others] };
}

/** On a live connection, somebody else's token is refused, and nobody's mistake. */
function sameUser(value: unknown, fitness: Fitness): Fitness {
  if (fitness !== "fit") return fitness;
  const { id } = (value as { readonly user: { readonly id: string } }).user;
  return /^u\d+$/.test(id) ? "fit" : "either";
}
