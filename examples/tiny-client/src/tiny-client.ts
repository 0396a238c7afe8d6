/**
 * A tailwire client in one file, written from PROTOCOL.md alone: read the two side by side.
 *
 * It follows channels without missing or doubling anything, and publishes once, across any loss of
 * the connection. It leaves out speed and comfort: each WebSocket message carries one line.
 */
import { randomBytes } from "node:crypto";
import { WebSocket } from "ws";

/** "Seen up to and including". Opaque: the client sends it back exactly as it came [DEL-1]. */
export interface Position {
  readonly epoch: string;
  readonly offset: number;
  readonly id: string | null;
}

/** The fields of all the server's messages in one type, for brevity. `type` tells which are there. */
export interface Incoming {
  readonly type: string;
  readonly id: string;
  readonly re?: string;
  readonly channel: string;
  readonly position: Position;
  readonly recovered?: boolean;
  readonly continuesAfter: Position;
  readonly offset: number;
  readonly event: string;
  readonly data: unknown;
  readonly reason: string;
  readonly code: string;
  readonly retry: boolean;
  readonly retryAfterMs?: number;
  readonly heartbeat: { readonly intervalMs: number; readonly timeoutMs: number };
  readonly limits: {
    readonly dedupeMs: number;
    readonly appendMs: number;
    readonly window: number;
  };
}

/** A subscription, which outlives connections. */
interface Following {
  readonly channel: string;
  /** Where to subscribe from: the application's start, then the last position. */
  start: unknown;
  /** Id of the newest `subscribe`. Deliveries before its ack are of an older cursor [SUB-5]. */
  subscribeId: string;
  acknowledged: boolean;
  /** Called with publications, snapshots, gaps, and an error that ends it, in order. */
  readonly tell: (message: Incoming) => void;
}

/** A publication that isn't acknowledged. */
interface Waiting {
  readonly id: string;
  /** Its number among the session's publications [PUB-14]. */
  readonly sequence: number;
  readonly channel: string;
  readonly event: string;
  readonly data: unknown;
  firstSentAt: number | null;
  epoch: string | undefined;
  readonly done: (outcome: Position | Error) => void;
}

export interface TinyOptions {
  readonly token?: string;
  /** From 0 up to 1: spreads reconnects. */
  readonly random?: () => number;
}

export class TinyClient {
  /** 96 random bits or more, for as long as this program runs. */
  readonly #session = randomBytes(12).toString("base64url");
  readonly #url: string;
  readonly #token: string | undefined;
  readonly #random: () => number;
  readonly #followings = new Map<string, Following>();
  /** The outbox, in order. */
  readonly #outbox = new Map<string, Waiting>();
  /** Each channel's epoch, where it is known: proof for repeats [PUB-5]. */
  readonly #epochs = new Map<string, string>();
  /** Channels that wait because a publication was refused for now, and whether for long enough [PUB-9]. */
  readonly #held = new Map<string, boolean>();
  /** Ids of publications that aren't answered on this connection. */
  readonly #underWay = new Set<string>();
  #ws: WebSocket | null = null;
  #welcome: Incoming | null = null;
  #generation = 0;
  #ids = 0;
  #sequence = 0;
  #failures = 0;
  #closed = false;
  #heardAt = 0;

  constructor(url: string, { token, random = Math.random }: TinyOptions = {}) {
    this.#url = url;
    this.#token = token;
    this.#random = random;
    this.#connect();
  }

