// A stranger misbehaves while another connection follows a channel: what the stranger sends is
// answered with a code, and the other goes on without a hole.
import { expect, test } from "vitest";
import { frame, type FrameOptions, offsets, OPCODES, type Peer, subscribed } from "./peer.ts";
import { type Served, serve, until, upTo } from "./support.ts";

/** Bytes as they are; text as one WebSocket message; an object as a protocol message. */
type Sent = string | Buffer | Readonly<Record<string, unknown>>;

/** The code of the error that answers it, and the close that ends the connection, if any. */
interface Answer {
  readonly code?: string;
  readonly close?: number;
}

export type Row = readonly [
  clause: string,
  what: string,
  sends: Sent,
  answer: string | number | Answer,
];

/** The fields of a message as text, for what no JSON printer prints. */
export function raw(fields: string): string {
  return `{"id":"r9","timestamp":1,${fields}}`;
}

/** Fragments of a message that doesn't end. */
export function fragments(count: number, payload: string): Buffer {
  const options = (index: number): FrameOptions => ({
    fin: false,
    opcode: index === 0 ? OPCODES.text : OPCODES.continuation,
  });
  return Buffer.concat(upTo(count).map((n) => frame(payload, options(n - 1))));
}

/** Makes a test of each row. */
export function testRows(rows: readonly Row[], open: (port: number) => Promise<Peer>): void {
  for (const [clause, what, sends, brief] of rows) {
    const answer = answerOf(brief);
    const told = [answer.code, answer.close].filter((one) => one !== undefined).join(" and ");
    test(`${clause} ${what} is answered ${told}, and harms nobody`, async () => {
      const served = await serve();
      const witness = await subscribed(served.port, "room:1");
      await expectUnharmed(served, witness, 1);
      const peer = await open(served.port);
      send(peer, sends);
      const re = requestOf(peer, sends);
      const close = answer.close === undefined ? await lives(peer) : (await peer.closed())?.code;
      expect(close).toBe(answer.close);
      const errors = peer.messages.filter(({ type }) => type === "error");
      expect(new Set(errors.map((error) => error["code"]))).toEqual(
        new Set(answer.code === undefined ? [] : [answer.code]),
      );
      expect(re === "any" ? re : errors[0]?.["re"]).toBe(re);
      await expectUnharmed(served, witness, 2);
      expect(peer.messages.every(({ type }) => type !== "publication")).toBe(true);
      peer.socket.destroy();
      await until(() => served.tailwire.connections === 1, "the stranger to have gone");
      await expectUnharmed(served, witness, 3);
    });
  }
}

/** No close, then: a ping is answered. */
async function lives(peer: Peer): Promise<undefined> {
  await peer.lives();
}

/** The request that the error has to name: none where the id itself breaks the rules. */
function requestOf(peer: Peer, sends: Sent): string | undefined {
  if (typeof sends === "string" || Buffer.isBuffer(sends)) return "any";
  return "id" in sends ? undefined : peer.lastId;
}

function answerOf(brief: string | number | Answer): Answer {
  if (typeof brief === "string") return { code: brief };
  return typeof brief === "number" ? { close: brief } : brief;
}

function send(peer: Peer, sends: Sent): void {
  if (Buffer.isBuffer(sends)) peer.socket.write(sends);
  else if (typeof sends === "string") peer.socket.write(frame(sends));
  else peer.say(sends);
}

/** The server goes on serving others, and nothing of the stranger's has come into the log. */
export async function expectUnharmed(served: Served, witness: Peer, count: number): Promise<void> {
  await served.tailwire.channel("room:{id}", { id: "1" }).publish("message", count);
  await until(() => offsets(witness).length === count, "the witness's next publication");
  expect(offsets(witness)).toEqual(upTo(count));
  expect(served.broker.appended.map(({ data }) => Number(data))).toEqual(upTo(count));
  expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
  expect(served.log.errors).toEqual([]);
}
