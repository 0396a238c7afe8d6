// @vitest-environment happy-dom
// A channel in components: what they show, what they share, and when they render.
import { describe, expect, test } from "vitest";
import {
  BrokerLine,
  type Device,
  Dice,
  NO_WITNESS,
  SharedBroker,
  SimulatedClock,
} from "@tailwire/simulation";
import type { ChannelOptions, ChannelView } from "../src/index.ts";
import { hooks, Stage } from "./stage.tsx";

const { useChannel } = hooks;

/** A room's views, render by render. */
const renders = new Map<string, ChannelView[]>();

function Room({
  id = "1",
  name = "room",
  ...options
}: { id?: string; name?: string } & ChannelOptions) {
  const view = useChannel("room:{id}", { id }, options);
  renders.set(name, [...(renders.get(name) ?? []), view]);
  return <p>{view.publications.map(({ data }) => String(data)).join(" ")}</p>;
}

function shown(name = "room"): ChannelView {
  const view = renders.get(name)?.at(-1);
  if (!view) throw new Error(`${name} was never rendered`);
  return view;
}

function stage(...args: ConstructorParameters<typeof Stage>): Stage {
  renders.clear();
  return new Stage(...args);
}

describe("a channel", () => {
  test("shows what the log has and then what comes, each once and in order", async () => {
    const it = stage();
    await it.says("room:1", 1, 2, 3);
    await it.show(<Room start="earliest" />);
    expect(shown().caughtUp).toBe(false);
    await it.advance(1_000);
    expect(it.text).toBe("1 2 3");
    expect(shown().caughtUp).toBe(true);
    await it.says("room:1", 4);
    expect(it.text).toBe("1 2 3 4");
  });

  test("goes on after a lost connection, with everything once", async () => {
    const it = stage();
    await it.show(<Room start="earliest" />);
    await it.says("room:1", 1, 2);
    it.world.link.cut();
    await it.says("room:1", 3);
    await it.advance(60_000);
    expect(it.text).toBe("1 2 3");
  });

  test("doesn't render for the connection's status", async () => {
    const it = stage();
    await it.show(<Room start="earliest" />);
    await it.advance(1_000);
    await it.says("room:1", 1, 2);
    const after = renders.get("room")?.length ?? 0;
    it.world.link.cut();
    await it.advance(60_000);
    expect(it.client.status.state).toBe("connected");
    // The new connection catches up, which is shown already.
    expect(renders.get("room")?.length).toBe(after);
  });

  test("renders a backlog in one go", async () => {
    const it = stage();
    await it.says("room:1", ...Array.from({ length: 200 }, (_, number) => number));
    await it.show(<Room start="earliest" />);
    const before = renders.get("room")?.length ?? 0;
    await it.advance(1_000);
    expect(shown().publications).toHaveLength(200);
    // With the list, and with its having caught up.
    expect((renders.get("room")?.length ?? 0) - before).toBeLessThanOrEqual(2);
  });

  test("keeps the newest up to its limit, the same objects from render to render", async () => {
    const it = stage();
    await it.show(<Room start="earliest" limit={3} />);
    await it.says("room:1", 1, 2, 3, 4, 5);
    expect(it.text).toBe("3 4 5");
    const [, , newest] = shown().publications;
    await it.says("room:1", 6);
    expect(it.text).toBe("4 5 6");
    expect(shown().publications[1]).toBe(newest);
  });

  test("refuses a limit that is none", async () => {
    const it = stage();
    await expect(it.show(<Room limit={0} />)).rejects.toThrow(RangeError);
  });

  test("shows a gap, and goes on after it", async () => {
    const it = stage({ channels: { "room:{id}": { retention: { count: 2 } } } });
    await it.says("room:1", 1);
    await it.show(<Room start="earliest" />);
    await it.advance(1_000);
    it.world.unreachable = true;
    it.world.link.cut();
    await it.says("room:1", 2, 3, 4, 5);
    it.world.unreachable = false;
    await it.advance(60_000);
    expect(it.text).toBe("1 4 5");
    expect(shown().gaps).toMatchObject([{ reason: "trimmed", lost: 2 }]);
    expect(shown().caughtUp).toBe(true);
  });

  test("lets go of what the log has withdrawn, and keeps what an older log had", async () => {
    const clock = new SimulatedClock();
    const keeping = { dedupeMs: 120_000, window: 256, producersMax: 100 };
    const random = new Dice(1);
    const shared = new SharedBroker({ ...keeping, clock, random, witness: NO_WITNESS });
    const brokerOf = (device: Device): BrokerLine => new BrokerLine(shared, clock, device.clock);
    const it = stage({ clock, brokerOf });
    await it.show(<Room start="earliest" />);
    await it.says("room:1", 1, 2, 3);
    it.world.unreachable = true;
    it.world.link.cut();
    shared.logs[0]?.lose(2);
    await it.says("room:1", 4);
    it.world.unreachable = false;
    await it.advance(60_000);
    expect(shown().gaps).toMatchObject([{ reason: "diverged" }]);
    expect(it.text).toBe("1 4");

    const other = stage();
    await other.show(<Room start="earliest" />);
    await other.says("room:1", 1, 2, 3);
    other.world.crash();
    await other.says("room:1", 4);
    await other.advance(60_000);
    expect(shown().gaps).toMatchObject([{ reason: "epoch" }]);
    expect(other.text).toBe("1 2 3 4");
  });

  test("says why it was refused, and that it has ended", async () => {
    const it = stage({ application: { authorize: ({ action }) => action !== "subscribe" } });
    await it.show(<Room />);
    expect(shown()).toMatchObject({ ended: false, error: null });
    await it.advance(1_000);
    expect(shown()).toMatchObject({ ended: true, error: { code: "forbidden" } });
  });

  test.each([
    ["params that no channel has", <Room key="1" id="" />, "bad_channel"],
    ["a start that is none", <Room key="2" start={{ rewind: { count: -1 } }} />, "bad_message"],
  ])("of %s is refused, and nothing crashes", async (_what, room, code) => {
    const it = stage();
    await it.show(room);
    expect(shown()).toMatchObject({ ended: true, error: { code } });
    await expect(shown().older()).rejects.toMatchObject({ code });
  });

  test("ends without an error when its client is closed", async () => {
    const it = stage();
    await it.show(<Room />);
    await it.after(() => it.client.close());
    expect(shown()).toMatchObject({ ended: true, error: null });
  });

  test("that isn't enabled is not followed until it is", async () => {
    const it = stage();
    await it.show(<Room enabled={false} start="earliest" />);
    await it.says("room:1", 1);
    expect([it.text, it.world.links.length]).toEqual(["", 0]);
    await it.show(<Room enabled start="earliest" />);
    await it.advance(1_000);
    expect(it.text).toBe("1");
  });

  test("of other params shows nothing of the one before, and leaves it", async () => {
    const it = stage();
    await it.says("room:1", 1);
    await it.says("room:2", 2);
    await it.show(<Room id="1" start="earliest" />);
    await it.advance(1_000);
    await it.show(<Room id="2" start="earliest" />);
    expect(it.text).toBe("");
    await it.advance(1_000);
    expect(it.text).toBe("2");
    expect([it.sentOf("subscribe"), it.sentOf("unsubscribe")]).toEqual([2, 1]);
  });

  test("without a provider says which component is missing", async () => {
    const { createRoot } = await import("react-dom/client");
    const { act } = await import("react");
    const root = createRoot(document.createElement("div"));
    await expect(act(async () => root.render(<Room />))).rejects.toThrow("<TailwireProvider");
  });
});

