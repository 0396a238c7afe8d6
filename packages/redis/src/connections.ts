/**
 * The two connections to Redis: one for commands, one for what is pushed. It looks at the server
 * whenever it comes back, and says in words why it can't be used. It knows no log.
 */
import { createHash } from "node:crypto";
import type { BrokerHost } from "@tailwire/server/broker-contract";
import { ClientOfflineError, createClient, ErrorReply, RESP_TYPES } from "redis";
import { LOG_SCRIPT } from "./log-script.ts";
import type { Settings } from "./settings.ts";
import { causeOf, isDemoted, isMissingScript, unfitness } from "./words.ts";

const SCRIPT_SHA = createHash("sha1").update(LOG_SCRIPT).digest("hex");
const AS_BUFFERS = { [RESP_TYPES.BLOB_STRING]: Buffer } as const;

type Client = ReturnType<typeof createClient>;

/** Answers of a script: bytes, all of them. */
export type ScriptAnswer = readonly Buffer[];

/** The user of the connections. */
export interface ConnectionsOwner {
  /** Redis said what time it is, in milliseconds by its clock. */
  heard(brokerTime: number): void;
  pushed(name: string, message: Buffer): void;
  /** Pushes may have been lost. */
  missed(): void;
  /** Null: it can be used. Else a reason, in words. */
  changed(reason: string | null): void;
}

export class Connections {
  readonly #host: BrokerHost;
  readonly #settings: Settings;
  readonly #owner: ConnectionsOwner;
  readonly #commands: Client;
  readonly #pushes: Client;
  #reason: string | null = "it isn't connected yet";
  #isFit = false;
  #isClosed = false;

  constructor(host: BrokerHost, settings: Settings, owner: ConnectionsOwner) {
    this.#host = host;
    this.#settings = settings;
    this.#owner = owner;
    this.#commands = this.#connect(() => void this.check());
    this.#pushes = this.#connect(() => {
      owner.missed();
      this.#judge(null);
    });
  }

  /** Null while Redis can be used, else the reason why it can't. */
  get reason(): string | null {
    return this.#reason;
  }

  /** Runs the script. @throws Error as the library gives it; `isUnsent` judges it. */
  async run(keys: readonly string[], args: readonly (string | Buffer)[]): Promise<ScriptAnswer> {
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
      else if (error instanceof ErrorReply) this.#complain(causeOf(error));
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
      this.#judge(unfit);
      if (unfit?.startsWith("it is a replica") === true) this.#reconnect();
    } catch (error) {
      this.#judge(causeOf(error));
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
      this.#judge(causeOf(error));
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

  /** Tells of each change once. */
  #judge(cause: string | null): void {
    if (this.#isClosed) return;
    const isUsable = this.#isFit && this.#commands.isReady && this.#pushes.isReady;
    const reason = isUsable ? null : (cause ?? this.#reason ?? "the connection is lost");
    if (reason === this.#reason) return;
    this.#reason = reason;
    if (reason === null)
      this.#host.logger.info({ address: this.#settings.address }, "redis: connected");
    else this.#complain(reason);
    this.#owner.changed(reason);
  }

  #complain(reason: string): void {
    const { address } = this.#settings;
    this.#host.logger.error({ address, reason }, `redis: ${address} can't be used: ${reason}`);
  }
}
