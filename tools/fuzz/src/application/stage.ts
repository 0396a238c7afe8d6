/**
 * A stage: a real server on loopback whose application behaves, except where the scene says
 * otherwise; and a witness, who has to be served whatever the scene does.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { msgpackCodec } from "@tailwire/protocol/msgpack";
import type {
  Authenticated,
  Logger,
  TailwireOptions,
  TailwireServer,
  User,
} from "@tailwire/server";
import type { Conduct } from "./conduct.ts";
import { type Act, type BrokerMethod, OddBroker } from "./odd-broker.ts";
import { type Introduction, Peer } from "./peer.ts";
import type { Patience } from "./patience.ts";

/** The maker of a server: the product's own, or one with a fault put into it. */
export type Create = (options: TailwireOptions) => TailwireServer;

export type HookName =
  | "authenticate"
  | "authorize"
  | "onPublish"
  | "snapshot"
  | "request"
  | "onConnect"
  | "onDisconnect"
  | "tracer"
  | "clientAddress"
  | "logger"
  | `broker.${BrokerMethod}`;

/**
 * Where a scene is played: with a log that is kept here, with the standard one on standard error,
 * with a logger that is the scene's, or with a broker that is.
 */
export type StageKind = "kept log" | "standard error" | "odd logger" | "odd broker";

/** Whose call of which hook doesn't behave. */
export interface Scene {
  readonly hook: HookName;
  readonly user: string;
  readonly conduct: Conduct;
}

export interface StageOptions {
  readonly create: Create;
  readonly patience: Patience;
  readonly kind: StageKind;
}

/** How often the witness asks before it counts as harmed. */
const WITNESS_TRIES = 3;

/** Short, so that what never settles is soon over; what is answered at once meets none of them. */
const LIMITS = { hookMs: 20, requestMs: 20, appendMs: 200, closeTimeoutMs: 1_000 };

/** Beginnings of tokens: their user follows. The far one ends in thirty days. */
export const TOKENS = { right: "right-", odd: "odd-", far: "far-" } as const;

/** Longer than a platform's timer can wait. */
const FAR_MS = 30 * 86_400_000;

const HOUR_MS = 3_600_000;

export class Stage {
  readonly tailwire: TailwireServer;
  /** Warnings and errors that were logged since the scene began. */
  readonly logged: string[] = [];
  scene: Scene | null = null;
  readonly #patience: Patience;
  readonly #web: Server = createServer();
  readonly #sockets = new Set<Socket>();
  #witness: Peer | null = null;
  #turn = 0;
  readonly #giveBack: (() => void) | null;