describe("components of one channel", () => {
  test("share a subscription and a list, and one that goes takes nothing from the other", async () => {
    const it = stage();
    const one = <Room key="one" name="one" start="earliest" />;
    const other = <Room key="other" name="other" start="earliest" />;
    await it.show([one, other]);
    await it.says("room:1", 1);
    expect(shown("one").publications).toBe(shown("other").publications);
    await it.show([other]);
    await it.says("room:1", 2);
    expect(it.text).toBe("1 2");
    expect([it.sentOf("subscribe"), it.sentOf("unsubscribe")]).toEqual([1, 0]);
    await it.show([one, other]);
    expect(it.text).toBe("1 21 2");
    await it.show([]);
    await it.advance(1_000);
    expect([it.sentOf("subscribe"), it.sentOf("unsubscribe")]).toEqual([1, 1]);
  });

  test("with limits of their own share the subscription on the wire", async () => {
    const it = stage();
    await it.show([
      <Room key="one" name="one" start="earliest" limit={1} />,
      <Room key="other" name="other" start="earliest" />,
    ]);
    await it.says("room:1", 1, 2);
    expect(it.text).toBe("21 2");
    expect(it.sentOf("subscribe")).toBe(1);
  });

  test.each([false, true])(
    "subscribe once where effects run twice; connected before: %s",
    async (before) => {
      const it = stage();
      if (before)
        await it.after(() =>
          it.client
            .channel("other")
            .read()
            .catch(() => undefined),
        );
      await it.show(<Room start="earliest" />, { strict: true });
      await it.says("room:1", 1, 2);
      expect(it.text).toBe("1 2");
      expect([it.sentOf("subscribe"), it.sentOf("unsubscribe")]).toEqual([1, 0]);
      expect(it.world.links).toHaveLength(1);
    },
  );
});

