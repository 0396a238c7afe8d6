/**
 * The two connections to Redis: one for commands, one for what is pushed. It looks at the server
 * whenever it comes back, and says in words why it can't be used. It knows no log.
 *
 * Without the second one logs are still read and written, and probes notice what isn't pushed.
 */
import { createHash } from "node:crypto";
import type { BrokerHost, BrokerState } from "@tailwire/server/broker-contract";
import { ClientOfflineError, createClient, ErrorReply, RESP_TYPES } from "redis";
import { LOG_SCRIPT } from "./log-script.ts";
import type { Settings } from "./settings.ts";
import { causeOf, isDemoted, isMissingScript, isReplica, unfitness } from "./words.ts";

const SCRIPT_SHA = createHash("sha1").update(LOG_SCRIPT).digest("hex");
const AS_BUFFERS = { [RESP_TYPES.BLOB_STRING]: Buffer } as const;

type Client = ReturnType<typeof createClient>;

const COMPLAIN_EVERY_MS = 60_000;

/** Answers of a script: bytes, all of them. */
export type ScriptAnswer = readonly Buffer[];

/** The user of the connections. */
export interface ConnectionsOwner {
  /** Redis said what time it is, in milliseconds by its clock. */
  heard(brokerTime: number): void;
  pushed(name: string, message: Buffer): void;
  /** Pushes may have been lost. */
  missed(): void;
  /** It can be used from now on, or can't any more. */
  changed(state: BrokerState): void;
}

export class Connections {
  readonly #host: BrokerHost;
  readonly #settings: Settings;
  readonly #owner: ConnectionsOwner;
  readonly #commands: Client;
  readonly #pushes: Client;
  /** Null until the first attempt to connect has come to something. */
  #state: BrokerState | null = null;
  /** Resolves then. Calls before wait for it. */
  readonly #begun: Promise<void>;
  #begin: () => void = () => undefined;
  #isFit = false;
  /** The reasons that were told since then. */
  readonly #told = new Set<string>();
  #toldSince = 0;
  #isClosed = false;

  constructor(host: BrokerHost, settings: Settings, owner: ConnectionsOwner) {
    this.#host = host;
    this.#settings = settings;
    this.#owner = owner;
    this.#begun = new Promise((resolve) => {
      this.#begin = resolve;
    });
    this.#commands = this.#connect(() => void this.check());
    this.#pushes = this.#connect(() => {
      owner.missed();
      this.#judge();
    });
  }

  get isUp(): boolean {
    return this.#state?.kind === "up";
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Runs the script. @throws Error as the library gives it; `isUnsent` judges it. */
  async run(keys: readonly string[], args: readonly (string | Buffer)[]): Promise<ScriptAnswer> {
    await this.#begun;
    if (!this.#isFit) throw new ClientOfflineError();
    const client = this.#commands.withTypeMapping(AS_BUFFERS);
    const call = { keys: [...keys], arguments: [...args] };
    try {
      const answer = await client.evalSha(SCRIPT_SHA, call).catch((error: unknown) => {
        if (isMissingScript(error)) return client.eval(LOG_SCRIPT, call);
        throw error;
      });
      return answer as unknown as ScriptAnswer;
    } catch (error) {
      if (isDemoted(error)) this.#reconnect();
      else if (error instanceof ErrorReply) this.#fail(causeOf(error));
      throw error;
    }
  }

  /** Fields of hashes, one answer for each key, asked for at once. */
  async fields(
    keys: readonly string[],
    ...names: string[]
  ): Promise<(readonly (string | null)[])[]> {
    return Promise.all(keys.map((key) => this.#commands.hmGet(key, names)));
  }

  async subscribe(name: string): Promise<void> {
    await this.#begun;
    if (!this.#pushes.isReady) throw new ClientOfflineError();
    await this.#pushes.subscribe(name, this.#onMessage, true);
  }

  async unsubscribe(name: string): Promise<void> {
    await this.#pushes.unsubscribe(name, this.#onMessage, true);
  }

  /** Asks what the server is and what time it has. Never rejects. */
  async check(): Promise<void> {
    if (!this.#commands.isReady) return;
    const client = this.#commands;
    try {
      const [time, info] = await Promise.all([
        client.sendCommand(["TIME"]),
        this.#isFit ? null : client.info(),
        this.#isFit ? null : client.scriptLoad(LOG_SCRIPT),
        this.#isFit ? null : client.publish(`${this.#settings.prefix}:check`, ""),
      ]);
      const [seconds, microseconds] = time as unknown as readonly [string, string];
      this.#owner.heard(Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000));
      const unfit = info === null ? null : unfitness(info);
      this.#isFit = unfit === null;
      if (unfit === null) return this.#judge();
      this.#fail(unfit);
      if (info !== null && isReplica(info)) this.#reconnect();
    } catch (error) {
      this.#isFit = false;
      this.#fail(causeOf(error));
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#commands.destroy();
    this.#pushes.destroy();
  }

  readonly #onMessage = (message: Buffer, name: Buffer): void =>
    this.#owner.pushed(name.toString(), message);

  #connect(ready: () => void): Client {
    const client = createClient(this.#settings.client) as Client;
    client.on("ready", ready);
    client.on("error", (error) => {
      if (client === this.#commands) this.#isFit = false;
      this.#fail(causeOf(error));
    });
    client.connect().catch(() => undefined);
    return client;
  }

  /** The address may lead to another server now: the one behind this connection is a replica. */
  #reconnect(): void {
    if (this.#isClosed) return;
    this.#isFit = false;
    for (const client of [this.#commands, this.#pushes]) {
      if (!client.isReady) continue;
      client.destroy();
      client.connect().catch(() => undefined);
    }
  }

  /** It is up once both connections are. */
  #judge(): void {
    if (this.#isFit && this.#commands.isReady && this.#pushes.isReady) this.#enter({ kind: "up" });
  }

  /** A connection has failed. That for pushes alone takes nothing down that was up. */
  #fail(cause: string): void {
    const reason = `redis ${this.#settings.address}: ${cause}`;
    if (this.#isFit && this.isUp) this.#complain(reason);
    else this.#enter({ kind: "down", reason });
  }

  /** Tells of each change once. A reason that has changed is for the log alone. */
  #enter(state: BrokerState): void {
    const former = this.#state;
    if (this.#isClosed) return;
    this.#state = state;
    this.#begin();
    if (state.kind !== former?.kind) {
      if (state.kind === "down") this.#isNews(state.reason);
      this.#owner.changed(state);
    } else if (state.kind === "down" && former.kind === "down" && state.reason !== former.reason) {
      this.#complain(state.reason);
    }
  }

  #complain(reason: string): void {
    if (this.#isNews(reason)) this.#host.logger.error({ reason }, "the broker is in trouble");
  }

  /** Each reason is news once a minute: calls fail for the same one, and connections for two in turns. */
  #isNews(reason: string): boolean {
    const now = this.#host.clock.monotonic();
    if (now - this.#toldSince >= COMPLAIN_EVERY_MS) {
      this.#told.clear();
      this.#toldSince = now;
    }
    if (this.#told.has(reason)) return false;
    this.#told.add(reason);
    return true;
  }
}