  constructor(options: StageOptions) {
    this.#patience = options.patience;
    this.#giveBack = options.kind === "standard error" ? this.#takeStandardError() : null;
    this.tailwire = options.create(this.#application(options.kind));
    this.#web.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  async open(): Promise<void> {
    this.tailwire.attach(this.#web);
    await new Promise<void>((resolve) => this.#web.listen(0, "127.0.0.1", resolve));
  }

  begin(scene: Scene): void {
    this.logged.length = 0;
    this.scene = scene;
  }

  /** From now on everybody behaves. */
  end(): void {
    this.scene = null;
  }

  get port(): number {
    return (this.#web.address() as AddressInfo).port;
  }

  peer(introduction: Omit<Introduction, "port">): Peer {
    return new Peer({ port: this.port, ...introduction }, this.#patience);
  }

  /** Resolves when the scene's hook was called, or nobody waits for that any more. */
  called(): Promise<void> {
    const { conduct } = this.scene as Scene;
    return this.#patience.until(
      () => conduct.calls > 0,
      (look) => void conduct.called.then(look),
    );
  }

  /** Whether the witness still gets what is published, and an answer; else what it was told. */
  async witness(): Promise<string | null> {
    let fault = await this.#askWitness();
    // Deadlines are short here, and a machine that stands still for a moment lets them pass.
    for (let tries = 1; tries < WITNESS_TRIES && fault !== null; tries += 1) {
      fault = await this.#askWitness();
    }
    return fault;
  }

  async #askWitness(): Promise<string | null> {
    this.#witness ??= await this.#newWitness();
    const { messages } = this.#witness;
    const data = (this.#turn += 1);
    const [acked, answered] = [
      this.#witness.publish("room:witness", data),
      this.#witness.say({ type: "request", name: "echo", data }),
    ];
    const answers = [await this.#witness.answer(acked), await this.#witness.answer(answered)];
    const isServed = await this.#witness.until(() =>
      messages.some((one) => one.type === "publication" && one.data === data),
    );
    messages.length = 0;
    const [bad] = answers.filter(({ kind }) => kind !== "ack");
    if (bad !== undefined) return `it was answered with ${bad.kind} ${bad.code ?? ""}`;
    if (!isServed) return "its publication didn't come";
    return this.#witness.faults[0] ?? null;
  }

  /** Ends it, whatever state it is in. */
  async close(): Promise<void> {
    this.end();
    await this.#witness?.leave();
    let isClosed = false;
    const closed = this.tailwire.close().finally(() => (isClosed = true));
    closed.catch(() => undefined);
    for (const socket of this.#sockets) socket.destroy();
    await this.#patience.until(
      () => isClosed,
      (look) => void closed.then(look, look),
    );
    this.#web.close();
    this.#giveBack?.();
  }

  /** Reads what is written on standard error, instead of whoever else would. */
  #takeStandardError(): () => void {
    const { stderr } = process;
    const write = stderr.write.bind(stderr);
    stderr.write = (text: unknown) => {
      this.logged.push(String(text));
      return true;
    };
    return () => void (stderr.write = write);
  }

  async #newWitness(): Promise<Peer> {
    const peer = this.peer({ token: `${TOKENS.right}witness` });
    await peer.greet();
    await peer.ask({ type: "subscribe", channel: "room:witness", start: "latest" });
    return peer;
  }

  /** The scene's conduct where it is meant, else what is right. */
  #call<Value>(hook: HookName, user: string, right: () => Value): Value {
    const { scene } = this;
    if (scene === null || scene.hook !== hook || scene.user !== user) return right();
    return scene.conduct.run() as Value;
  }

  #application(kind: StageKind): TailwireOptions {
    const told = (hook: HookName) => (connection: { readonly user: User }) =>
      this.#call(hook, connection.user.id, () => undefined);
    return {
      authenticate: (_request, token) => this.#authenticate(token),
      authorize: ({ user }) => this.#call("authorize", user.id, () => this.#maySubscribe(user)),
      requests: {
        echo: (input) => input,
        ask: (input, { user }) => this.#call("request", user.id, () => input),
      },
      onConnect: told("onConnect"),
      onDisconnect: told("onDisconnect"),
      clientAddress: ({ headers }) =>
        this.#call("clientAddress", String(headers["x-odd"]), () => "127.0.0.1"),
      channels: {
        "room:{id}": {},
        "kept:{id}": {
          onPublish: ({ user, data }) => this.#call("onPublish", user.id, () => data),
        },
        "state:{id}": {
          snapshot: ({ params }) =>
            this.#call("snapshot", params["id"] ?? "", () => ({ data: "state" })),
        },
      },
      codecs: [msgpackCodec],
      limits: LIMITS,
      ...(kind === "standard error" ? {} : { logger: this.#logger(kind) }),
      ...(kind === "odd broker"
        ? { broker: () => new OddBroker((channel) => this.#actOn(channel)) }
        : {}),
    };
  }

  #authenticate(token: string | null): Authenticated | null {
    if (token === null) return null;
    if (token.startsWith(TOKENS.right)) return { user: { id: token.slice(TOKENS.right.length) } };
    if (token.startsWith(TOKENS.far)) {
      return { user: { id: token.slice(TOKENS.far.length) }, expiresAt: Date.now() + FAR_MS };
    }
    return this.#call("authenticate", token.slice(TOKENS.odd.length), () => null);
  }

  /** Where the logger is odd, something has to be logged. */
  #maySubscribe(user: User): boolean {
    if (this.scene?.hook === "logger" && user.id === this.scene.user) {
      throw new Error("odd: something to log");
    }
    return true;
  }

  #logger(kind: StageKind): Logger {
    const ignore = (): void => undefined;
    const keep = (fields: object, message: string): void =>
      void this.logged.push(`${message} ${fieldsText(fields)}`);
    if (kind !== "odd logger") return { debug: ignore, info: ignore, warn: keep, error: keep };
    const run = (): void => this.#call("logger", this.scene?.user ?? "", ignore);
    return { debug: run, info: run, warn: run, error: run };
  }

  /** The act of the scene's broker on a channel of its user's. */
  #actOn(channel: string): Act | null {
    const { scene } = this;
    if (scene === null || channel !== `room:${scene.user}` || !scene.hook.startsWith("broker.")) {
      return null;
    }
    return { method: scene.hook.slice("broker.".length) as BrokerMethod, conduct: scene.conduct };
  }
}

/** The text in the fields of a line, without stacks, which name whatever was on the way. */
function fieldsText(fields: unknown, depth = 0): string {
  try {
    if (typeof fields !== "object" || fields === null) return String(fields);
    if (depth > 3) return "…";
    const own =
      fields instanceof Error ? [fields.message, fields.cause] : Object.entries(fields).flat();
    return own.map((one) => fieldsText(one, depth + 1)).join(" ");
  } catch {
    return "?";
  }
}

/** Results that `authenticate` may give for a user. */
export const RIGHT_ANSWERS: readonly ((user: string) => unknown)[] = [
  (id) => ({ user: { id } }),
  (id) => ({ user: { id, name: "Odd" }, expiresAt: Date.now() + HOUR_MS }),
  (id) => ({
    user: { id },
    expiresAt: Date.now() + HOUR_MS,
    capabilities: [
      { channel: "room:{id}", actions: ["subscribe", "publish"] },
      { channel: "kept:1", actions: ["publish"] },
    ],
  }),
];
