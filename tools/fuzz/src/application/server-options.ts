/**
 * Options as subjects: a server or a ticket is made with an odd one. Either that is refused when it
 * is made, in words that say which; or what was made does what it is for.
 */
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { TailwireError } from "@tailwire/protocol";
import { msgpackCodec } from "@tailwire/protocol/msgpack";
import { DEFAULT_LIMITS, type TailwireOptions, type TailwireServer } from "@tailwire/server";
import type { Dice } from "@tailwire/simulation";
import { alarmsRung } from "./alarms.ts";
import { alarmText } from "./hook-subject.ts";
import { nearlyRight, type Path } from "./nearly-right.ts";
import { type Odd, oddValue } from "./odd-values.ts";
import { type Answer, Peer } from "./peer.ts";
import { pick } from "../target.ts";
import type { House, Played, Subject } from "./subject.ts";

const ignore = (): void => undefined;

/** Everything that a server can be told, so that everything can be odd. */
const OPTIONS = {
  authenticate: (_request: unknown, token: unknown) => ({ user: { id: String(token) } }),
  authorize: () => true,
  requests: { echo: (input: unknown) => input },
  onConnect: ignore,
  onDisconnect: ignore,
  channels: {
    "room:{id}": {
      retention: { count: 10, bytes: 10_000, maxAgeMs: 60_000 },
      onPublish: ({ data }: { readonly data: unknown }) => data,
      snapshot: () => ({ data: "state" }),
    },
    lobby: {},
  },
  clientAddress: () => "127.0.0.1",
  allowedOrigins: ["https://chat.example"],
  tokenInQuery: true,
  codecs: [msgpackCodec],
  limits: { ...DEFAULT_LIMITS },
  logger: { debug: ignore, info: ignore, warn: ignore, error: ignore },
};

/** Limits are many: each of the others is chosen as often as all of them together. */
function placesEvenly(dice: Dice): { readonly odd: Odd; readonly place: Path } {
  const name = pick(dice, Object.keys(OPTIONS)) as keyof typeof OPTIONS;
  const right = OPTIONS[name];
  const {
    name: words,
    make,
    place,
  } = dice.below(4) === 0
    ? { place: [], ...oddValue(dice) }
    : nearlyRight(dice, right, name === "codecs" ? 1 : Infinity);
  return {
    odd: {
      name: `${name}${place.length === 0 ? " is" : ":"} ${words}`,
      make: () => ({ ...OPTIONS, [name]: make() }),
    },
    place: [name, ...place],
  };
}

export const serverOptions: Subject = {
  name: "createTailwire",
  share: 8,
  play: async (_number, dice, house) => {
    const { odd, place } =
      dice.below(20) === 0 ? { odd: oddValue(dice), place: [] } : placesEvenly(dice);
    const options = odd.make();
    const made = attempt(() => house.create(options as TailwireOptions));
    if ("refusal" in made) return refused(odd.name, made.refusal);
    const isMisfit = place.length === 0 || isAnotherKind(at(OPTIONS, place), at(options, place));
    const tailwire = made.value;
    return playServer({ tailwire, given: {}, path: "/tailwire", words: odd.name, isMisfit }, house);
  },
};

export const attachOptions: Subject = {
  name: "attach",
  share: 3,
  play: async (_number, dice, house) => {
    const odd = dice.below(4) === 0 ? oddValue(dice) : nearlyRight(dice, { path: "/tailwire" });
    const tailwire = house.create(OPTIONS);
    const given = odd.make();
    const path = pathOf(at(given, ["path"]));
    return playServer(
      { tailwire, given, path: path ?? "/", words: odd.name, isMisfit: path !== null },
      house,
    );
  },
};

/** Hooks, as they are when one of them closes its own server. */
const CLOSING = [
  "authenticate",
  "authorize",
  "onConnect",
  "onDisconnect",
  "clientAddress",
] as const;

export const closings: Subject = {
  name: "close() within a hook",
  share: 2,
  play: async (_number, dice, house) => {
    const hook = pick(dice, CLOSING);
    const right: (...given: unknown[]) => unknown = OPTIONS[hook];
    const closing = (...given: unknown[]): unknown => {
      tailwire.close().catch(ignore);
      return right(...given);
    };
    const tailwire = house.create({ ...OPTIONS, [hook]: closing });
    const words = `${hook} closes the server`;
    return playServer({ tailwire, given: {}, path: "/tailwire", words, isMisfit: false }, house);
  },
};

