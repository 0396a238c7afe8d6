// A server that was closed begins nothing anew, and says so.
import { createServer } from "node:http";
import { expect, test } from "vitest";
import { createTailwire, type TailwireServer } from "../src/index.ts";

const make = (): TailwireServer =>
  createTailwire({ anonymous: true, channels: { "room:{id}": {} } });

const closed: unknown = expect.objectContaining({ code: "closed", fault: "client", retry: false });

const begins: Readonly<Record<string, (tailwire: TailwireServer) => unknown>> = {
  attach: (tailwire) => tailwire.attach(createServer()),
  ticket: (tailwire) => tailwire.ticket({ user: { id: "ada" } }),
  "user().subscribe": (tailwire) => tailwire.user("ada").subscribe("room:{id}", { id: "1" }),
  "user().trace": (tailwire) => tailwire.user("ada").trace(() => undefined),
};

for (const [name, begin] of Object.entries(begins)) {
  test(`${name} is refused with closed, from the call of close() on`, async () => {
    const tailwire = make();
    const closing = tailwire.close();
    expect(() => begin(tailwire)).toThrow(closed);
    await closing;
    expect(() => begin(tailwire)).toThrow(closed);
  });
}

test("publish is refused with closed, on a channel from before as on one from after", async () => {
  const tailwire = make();
  const before = tailwire.channel("room:{id}", { id: "1" });
  await before.publish("said", 1);
  const closing = tailwire.close();
  await expect(before.publish("said", 2)).rejects.toEqual(closed);
  await closing;
  await expect(before.publish("said", 3)).rejects.toEqual(closed);
  const after = tailwire.channel("room:{id}", { id: "2" });
  await expect(after.publish("said", 4)).rejects.toEqual(closed);
});

test("the words say that it is the server, and not a client, that was closed", async () => {
  const tailwire = make();
  await tailwire.close();
  expect(() => tailwire.attach(createServer())).toThrow("server was closed");
});

test("what only ends something, or looks, goes on working and does nothing", async () => {
  const tailwire = make();
  const stop = tailwire.user("ada").trace(() => undefined);
  await tailwire.close();
  stop();
  tailwire.user("ada").disconnect();
  tailwire.user("ada").unsubscribe("room:{id}", { id: "1" });
  expect(tailwire.connections).toBe(0);
  expect(tailwire.stats()).toMatchObject({ connections: 0, channels: 0, subscriptions: 0 });
});

test("close() gives the same promise each time, and disposing waits for it", async () => {
  const tailwire = make();
  expect(tailwire.close()).toBe(tailwire.close());
  await tailwire[Symbol.asyncDispose]();
  expect(tailwire.close()).toBe(tailwire.close());
});

test("user() and trace() refuse what could never match", async () => {
  const tailwire = make();
  for (const id of [7, undefined, null, { id: "ada" }]) {
    expect(() => tailwire.user(id as unknown as string)).toThrow(TypeError);
  }
  const tracer = "console.log" as unknown as () => void;
  expect(() => tailwire.user("ada").trace(tracer)).toThrow(TypeError);
  await tailwire.close();
});