  /** Follows a channel: from `"latest"`, `"earliest"`, a rewind, or a position. */
  follow(channel: string, start: unknown, tell: (message: Incoming) => void): void {
    const following = { channel, start, tell, subscribeId: "", acknowledged: false };
    this.#followings.set(channel, following);
    if (this.#welcome !== null) this.#subscribe(following);
  }

  /**
   * Resolves with the publication's position.
   *
   * @throws Error whose message is a code; `indeterminate`: nobody knows whether it was appended.
   */
  publish(channel: string, event: string, data: unknown): Promise<Position> {
    return new Promise((resolve, reject) => {
      const done = (outcome: Position | Error): void =>
        outcome instanceof Error ? reject(outcome) : resolve(outcome);
      const id = this.#nextId();
      this.#sequence += 1;
      const sequence = this.#sequence;
      const first = { firstSentAt: null, epoch: undefined };
      const waiting = { id, sequence, channel, event, data, ...first, done };
      this.#outbox.set(id, waiting);
      if (this.#welcome !== null && !this.#held.has(channel)) this.#send(waiting);
    });
  }

  close(): void {
    this.#closed = true;
    this.#ws?.close(1000, "done");
    for (const waiting of this.#outbox.values()) this.#settle(waiting, new Error("closed"));
  }

  // The connection

  #connect(): void {
    if (this.#closed) return;
    const headers = this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` };
    const ws = new WebSocket(this.#url, ["tailwire.v1.json"], {
      headers,
      perMessageDeflate: false,
    });
    this.#ws = ws;
    let steady: NodeJS.Timeout | undefined;
    let silence: NodeJS.Timeout | undefined;
    const heard = (): void => void (this.#heardAt = performance.now());
    ws.on("open", () => {
      // After 10 s of connection the backoff begins anew [CLOSE-4].
      steady = setTimeout(() => (this.#failures = 0), 10_000);
      // Each connection of a session has a higher generation than all before [PUB-7].
      this.#generation += 1;
      const client = { name: "tiny-client", version: "0.1.0" };
      const generation = this.#generation;
      this.#say({ type: "hello", session: this.#session, generation, client });
    });
    ws.on("ping", heard);
    ws.on("pong", heard);
    ws.on("message", (bytes: Buffer) => {
      heard();
      // One line or more; the last one's newline may be left out [ENC-1].
      for (const line of bytes.toString().split("\n")) {
        if (line === "") continue;
        const message = JSON.parse(line) as Incoming;
        if (message.type === "welcome") silence = this.#watchSilence(ws, message);
        this.#take(message);
      }
    });
    ws.on("error", () => undefined);
    ws.on("close", (code) => {
      clearTimeout(steady);
      clearInterval(silence);
      this.#disconnected(code);
    });
  }

  #disconnected(code: number): void {
    this.#welcome = null;
    this.#held.clear();
    this.#underWay.clear();
    for (const following of this.#followings.values()) following.acknowledged = false;
    // 4500 to 4999 are fatal, all others mean reconnect, 1000 from elsewhere too [CLOSE-1].
    if (this.#closed || (code >= 4500 && code <= 4999)) return this.close();
    const ceilingMs = Math.min(30_000, 1_000 * 2 ** this.#failures);
    this.#failures += 1;
    setTimeout(() => this.#connect(), this.#random() * ceilingMs);
  }

  /** Drops a socket that has been silent for too long [LIVE-3]. */
  #watchSilence(ws: WebSocket, { heartbeat }: Incoming): NodeJS.Timeout {
    const { intervalMs, timeoutMs } = heartbeat;
    const everyMs = Math.ceil(timeoutMs / 2);
    let lookedAt = performance.now();
    return setInterval(() => {
      const now = performance.now();
      if (now - lookedAt > everyMs + timeoutMs) {
        // The machine slept, so silence proves nothing. Ping, and wait `timeoutMs` for an answer.
        this.#heardAt = now - intervalMs;
        this.#say({ type: "ping" });
      } else if (now - this.#heardAt > intervalMs + timeoutMs) ws.terminate();
      lookedAt = now;
    }, everyMs);
  }

  // Messages from the server

  #take(message: Incoming): void {
    switch (message.type) {
      case "welcome":
        this.#welcome = message;
        for (const following of this.#followings.values()) this.#subscribe(following);
        for (const waiting of this.#outbox.values()) this.#send(waiting);
        return;
      case "ping":
        this.#say({ type: "pong", re: message.id });
        return;
      case "unsubscribed":
        // The server has ended the subscription, and says why [SUB-9].
        this.#followings.get(message.channel)?.tell(message);
        this.#followings.delete(message.channel);
        return;
      case "ack":
        return this.#acknowledged(message);
      case "error":
        return this.#refused(message);
      case "publication":
      case "snapshot":
      case "gap":
      case "epoch":
        return this.#delivered(message);
      default:
      // Also types that don't exist yet: they are ignored [VER-3].
    }
  }

  #acknowledged({ re = "", position, recovered }: Incoming): void {
    const waiting = this.#outbox.get(re);
    if (waiting !== undefined) {
      this.#epochs.set(waiting.channel, position.epoch);
      this.#settle(waiting, position);
      return this.#answered(waiting);
    }
    const following = this.#followingOf(re);
    if (following === undefined) return;
    following.acknowledged = true;
    // A gap comes first: until it is here, the position stays where it was [SUB-3].
    if (recovered !== false) this.#moveOn(following, position);
  }

  /** The code decides, and for codes that aren't known, `retry` [ERR-1]. */
  #refused(message: Incoming): void {
    const { re = "", code, retry, retryAfterMs = 1_000 } = message;
    const waiting = this.#outbox.get(re);
    const following = this.#followingOf(re);
    if (waiting !== undefined && !retry) this.#settle(waiting, new Error(code));
    else if (waiting !== undefined) this.#hold(waiting.channel, retryAfterMs);
    else if (following !== undefined && !retry) {
      this.#followings.delete(following.channel);
      following.tell(message);
    } else if (following !== undefined) {
      // A new connection may have subscribed meanwhile.
      const again = (): void => void (following.subscribeId === re && this.#subscribe(following));
      setTimeout(again, retryAfterMs);
    }
    if (waiting !== undefined) this.#answered(waiting);
  }

  #delivered(message: Incoming): void {
    const following = this.#followings.get(message.channel);
    if (following === undefined || !following.acknowledged) return;
    const { epoch, offset } = following.start as Position;
    switch (message.type) {
      case "epoch":
        return this.#moveOn(following, message.position);
      case "snapshot":
        // Its position is the subscription's already [STATE-2, STATE-3].
        return following.tell(message);
      case "gap":
        following.tell(message);
        return this.#moveOn(following, message.continuesAfter);
      default: {
        // The chain [DEL-2]: it was seen, or it is the next one, or some between are missing.
        if (message.offset <= offset) return;
        if (message.offset > offset + 1) {
          following.acknowledged = false;
          this.#say({ type: "unsubscribe", channel: message.channel });
          return this.#subscribe(following);
        }
        following.tell(message);
        this.#moveOn(following, { epoch, offset: message.offset, id: message.id });
      }
    }
  }

  // Messages to the server

  #subscribe(following: Following): void {
    if (this.#welcome === null) return;
    const { channel, start } = following;
    following.subscribeId = this.#say({ type: "subscribe", channel, start });
  }

  /** Sends a publication, for the first time or again under its id. */
  #send(waiting: Waiting): void {
    const { id, sequence, channel, event, data } = waiting;
    const oldest = [...this.#outbox.values()].find((one) => one.channel === channel) ?? waiting;
    const settled = oldest.sequence - 1;
    // It waits until older ones are settled [PUB-15].
    if (sequence - settled > (this.#welcome?.limits.window ?? 1)) return;
    const now = performance.now();
    if (waiting.firstSentAt === null) {
      waiting.firstSentAt = now;
      waiting.epoch = this.#epochs.get(channel);
      this.#say({ type: "publish", id, sequence, settled, channel, event, data });
      return;
    }
    const ageMs = Math.ceil(now - waiting.firstSentAt);
    const { dedupeMs = 0, appendMs = 0 } = this.#welcome?.limits ?? {};
    // The server may have forgotten the id when the repeat arrives [PUB-6].
    if (ageMs >= dedupeMs - appendMs) return this.#settle(waiting, new Error("indeterminate"));
    const repeat = { ageMs, epoch: waiting.epoch };
    this.#say({ type: "publish", id, sequence, settled, channel, event, data, repeat });
  }

  /** Sends all of a channel again, in order, after a while [PUB-9]. */
  #hold(channel: string, afterMs: number): void {
    if (this.#held.has(channel)) return;
    this.#held.set(channel, false);
    setTimeout(() => {
      // A new connection has sent all again already.
      if (!this.#held.has(channel)) return;
      this.#held.set(channel, true);
      this.#sendHeld(channel);
    }, afterMs);
  }

  #answered({ id, channel }: Waiting): void {
    this.#underWay.delete(id);
    this.#sendHeld(channel);
  }

  /** All are answered first: nobody could tell which of two sends an answer is to. */
  #sendHeld(channel: string): void {
    if (this.#held.get(channel) !== true) return;
    const all = [...this.#outbox.values()].filter((waiting) => waiting.channel === channel);
    if (all.some(({ id }) => this.#underWay.has(id))) return;
    this.#held.delete(channel);
    for (const waiting of all) this.#send(waiting);
  }

  #say(fields: Readonly<Record<string, unknown>>): string {
    const message = { id: this.#nextId(), timestamp: Date.now(), ...fields };
    if (fields["type"] === "publish") this.#underWay.add(message.id);
    if (this.#ws?.readyState === WebSocket.OPEN) this.#ws.send(`${JSON.stringify(message)}\n`);
    return message.id;
  }

  /** Never used twice within the session [MSG-2]. */
  #nextId(): string {
    this.#ids += 1;
    return `t.${this.#ids}`;
  }

  #settle(waiting: Waiting, outcome: Position | Error): void {
    const { id, channel } = waiting;
    this.#outbox.delete(id);
    waiting.done(outcome);
    if (this.#welcome === null || this.#held.has(channel)) return;
    for (const one of this.#outbox.values()) {
      if (one.channel === channel && one.firstSentAt === null) this.#send(one);
    }
  }

  #moveOn(following: Following, position: Position): void {
    following.start = position;
    this.#epochs.set(following.channel, position.epoch);
  }

  #followingOf(subscribeId: string): Following | undefined {
    return [...this.#followings.values()].find((one) => one.subscribeId === subscribeId);
  }
}
