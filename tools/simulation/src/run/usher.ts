/**
 * An usher stands at the ends of links: it notes what is asked and answered, who is sent what, and
 * how links end, and lies in wait for messages that the weather has plans for.
 */
import {
  CLOSE_CODES,
  type Decoded,
  jsonCodec,
  type ServerMessage,
  type Wire,
} from "@tailwire/protocol";
import { msgpackCodec } from "@tailwire/protocol/msgpack";
import type { Direction, Fate, Link, LinkWatch } from "../link.ts";
import type { Bearer, Stage } from "./stage.ts";

const TYPE = /"type":"([a-z]+)"/;
const ID = /"id":"([^"]+)"/;
/** What a client says that isn't answered. */
const UNANSWERED: ReadonlySet<string> = new Set(["pong", "cancel", "ping"]);

const CLOSES = new Map<number, string>(
  Object.entries(CLOSE_CODES).map(([name, { code }]) => [code, name]),
);

/** How long after its clock was set a node may still go by the old time, in milliseconds. */
const RECOVERY_MS = 60_000;

/** WebSocket messages that are kept as they were read. */
const READ_MAX = 256;

export class Usher implements LinkWatch {
  readonly #stage: Stage;
  readonly #names = new WeakMap<Link, string>();
  /** What was read last. */
  readonly #read = new Map<Wire, readonly Decoded<ServerMessage>[]>();
  #count = 0;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  tap(direction: Direction, text: string, link: Link): Fate {
    const { weather, witness } = this.#stage;
    witness.mix(`${direction} ${text.length}`);
    const { ambush } = weather;
    let fate: Fate = "arrives";
    if (ambush !== null && ambush.to === direction && text.includes(ambush.word)) {
      weather.ambush = null;
      fate = ambush.fate;
    }
    if (direction === "toServer" && fate !== "cut before") this.#asked(link, text);
    return fate;
  }

  written(link: Link, wire: Wire): void {
    const { world, witness } = this.#stage;
    const channel = this.#said(link, wire);
    const user = link.connection?.user as Bearer | undefined;
    if (channel === null || user === undefined) return;
    const at = world.clock.monotonic();
    const jumped = at - this.#stage.jumpedAt < RECOVERY_MS;
    const wall = jumped ? 0 : (world.hostOf(link)?.device.clock.now() ?? 0);
    witness.note({ type: "sent", connection: user.grant, channel, wall, at });
  }

  /** Says what is wrong with what a node has sent, notes what it is about, and shows whose it is. */
  #said(link: Link, wire: Wire): string | null {
    let shown: string | null = null;
    for (const decoded of this.#decoded(wire)) {
      if ("malformed" in decoded) this.#unreadable(link, decoded.malformed.detail);
      else if (decoded.message === null) this.#unreadable(link, "a type that nobody knows");
      else if (decoded.message.type === "publication") shown ??= decoded.message.channel;
      else {
        if (decoded.message.type === "snapshot") shown = decoded.message.channel;
        this.#heard(link, decoded.message);
      }
    }
    return shown;
  }

  /** All that a node writes is read, by the rules that it has to keep; what many are sent, once. */
  #decoded(wire: Wire): readonly Decoded<ServerMessage>[] {
    let decoded = this.#read.get(wire);
    if (decoded === undefined) {
      decoded = (typeof wire === "string" ? jsonCodec : msgpackCodec).decodeServerMessages(wire);
      if (this.#read.size >= READ_MAX) this.#read.clear();
      this.#read.set(wire, decoded);
    }
    return decoded;
  }

  #unreadable(link: Link, detail: string): void {
    const connection = this.#nameOf(link);
    this.#stage.witness.note({ type: "unreadable", connection, detail });
  }

  closed(link: Link, code: number): void {
    const close = CLOSES.get(code) ?? `${code}`;
    this.#stage.witness.see(`close: ${close}`);
    this.#stage.witness.note({ type: "verdict", connection: this.#nameOf(link), close });
  }

  gone(link: Link): void {
    this.#stage.witness.note({ type: "closed", connection: this.#nameOf(link) });
  }

  #asked(link: Link, text: string): void {
    if (link.connection?.state === "closing" || link.connection?.state === "closed") return;
    if (link.isGone) return;
    const connection = this.#nameOf(link);
    for (const [type, id] of requestsIn(text)) {
      if (!UNANSWERED.has(type)) this.#stage.witness.note({ type: "request", connection, id });
    }
    if (text.includes('"repeat"')) this.#stage.witness.see("publication sent again");
  }

  /** One message of a node, that isn't a publication. */
  #heard(link: Link, message: Exclude<ServerMessage, { type: "publication" }>): void {
    const { witness } = this.#stage;
    const connection = this.#nameOf(link);
    if ("re" in message && message.re !== undefined && message.type !== "pong" && !link.isGone) {
      witness.note({ type: "answer", connection, re: message.re });
    }
    if ("code" in message) witness.note({ type: "told", connection, code: message.code });
    for (const sight of sightsIn(message)) witness.see(sight);
  }

  #nameOf(link: Link): string {
    let name = this.#names.get(link);
    if (name === undefined) {
      this.#count += 1;
      name = `c${this.#count}`;
      this.#names.set(link, name);
    }
    return name;
  }
}

/** What is worth having seen in a message of a node. */
function sightsIn(message: ServerMessage): readonly string[] {
  switch (message.type) {
    case "error":
      return [`error: ${message.code}`];
    case "epoch":
      return ["epoch continued"];
    case "unsubscribed":
      return ["unsubscribed by the server"];
    case "ack":
      if (message.duplicate === true) return ["duplicate suppressed"];
      if (message.recovered === undefined) return [];
      return [message.recovered ? "resumed with nothing missed" : "resumed with a gap"];
    default:
      return [];
  }
}

/** Types and ids of what a client says, as text or as bytes that are shown as text. */
function requestsIn(text: string): readonly (readonly [type: string, id: string])[] {
  if (text.startsWith("{")) {
    return text.split("\n").flatMap((line) => {
      const id = ID.exec(line)?.[1];
      return id === undefined ? [] : [[TYPE.exec(line)?.[1] ?? "", id] as const];
    });
  }
  return msgpackCodec.decodeClientMessages(Buffer.from(text, "latin1")).flatMap((decoded) => {
    const message = "message" in decoded ? decoded.message : null;
    return message === null ? [] : [[message.type, message.id] as const];
  });
}