/** Where a client has to be served, if `attach` takes this path; null where nobody can ask for it. */
function pathOf(path: unknown): string | null {
  if (typeof path !== "string") return "/tailwire";
  if (path === "" || /[^!-~]/.test(path) || path.length > 1_000) return null;
  return path.startsWith("/") ? path : `/${path}`;
}

interface Refused {
  readonly refusal: unknown;
}

function attempt<Value>(make: () => Value): { readonly value: Value } | Refused {
  try {
    return { value: make() };
  } catch (refusal) {
    return { refusal };
  }
}

/** An engine's own words when nobody has looked at what was given. */
const BY_ACCIDENT =
  /^(?:Cannot (?:read|convert|destructure|set|mix)|Invalid array|Reduce of)|is not (?:a function|iterable|a constructor)$/;

/** A server that is refused when it is made has to be refused in words. */
function refused(words: string, refusal: unknown): Played {
  return { words, ending: "refused", faults: refusalFaults(refusal) };
}

export function refusalFaults(refusal: unknown): readonly string[] {
  const isOurs =
    refusal instanceof TailwireError ||
    refusal instanceof TypeError ||
    refusal instanceof RangeError;
  if (!isOurs) return ["what it throws is no TypeError, RangeError or TailwireError"];
  if (BY_ACCIDENT.test(refusal.message)) return [`it fails by accident: ${refusal.message}`];
  return refusal.message.length < 10 ? ["it refuses without words"] : [];
}

/** A server that was made, and what it is attached with. */
interface Made {
  readonly tailwire: TailwireServer;
  readonly given: unknown;
  readonly path: string;
  readonly words: string;
  /** Whether something in it can't mean what was asked for. */
  readonly isMisfit: boolean;
}

/** Attaches it, and tries all that a client does. */
async function playServer(
  { tailwire, given, path, words, isMisfit }: Made,
  { alarms, patience }: House,
): Promise<Played> {
  const web = createServer();
  const sockets = new Set<Socket>();
  web.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
  try {
    const attached = attempt(() => tailwire.attach(web, given as { path: string }));
    if ("refusal" in attached) return refused(words, attached.refusal);
    const { port } = web.address() as AddressInfo;
    const peer = new Peer({ port, path, token: "a" }, patience);
    const answers = await everything(peer);
    await peer.leave();
    await alarmsRung();
    if (alarms.rang) return { words, ending: "crashed", faults: alarms.take().map(alarmText) };
    const unserved = answers.find(({ kind }) => kind !== "ack");
    const faults = [
      ...peer.faults,
      ...(answers.some(({ kind }) => kind === "nothing") ? ["a question is never answered"] : []),
      ...(isMisfit && unserved !== undefined
        ? [`it is taken, and then a client is told ${unserved.code ?? "nothing"}`]
        : []),
    ];
    return { words, ending: unserved === undefined ? "served" : "not served", faults };
  } finally {
    let isClosed = false;
    const closed = Promise.resolve(tailwire.close()).finally(() => (isClosed = true));
    closed.catch(ignore);
    await patience.until(
      () => isClosed,
      (look) => void closed.then(look, look),
    );
    for (const socket of sockets) socket.destroy();
    web.close();
  }
}

async function everything(peer: Peer): Promise<readonly Answer[]> {
  if (!(await peer.greet())) {
    return [
      peer.end === null ? { kind: "nothing", code: null } : { kind: "ended", code: peer.end },
    ];
  }
  const channel = "room:1";
  return [
    await peer.ask({ type: "subscribe", channel, start: "latest" }),
    await peer.answer(peer.publish(channel, 1)),
    await peer.ask({ type: "read", channel, count: 1 }),
    await peer.ask({ type: "request", name: "echo", data: 1 }),
    await peer.ask({ type: "unsubscribe", channel }),
  ];
}

/** The value at a place; undefined where nothing is, or looking there throws. */
function at(value: unknown, place: Path): unknown {
  try {
    return place.reduce<unknown>((one, key) => (one as Record<string, unknown>)[key], value);
  } catch {
    return Symbol("it throws");
  }
}

/** Whether it can't mean what was asked for. Left out is as if nobody had said anything. */
function isAnotherKind(right: unknown, odd: unknown): boolean {
  if (odd === undefined || odd === null) return false;
  return typeof right !== typeof odd || Number.isNaN(odd);
}
