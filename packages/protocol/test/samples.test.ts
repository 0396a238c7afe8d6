/** Messages as a client is handed them: nothing that it would stumble over, and all that it can act on. */
import { jsonClientCodec } from "@tailwire/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { encode, messageOf, type Table, TABLES } from "./arbitraries.ts";

const read = (message: object): readonly unknown[] =>
  jsonClientCodec.readServerMessages(`${JSON.stringify(message)}\n`);

const position = { epoch: "e", offset: 1, id: null };

/** A message of each type, with nothing that it could do without. */
const LEAST: Readonly<Record<string, Table>> = {
  welcome: {
    client: "c",
    heartbeat: { intervalMs: 1, timeoutMs: 1 },
    limits: { messageBytesMax: 1, dedupeMs: 1, appendMs: 1, window: 1 },
  },
  ack: { re: "k" },
  error: { code: "internal", description: "x" },
  publication: { channel: "a", offset: 1, event: "e" },
  snapshot: { channel: "a", position },
  epoch: { channel: "a", position },
  gap: { channel: "a", from: position, to: position, continuesAfter: position },
  caughtup: { channel: "a", position },
  subscribed: { channel: "a", position },
  unsubscribed: { channel: "a", code: "forbidden" },
  ping: {},
  pong: {},
};

test("[VER-3] every message that a server may send is read, as the whole codec reads it", () => {
  for (const type of Object.keys(TABLES.server)) {
    fc.assert(
      fc.property(messageOf("server", type), (message) => {
        expect(jsonClientCodec.readServerMessages(encode(message))).toEqual([message]);
      }),
      { numRuns: 30 },
    );
  }
  expect(Object.keys(LEAST).toSorted()).toEqual(Object.keys(TABLES.server).toSorted());
});

test("a message without a field that a client can't do without, or with another type, is left out", () => {
  for (const [type, fields] of Object.entries(LEAST)) {
    const message = { type, id: "s1", timestamp: 1, ...fields };
    expect(read(message)).toHaveLength(1);
    for (const field of ["id", "type", ...Object.keys(fields)]) {
      const { [field]: _, ...without } = message as Table;
      for (const wrong of [undefined, null, true, 5.5, "x", {}, []]) {
        if (typeof wrong === typeof (message as Table)[field] && typeof wrong !== "object")
          continue;
        expect([field, wrong, read({ ...without, [field]: wrong })]).toEqual([field, wrong, []]);
      }
    }
  }
});

test("[VER-3] what no client knows is left out, and what is beside it is read", () => {
  const ping = '{"type":"ping","id":"s1","timestamp":1}';
  for (const line of ["", "null", "5", '"x"', "[]", "{}", "{", '{"type":"unheard","id":"s1"}']) {
    expect(jsonClientCodec.readServerMessages(`${line}\n${ping}\n`)).toHaveLength(1);
  }
});
