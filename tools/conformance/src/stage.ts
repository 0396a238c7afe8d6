/**
 * A stage: what one check has for itself. Its channels are new and its sessions are its own, so
 * that checks can run beside one another; whatever it opened goes when it ends.
 */
import { randomBytes } from "node:crypto";
import { SUBPROTOCOL_JSON, SUBPROTOCOL_MSGPACK } from "@tailwire/protocol";
import { WebSocket } from "ws";
import { BinaryPeer } from "./binary-peer.ts";
import { Peer } from "./peer.ts";
import { type Breach, Broken, CannotJudge } from "./verdict.ts";

const OPEN_MS = 6_000;

/** Whom to judge, and how. */
export interface Subject {
  readonly url: string;
  /** A user's token; that and `-2` count as two users. */
  readonly token: string;
  /** A pattern with `{id}`, for channels that anybody may use. */
  readonly channel: string;
  /** Waits for what takes minutes. */
  readonly slow: boolean;
  /** How long an answer may take before the server counts as silent; 6 s where left out. */
  readonly patienceMs?: number;
}

export interface UpgradeOptions {
  readonly path?: string;
  readonly offers?: readonly string[];
  /** Sent as a header. Null sends none; the subject's where left out. */
  readonly token?: string | null;
  readonly origin?: string;
  /** Offers compression. */
  readonly compression?: boolean;
  /** The version of the WebSocket protocol: 13 where left out. */
  readonly version?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface HelloOptions extends UpgradeOptions {
  readonly session?: string;
  readonly generation?: number;
  /** Whether an older connection of the session may stay; it may where this is left out. */
  readonly overlap?: boolean;
}

/** An upgrade that was answered with an HTTP status. */
export interface Refusal {
  readonly status: number;
  readonly body: string;
}

export class Stage {
  readonly subject: Subject;
  readonly #sockets: WebSocket[] = [];
  readonly #peers: Peer[] = [];

  constructor(subject: Subject) {
    this.subject = subject;
  }

  /** Breaches that the witnesses of its connections saw. */
  get breaches(): Breach[] {
    return this.#peers.flatMap(({ witness }) => witness.breaches);
  }

  /** A channel that nobody has used. */
  channel(): string {
    return this.subject.channel.replaceAll("{id}", `conf-${randomName()}`);
  }

  session(): string {
    return randomBytes(18).toString("base64url");
  }

  /** A token of somebody else. */
  get otherToken(): string {
    return `${this.subject.token}-2`;
  }

  /** Asks for a WebSocket that speaks JSON: one that is open, or the refusal. */
  upgrade(options: UpgradeOptions = {}): Promise<Peer | Refusal> {
    return this.#upgrade(options, (ws) => {
      const peer = new Peer(ws, this.subject.patienceMs);
      this.#peers.push(peer);
      return peer;
    });
  }

  /** The same for one that speaks MessagePack. @throws CannotJudge where the server doesn't. */
  async openBinary(): Promise<BinaryPeer> {
    const offers = [SUBPROTOCOL_MSGPACK, SUBPROTOCOL_JSON];
    const answer = await this.#upgrade(
      { offers },
      (ws) => new BinaryPeer(ws, this.subject.patienceMs),
    );
    if (!(answer instanceof BinaryPeer)) throw new Broken(`refused: ${answer.status}`);
    if (answer.subprotocol === SUBPROTOCOL_MSGPACK) return answer;
    throw new CannotJudge("the server doesn't speak MessagePack");
  }

  #upgrade<Opened>(
    options: UpgradeOptions,
    made: (ws: WebSocket) => Opened,
  ): Promise<Opened | Refusal> {
    const { path, offers = [SUBPROTOCOL_JSON], origin, compression = false } = options;
    const { token = this.subject.token, version = 13, headers = {} } = options;
    const url = path === undefined ? this.subject.url : new URL(path, this.subject.url);
    return new Promise((resolve, reject) => {
      const ws = new WebSocket(url, [...offers], {
        perMessageDeflate: compression,
        handshakeTimeout: OPEN_MS,
        protocolVersion: version,
        headers: {
          ...headers,
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(origin === undefined ? {} : { origin }),
        },
      });
      this.#sockets.push(ws);
      const peer = made(ws);
      ws.once("open", () => resolve(peer));
      ws.once("unexpected-response", (request, response) => {
        let body = "";
        response.on("data", (chunk: Buffer) => (body += chunk.toString()));
        response.on("error", () => undefined);
        response.on("close", () => {
          resolve({ status: response.statusCode ?? 0, body });
          request.destroy();
        });
      });
      ws.once("error", (error) => reject(new Broken(`the upgrade failed: ${error.message}`)));
    });
  }

  /** A WebSocket before hello. */
  async open(options: UpgradeOptions = {}): Promise<Peer> {
    const answer = await this.upgrade(options);
    if (answer instanceof Peer) return answer;
    throw new Broken(`the upgrade was refused: ${answer.status} ${answer.body}`);
  }

  /** A connection after welcome. */
  async welcomed(options: HelloOptions = {}): Promise<Peer> {
    const peer = await this.open(options);
    peer.say(this.hello(options));
    await peer.message("welcome");
    return peer;
  }

  /** A connection of another user. @throws CannotJudge when the server refuses the second token. */
  async another(options: HelloOptions = {}): Promise<Peer> {
    const answer = await this.upgrade({ token: this.otherToken, ...options });
    if (!(answer instanceof Peer)) throw new CannotJudge("takes a second user's token");
    answer.say(this.hello(options));
    await answer.message("welcome");
    return answer;
  }

  /** A hello's fields. */
  hello(options: HelloOptions = {}): Record<string, unknown> {
    const { session = this.session(), generation = 1, overlap = true } = options;
    const client = { name: "tailwire-conformance", version: "0.1.0" };
    return { type: "hello", session, generation, client, overlap };
  }

  /** Whether the server asks for tokens at all. */
  async asksForTokens(): Promise<boolean> {
    return !((await this.upgrade({ token: null })) instanceof Peer);
  }

  end(): void {
    for (const ws of this.#sockets) ws.terminate();
  }
}

export function randomName(): string {
  return randomBytes(6).toString("hex");
}

/** The check of a clause. It returns a remark, or nothing, and throws what it finds. */
export type Check = (stage: Stage) => Promise<string | void>;
