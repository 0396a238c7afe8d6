/**
 * An usher stands at the ends of links: it notes what is asked and answered, who is sent what, and
 * how links end, and lies in wait for messages that the weather has plans for.
 */
import { CLOSE_CODES, type ErrorMessage, type Wire } from "@tailwire/protocol";
import { msgpackCodec } from "@tailwire/protocol/msgpack";
import type { Direction, Fate, Link, LinkWatch } from "../link.ts";
import type { Bearer, Stage } from "./stage.ts";

const TYPE = /"type":"([a-z]+)"/;
const ID = /"id":"([^"]+)"/;
/** What a client says that isn't answered. */
const UNANSWERED: ReadonlySet<string> = new Set(["pong", "cancel", "ping"]);
const RE = /"re":"([^"]+)"/;
const CODE = /"code":"([a-z_]+)"/;
const CHANNEL = /(?:room|tiny|state|begun|secret):\d/;

const CLOSES = new Map<number, string>(
  Object.entries(CLOSE_CODES).map(([name, { code }]) => [code, name]),
);

/** How long after its clock was set a node may still go by the old time, in milliseconds. */
const RECOVERY_MS = 60_000;

export class Usher implements LinkWatch {
  readonly #stage: Stage;
  readonly #names = new WeakMap<Link, string>();
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
    const channel = typeof wire === "string" ? this.#said(link, wire) : this.#packed(link, wire);
    const user = link.connection?.user as Bearer | undefined;
    if (channel === null || user === undefined) return;
    const at = world.clock.monotonic();
    const jumped = at - this.#stage.jumpedAt < RECOVERY_MS;
    const wall = jumped ? 0 : (world.hostOf(link)?.device.clock.now() ?? 0);
    witness.note({ type: "sent", connection: user.grant, channel, wall, at });
  }

  /** Text: its lines are looked at as they are, which is faster than to parse them. */
  #said(link: Link, text: string): string | null {
    if (text.startsWith('{"type":"publication"')) return CHANNEL.exec(text)?.[0] ?? null;
    let shown: string | null = null;
    for (const line of text.split("\n")) {
      const type = TYPE.exec(line)?.[1] ?? "";
      if (type === "snapshot") shown = CHANNEL.exec(line)?.[0] ?? null;
      const re = RE.exec(line)?.[1];
      const code = CODE.exec(line)?.[1];
      if (type !== "") this.#heard(link, type, { re, code, line });
    }
    return shown;
  }

  /** MessagePack: what isn't a run of publications is few, and is decoded. */
  #packed(link: Link, bytes: Uint8Array): string | null {
    const head = latin1.decode(bytes.subarray(0, 400));
    if (head.slice(0, 24).includes("publication")) return CHANNEL.exec(head)?.[0] ?? null;
    let shown: string | null = null;
    for (const message of msgpackCodec.readServerMessages(bytes)) {
      if (message.type === "snapshot") shown = message.channel;
      const { re, code } = message as Partial<ErrorMessage>;
      const line = JSON.stringify({ ...message, data: null, publications: null });
      this.#heard(link, message.type, { re, code, line });
    }
    return shown;
  }

  closed(_link: Link, code: number): void {
    this.#stage.witness.see(`close: ${CLOSES.get(code) ?? code}`);
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
  #heard(link: Link, type: string, { re, code, line }: Heard): void {
    const { witness } = this.#stage;
    if (re !== undefined && type !== "pong" && !link.isGone) {
      witness.note({ type: "answer", connection: this.#nameOf(link), re });
    }
    if (type === "error") witness.see(`error: ${code}`);
    if (type === "epoch") witness.see("epoch continued");
    if (type === "unsubscribed") witness.see("unsubscribed by the server");
    if (line.includes('"duplicate":true')) witness.see("duplicate suppressed");
    if (line.includes('"recovered":true')) witness.see("resumed with nothing missed");
    if (line.includes('"recovered":false')) witness.see("resumed with a gap");
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

/** What is looked at in a message. */
interface Heard {
  readonly re: string | undefined;
  readonly code: string | undefined;
  readonly line: string;
}

const latin1 = new TextDecoder("latin1");

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
