// A node on a simulated clock, and sockets that a test holds in its hands.
import { type ClientMessage, jsonCodec, JsonText, type ServerMessage } from "@tailwire/protocol";
import type { Broker, Publication } from "@tailwire/server/broker-contract";
import {
  type Application,
  type Authenticated,
  type ChannelOptions,
  ChannelRules,
  type Connection,
  DEFAULT_LIMITS,
  type Limits,
  MemoryBroker,
  type Ports,
  TailwireNode,
  type Transport,
} from "@tailwire/server/core";
import { Dice, openApplication, SimulatedClock } from "@tailwire/simulation";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Ports on a simulated clock. A frame is a copy of its payload, as real framing makes one. */
export function simulatedPorts(): Ports & { readonly clock: SimulatedClock } {
  return {
    clock: new SimulatedClock(),
    random: new Dice(1),
    digest: (text) => `id-${text.replaceAll(/[^A-Za-z0-9_-]/g, "_")}`,
    encodeInto: (text, target) => encoder.encodeInto(text, target),
    abort: () => new AbortController(),
    frame: (payload) => payload.slice(),
  };
}

export function publicationAt(offset: number, changes: Partial<Publication> = {}): Publication {
  const id = `p${offset}`;
  const rest = { timestamp: 1, publisher: "ada", event: "said", data: JsonText.of(offset) };
  return { id, offset, ...rest, ...changes };
}

/** A socket that notes what is done to it. Its writes complete when the test says so. */
class FakeSocket implements Transport {
  /** WebSocket messages that were written, oldest first. */
  readonly written: string[] = [];
  /** How many messages each write carried. */
  readonly writes: number[] = [];
  /** The other calls, in order: `pause`, `resume`, `close 4400 bad_message`, `destroy`. */
  readonly calls: string[] = [];
  /** Breaches of the port's rules. */
  readonly violations: string[] = [];
  /** Whether a write completes at once. */
  completes = true;
  /** Tells the connection, as a driver does. */
  onDestroyed: () => void = () => undefined;
  #incomplete = false;
  #closed = false;

