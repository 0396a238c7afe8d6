// A channel in the hands of the application on the server: it reads pages as clients do.
import { expect, onTestFinished, test } from "vitest";
import { createTailwire } from "../src/index.ts";

async function channelWith(count: number) {
  const tailwire = createTailwire({ anonymous: true, channels: { "room:{id}": {} } });
  onTestFinished(() => tailwire.close());
  const channel = tailwire.channel("room:{id}", { id: "1" });
  for (let n = 1; n <= count; n += 1) await channel.publish("said", n);
  return { tailwire, channel };
}

test("[READ-1] the newest page, the one before and the one after are pieces of the log", async () => {
  const { channel } = await channelWith(5);
  const newest = await channel.read({ limit: 2 });
  expect(newest).toMatchObject({
    publications: [
      { event: "said", data: 4, publisher: null },
      { event: "said", data: 5 },
    ],
    more: true,
    gap: null,
  });
  const [first] = newest.publications;
  const before = await channel.read({ before: first?.position });
  expect(before.publications.map(({ data }) => data)).toEqual([1, 2, 3]);
  expect(before.more).toBe(false);
  const after = await channel.read({ after: before.publications[0]?.position, limit: 3 });
  expect(after.publications.map(({ data }) => data)).toEqual([2, 3, 4]);
  expect(after.more).toBe(true);
});

test("bytes are read as bytes", async () => {
  const { channel } = await channelWith(0);
  await channel.publish("said", Uint8Array.of(1, 2));
  const { publications } = await channel.read();
  expect(publications[0]?.data).toEqual(Uint8Array.of(1, 2));
});

test("[READ-3] a position that the log doesn't have gives its gap", async () => {
  const { channel } = await channelWith(2);
  const page = await channel.read({ after: { epoch: "gone", offset: 1, id: "x" } });
  expect(page.gap).toMatchObject({ reason: "epoch" });
});

test.each([
  [{ limit: 0 }, "bad_message"],
  [{ limit: 1_001 }, "bad_message"],
  [{ after: { epoch: "e", offset: -1, id: null } }, "bad_position"],
  [{ before: "yesterday" }, "bad_position"],
  [{ after: null }, "bad_position"],
  [{ before: 0 }, "bad_position"],
  [{ after: "" }, "bad_position"],
  [{ limit: null }, "bad_message"],
])("options such as %j are refused", async (options, code) => {
  const { channel } = await channelWith(1);
  await expect(channel.read(options as never)).rejects.toMatchObject({ code });
});

test("nothing is read from a server that was closed", async () => {
  const { tailwire, channel } = await channelWith(1);
  const closing = tailwire.close();
  await expect(channel.read()).rejects.toMatchObject({ code: "closed" });
  await closing;
});