describe("older publications", () => {
  test("come page by page before the first, until the log has no more", async () => {
    const it = stage();
    await it.says("room:1", 1, 2, 3, 4, 5);
    await it.show(<Room start={{ rewind: { count: 1 } }} limit={2} />);
    await it.advance(1_000);
    expect(it.text).toBe("5");
    let done = 0;
    const read = (): void =>
      void shown()
        .older(2)
        .then(() => (done += 1));
    await it.after(() => {
      read();
      // While it reads it is the same.
      read();
    });
    expect([it.text, done, it.sentOf("read")]).toEqual(["3 4 5", 2, 1]);
    expect(shown()).toMatchObject({ hasOlder: true, isReadingOlder: false });
    await it.after(read);
    expect(it.text).toBe("1 2 3 4 5");
    expect(shown().hasOlder).toBe(false);
    // The limit has grown by what was read.
    await it.says("room:1", 6);
    expect(it.text).toBe("1 2 3 4 5 6");
    await it.says("room:1", 7);
    expect(it.text).toBe("2 3 4 5 6 7");
    expect(shown().hasOlder).toBe(true);
  });

  test("leave no hole where publications come while they are read", async () => {
    const it = stage();
    await it.says("room:1", 1, 2, 3);
    await it.show(<Room start={{ rewind: { count: 1 } }} limit={1} />);
    await it.advance(1_000);
    await it.after(() => {
      void shown().older(2);
      for (const number of [4, 5, 6]) void it.world.node.publish("room:1", "said", number);
    });
    const numbers = shown().publications.map(({ data }) => Number(data));
    expect(numbers).toEqual([1, 2, 3, 4, 5, 6]);
    await it.says("room:1", 7);
    expect(it.text).toBe("5 6 7");
  });

  test("are read from the start where nothing has come since", async () => {
    const it = stage();
    await it.says("room:1", 1, 2, 3);
    await it.show(<Room />);
    await it.advance(1_000);
    await it.after(() => {
      void shown().older();
      void it.world.node.publish("room:1", "said", 4);
    });
    expect(it.text).toBe("1 2 3 4");
    expect(shown().hasOlder).toBe(false);
  });

  test("reject with their error, and can be asked for again", async () => {
    const it = stage();
    await it.says("room:1", 1);
    await it.show(<Room />);
    await it.advance(1_000);
    let code = "";
    const note = (error: { code: string }): void => void (code = error.code);
    await it.after(() => shown().older(0).catch(note));
    expect([code, shown().isReadingOlder]).toEqual(["bad_message", false]);
    await it.after(() => shown().older());
    expect(it.text).toBe("1");
  });
});
