/**
 * A stranger: a client of somebody else's making, that says what may not be said. Nodes owe it an answer
 * that can be read, and the others mustn't notice. Nothing that it publishes is right, so that no log has
 * anything of it.
 */
import { BEARER_PREFIX, jsonCodec, type Encoded } from "@tailwire/protocol";
import { msgpackCodec } from "@tailwire/protocol/msgpack";
import { Device } from "../device.ts";
import type { Dice } from "../dice.ts";
import type { Link } from "../link.ts";
import type { World } from "../world.ts";

/** The name of its device, by which it is known not to be a client of ours. */
export const STRANGER = "stranger";

const CHANNEL = "room:1";
const POSITION = { epoch: "e", offset: 1, id: null };
const DEEP = 80;
const MANY = 1_100;

/** Messages without their id and time, most of them wrong in one place. */
const SAID: readonly object[] = [
  { type: "nope" },
  { type: "hello" },
  { type: "hello", session: "short", generation: 1, client: { name: "x", version: "1" } },
  { type: "hello", session: "s".repeat(22), generation: 0, client: "x" },
  { type: "authenticate", token: "" },
  { type: "authenticate", token: 1 },
  { type: "subscribe" },
  { type: "subscribe", channel: "no such:name!", start: "latest" },
  { type: "subscribe", channel: CHANNEL, start: "sometime" },
  { type: "subscribe", channel: CHANNEL, start: { rewind: {} } },
  { type: "subscribe", channel: CHANNEL, start: { rewind: { count: -1 } } },
  { type: "subscribe", channel: CHANNEL, start: { rewind: { ageMs: "1" } } },
  { type: "subscribe", channel: CHANNEL, start: { ...POSITION, offset: -1 } },
  { type: "subscribe", channel: CHANNEL, start: "latest" },
  { type: "unsubscribe", channel: "room:2" },
  { type: "publish", channel: CHANNEL, event: "message" },
  { type: "publish", channel: CHANNEL, event: "", data: 1 },
  { type: "publish", channel: CHANNEL, event: "message", data: 1, bytes: "AA==" },
  { type: "publish", channel: CHANNEL, event: "message", bytes: "?" },
  { type: "publish", channel: CHANNEL, event: "message", data: { a: 1 }, sequence: 0 },
  { type: "publish", channel: CHANNEL, event: "message", data: [], repeat: { ageMs: -1 } },
  { type: "publish", channel: "nowhere:1", event: "message", data: null },
  { type: "read", channel: CHANNEL, count: 0 },
  { type: "read", channel: CHANNEL, count: 5, after: { epoch: 1 } },
  { type: "read", channel: CHANNEL, count: 5, before: POSITION },
  { type: "request", name: "echo" },
  { type: "cancel", re: "nothing" },
  { type: "cancel", re: 1 },
  { type: "pong", re: "unasked" },
  { type: "ping", extra: true },
];

/** Text and bytes that are no message at all. */
const TEXTS: readonly string[] = [
  "",
  "{",
  "[]",
  "null",
  '"text"',
  '{"type":"ping","id":"x","timestamp":1e999}',
  '{"__proto__":{},"type":"ping","id":"x","timestamp":1}',
  `{"type":"request","id":"d","timestamp":1,"name":"echo","data":${"[".repeat(DEEP)}${"]".repeat(DEEP)}}`,
  '{"type":"ping","id":"p","timestamp":1}\n'.repeat(MANY),
];

const BYTES: readonly (readonly number[])[] = [
  [],
  [0xc1],
  [0x81],
  [0x81, 0xa4, 0x74, 0x79, 0x70, 0x65],
  [0x90],
  [0xdf, 0xff, 0xff, 0xff, 0xff],
  [0x81, 0xa4, 0x74, 0x79, 0x70, 0x65, 0xd4, 0x01, 0x00],
  Array.from({ length: DEEP }, () => 0x91),
];

/** How often it says something, in milliseconds. */
const SAY_EVERY_MS = 300;

export class Stranger {
  readonly #world: World;
  readonly #dice: Dice;
  readonly #codec: typeof jsonCodec | typeof msgpackCodec;
  readonly #link: Link;
  #count = 0;

  constructor(world: World, dice: Dice) {
    this.#world = world;
    this.#dice = dice;
    this.#codec = dice.below(3) === 0 ? msgpackCodec : jsonCodec;
    const device = new Device(world.clock, STRANGER);
    const offers = [this.#codec.subprotocol, `${BEARER_PREFIX}bob~${STRANGER}`];
    this.#link = world.dial(device, offers, {
      opened: () => this.#begin(),
      received: () => undefined,
      closed: () => undefined,
    });
  }

  /** It goes, without a word. */
  leave(): void {
    this.#link.cut();
  }

  /** Most say hello, and are heard then. */
  #begin(): void {
    if (this.#dice.below(4) > 0) {
      const client = { name: STRANGER, version: "1" };
      this.#say({ type: "hello", session: this.#dice.token(), generation: 1, client });
    }
    this.#goOn();
  }

  #goOn(): void {
    if (this.#link.isOver) return;
    this.#link.send(this.#next());
    this.#world.clock.after(this.#dice.below(SAY_EVERY_MS), () => this.#goOn());
  }

  #next(): Encoded {
    if (this.#dice.below(4) > 0) return this.#encoded(this.#one(SAID));
    if (this.#codec === jsonCodec) return this.#one(TEXTS);
    return Uint8Array.from(this.#one(BYTES));
  }

  #say(message: object): void {
    this.#link.send(this.#encoded(message));
  }

  /** The codec encodes whatever it is given; only `data` has to be in its form. */
  #encoded(message: object): Encoded {
    this.#count += 1;
    const whole = { ...message, id: `s${this.#count}`, timestamp: this.#world.clock.now() };
    if (this.#codec === jsonCodec) return `${JSON.stringify(whole)}\n`;
    const { data, ...rest } = whole as { data?: unknown };
    const text = data === undefined ? {} : { data: { text: JSON.stringify(data) } };
    return this.#codec.encode({ ...rest, ...text } as unknown as Parameters<
      typeof msgpackCodec.encode
    >[0]);
  }

  #one<Item>(items: readonly Item[]): Item {
    return items[this.#dice.below(items.length)] as Item;
  }
}