  write(frames: readonly Uint8Array[]): boolean {
    if (this.#incomplete) this.violations.push("a write while another is incomplete");
    if (this.#closed) this.violations.push("a write after close");
    if (frames.length === 0) this.violations.push("an empty write");
    this.written.push(...frames.map((frame) => decoder.decode(frame)));
    this.writes.push(frames.length);
    this.#incomplete = !this.completes;
    return this.completes;
  }

  /** The write in progress has left. The test tells the connection. */
  complete(): void {
    this.#incomplete = false;
  }

  pause(): void {
    this.calls.push("pause");
  }

  resume(): void {
    this.calls.push("resume");
  }

  close(code: number, reason: string): void {
    if (this.#closed) this.violations.push("a second close");
    this.#closed = true;
    this.calls.push(`close ${code} ${reason}`);
  }

  destroy(): void {
    this.calls.push("destroy");
    this.onDestroyed();
  }
}

export interface TestNodeOptions {
  readonly limits?: Partial<Limits>;
  readonly channels?: Readonly<Record<string, ChannelOptions>>;
  /** The application's decisions and answers; nothing special where left out. */
  readonly application?: Partial<Application>;
  readonly wrapBroker?: (broker: Broker) => Broker;
}

/** The fields that a peer fills in where they are left out. */
type Given = "id" | "timestamp" | "sequence" | "settled";

/** A client's message as tests write it. */
export type Said = ClientMessage extends infer Message
  ? Message extends ClientMessage
    ? Omit<Message, Given> & Partial<Pick<Message, Given & keyof Message>>
    : never
  : never;

export class TestNode {
  readonly clock: SimulatedClock;
  readonly limits: Limits;
  readonly node: TailwireNode;

  /** Errors that the server logged. */
  readonly errors: object[] = [];
  /** Messages for information that it logged. */
  readonly infos: string[] = [];

  constructor({
    limits,
    channels = { "room:{id}": {} },
    application,
    wrapBroker = (broker) => broker,
  }: TestNodeOptions = {}) {
    const ports = simulatedPorts();
    this.clock = ports.clock;
    this.limits = { ...DEFAULT_LIMITS, ...limits };
    const ignore = (): void => undefined;
    this.node = new TailwireNode({
      ports,
      limits: this.limits,
      broker: wrapBroker(new MemoryBroker({ ...ports, ...this.limits })),
      application: openApplication(application),
      rules: new ChannelRules(channels),
      logger: {
        debug: ignore,
        info: (_fields, message) => this.infos.push(message),
        warn: ignore,
        error: (fields) => this.errors.push(fields),
      },
    });
  }

  peer(user: string | Authenticated = "ada"): Peer {
    return new Peer(this, typeof user === "string" ? { user: { id: user } } : user);
  }

  /** A peer whose connection is open, with nothing noted yet. */
  async openPeer(user: string | Authenticated = "ada"): Promise<Peer> {
    const peer = this.peer(user);
    await peer.say(hello());
    peer.forget();
    return peer;
  }
}

let lastSequence = 0;

/** The numbers of one more publication, with all before it settled: whoever sends it, and where to. */
function nextInSequence(): { readonly sequence: number; readonly settled: number } {
  const settled = lastSequence;
  lastSequence += 1;
  return { sequence: lastSequence, settled };
}

/** A client without logic: what it says and hears is the test's business. */
export class Peer {
  readonly socket = new FakeSocket();
  readonly connection: Connection;
  readonly #testNode: TestNode;
  #count = 0;

  constructor(testNode: TestNode, authenticated: Authenticated) {
    this.#testNode = testNode;
    this.connection = testNode.node.connect(this.socket, authenticated);
    this.socket.onDestroyed = () => this.connection.gone();
  }

  /** One WebSocket message with these messages, as text. */
  text(...messages: readonly Said[]): string {
    return messages
      .map((message) => {
        this.#count += 1;
        const counted = message.type === "publish" ? nextInSequence() : {};
        return `${JSON.stringify({ id: `r${this.#count}`, timestamp: 1, ...counted, ...message })}\n`;
      })
      .join("");
  }

  /** Says something in one WebSocket message, and lets everything settle. */
  async say(...messages: readonly Said[]): Promise<void> {
    await this.sayText(this.text(...messages));
  }

  async sayText(text: string): Promise<void> {
    this.connection.input.receive(text);
    await this.#testNode.clock.settle();
  }

  /** The write in progress has left, and everything settles. */
  async drain(): Promise<void> {
    this.socket.complete();
    this.connection.drained();
    await this.#testNode.clock.settle();
  }

  /** Every message that was written since {@link forget}. */
  get heard(): readonly ServerMessage[] {
    return this.socket.written.flatMap((wire) =>
      jsonCodec.decodeServerMessages(wire).flatMap((decoded) => {
        if ("malformed" in decoded) throw new Error(`the server wrote ${wire}`);
        return decoded.message ?? [];
      }),
    );
  }

  /** The messages that were heard, in short: `ack r2`, `error r2 forbidden`, `publication 3`. */
  get heardInShort(): readonly string[] {
    return this.heard.map((message) => {
      const re = "re" in message ? ` ${message.re}` : "";
      if (message.type === "error") return `error${re} ${message.code}`;
      return message.type === "publication" ? `publication ${message.offset}` : message.type + re;
    });
  }

  /** Forgets what was heard and done so far, and numbers requests from r1 again. */
  forget(): void {
    this.socket.written.length = 0;
    this.socket.writes.length = 0;
    this.socket.calls.length = 0;
    this.#count = 0;
  }
}

export const hello = (
  changes: { session?: string; generation?: number; overlap?: boolean } = {},
): Said => ({
  type: "hello",
  session: "session-of-ada-0001",
  generation: 1,
  client: { name: "test", version: "1" },
  ...changes,
});

export const subscribe = (channel = "room:1"): Said => ({
  type: "subscribe",
  channel,
  start: "earliest",
});

export const publish = (data: unknown, channel = "room:1"): Said => ({
  type: "publish",
  channel,
  event: "said",
  data,
});
