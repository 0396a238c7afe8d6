// @vitest-environment happy-dom
// A channel's own publications: shown at once, once, and with what became of them.
import { expect, test } from "vitest";
import { type ChannelOptions, type ChannelView, type ShownRefused } from "../src/index.ts";
import { hooks, Stage } from "./stage.tsx";

/** The room's views, render by render. */
let renders: ChannelView[] = [];

function Room(options: ChannelOptions) {
  const view = hooks.useChannel("room:{id}", { id: "1" }, options);
  renders.push(view);
  return <p>{view.publications.map(({ data, state }) => `${String(data)} ${state}`).join(", ")}</p>;
}

function shown(): ChannelView {
  return renders.at(-1) as ChannelView;
}

function refused(): ShownRefused {
  const one = shown().publications.find(({ state }) => state === "refused");
  if (one?.state !== "refused") throw new Error("none is refused");
  return one;
}

async function stage(
  options: ConstructorParameters<typeof Stage>[0] = {},
  room: ChannelOptions = {},
): Promise<Stage> {
  renders = [];
  const it = new Stage(options);
  await it.show(<Room {...room} />);
  await it.advance(1_000);
  return it;
}

test("a publication is shown at once, and is the same when the log brings it", async () => {
  const it = await stage();
  let position: unknown;
  const note = (published: { position: unknown }): void => void (position = published.position);
  await it.at(() => shown().publish("said", 1).then(note));
  expect(shown().publications).toMatchObject([{ state: "sending", event: "said", data: 1 }]);
  await it.advance(1_000);
  expect(shown().publications).toMatchObject([
    { state: "published", position, publisher: it.client.id },
  ]);
  const lists = renders.map(({ publications }) => publications).filter(({ length }) => length > 0);
  expect(new Set(lists.map((list) => list[0]?.key)).size).toBe(1);
  expect(lists.every((list) => list.length === 1)).toBe(true);
});

test("publications wait at the end of the list, and others' go before them", async () => {
  const it = await stage();
  it.world.unreachable = true;
  it.world.link.cut();
  await it.after(() => {
    void shown().publish("said", 2);
    void shown().publish("said", 3);
  });
  expect(it.text).toBe("2 sending, 3 sending");
  await it.says("room:1", 1);
  it.world.unreachable = false;
  await it.advance(60_000);
  expect(it.text).toBe("1 published, 2 published, 3 published");
  const keys = shown().publications.map(({ key }) => key);
  expect(new Set(keys).size).toBe(3);
});

test("a refused one says why, unasked, and is removed", async () => {
  const it = await stage({ application: { authorize: ({ action }) => action !== "publish" } });
  await it.after(() => void shown().publish("said", 1));
  expect(it.text).toBe("1 refused");
  expect(refused().error.code).toBe("forbidden");
  await it.after(() => refused().remove());
  expect(it.text).toBe("");
});

test("a refused one is tried again, with its options", async () => {
  const it = await stage();
  it.world.unreachable = true;
  it.world.link.cut();
  await it.after(() => void shown().publish("said", 1, { ttlMs: 500 }));
  expect(refused().error.code).toBe("ttl_expired");
  const { key } = refused();
  await it.after(() => refused().retry());
  expect(it.text).toBe("1 refused");
  expect(refused().key).not.toBe(key);
  it.world.unreachable = false;
  await it.advance(60_000);
  await it.after(() => refused().retry());
  expect(it.text).toBe("1 published");
});

test("one that is taken back leaves the list", async () => {
  const it = await stage();
  it.world.unreachable = true;
  it.world.link.cut();
  const taken = new AbortController();
  await it.after(() => void shown().publish("said", 1, { signal: taken.signal }));
  expect(it.text).toBe("1 sending");
  await it.after(() => taken.abort());
  expect(it.text).toBe("");
});

test("refused ones fill no list beyond its limit", async () => {
  const authorize = ({ action }: { action: string }): boolean => action !== "publish";
  const it = await stage({ application: { authorize } }, { limit: 2 });
  for (const number of [1, 2, 3, 4]) await it.after(() => void shown().publish("said", number));
  expect(it.text).toBe("3 refused, 4 refused");
});

test("one that the log had before the subscription began stands before what comes", async () => {
  // The subscription is judged late, and begins at the end of the log.
  const it = new Stage({
    application: {
      authorize: ({ action }) =>
        action !== "subscribe" ||
        new Promise((resolve) => void it.world.clock.after(200, () => resolve(true))),
    },
  });
  renders = [];
  await it.show(<Room />);
  await it.after(() => void shown().publish("said", 1));
  expect(it.text).toBe("1 published");
  await it.says("room:1", 2);
  expect(it.text).toBe("1 published, 2 published");
  await it.after(() => shown().older());
  expect(it.text).toBe("1 published, 2 published");
});

test("one whose place lies in a gap is counted there, and isn't left behind", async () => {
  const it = await stage({ channels: { "room:{id}": { retention: { count: 2 } } } });
  // The log takes it, the link breaks before it comes back, and the log moves past it.
  it.world.tap = (_direction, text) =>
    text.includes('"type":"publication"') ? "cut before" : "arrives";
  await it.after(() => void shown().publish("said", 1));
  it.world.unreachable = true;
  it.world.tap = () => "arrives";
  it.world.link.cut();
  await it.says("room:1", 2, 3, 4);
  it.world.unreachable = false;
  await it.advance(60_000);
  expect(it.text).toBe("3 published, 4 published");
  expect(shown().gaps).toMatchObject([{ lost: 2 }]);
});

test("where nothing is followed a publication goes out, and isn't shown", async () => {
  const it = await stage({}, { enabled: false });
  let offset = 0;
  await it.after(() =>
    shown()
      .publish("said", 1)
      .then(({ position }) => (offset = position.offset)),
  );
  expect([it.text, offset]).toEqual(["", 1]);
});
