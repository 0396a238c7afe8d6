// Bodies in Redis: they come back as they were, and one of another form is refused by name.
import { expect, test } from "vitest";
import { JsonText, type Payload } from "@tailwire/protocol";
import { decodeBody, decodePush, encodeBody } from "../src/entries.ts";

const bodyOf = (data: Payload): Buffer =>
  encodeBody({ id: "a\n", producer: null, publisher: null, event: "é", data, notAfter: 0 });

test.each<[string, Payload]>([
  ["text", JsonText.of({ text: "ä\n\u0000" })],
  ["bytes", Uint8Array.from([0, 10, 255])],
  ["no bytes", new Uint8Array()],
])("%s come back as they were, read and pushed", (_what, data) => {
  const publication = { id: "a\n", offset: 7, timestamp: 8, publisher: null, event: "é", data };
  const body = bodyOf(data);
  expect(decodeBody(body, 7, 8)).toEqual(publication);
  const head = Buffer.from(`epoch 6 8 ${body.length},${body.length}\n`);
  expect(decodePush(Buffer.concat([head, body, body]))).toEqual({
    epoch: "epoch",
    publications: [{ ...publication, offset: 6 }, publication],
  });
});

test("a form that a newer version has written is refused by name", () => {
  const newer = Buffer.from('[2,"a",null,"said",false]\n"a"');
  expect(() => decodeBody(newer, 1, 1)).toThrow(/a newer @tailwire\/redis has written.*update/);
});
