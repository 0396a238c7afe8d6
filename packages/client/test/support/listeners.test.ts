// Listeners that stop themselves and others, come again, are none, or give and throw odd things.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Listeners } from "../../src/support/listeners.ts";
import { Subscription } from "../../src/following/subscription.ts";

/** Errors that nobody has caught, as a platform would show them. */
const escaped: unknown[] = [];
const note = (reason: unknown): void => void escaped.push(reason);
let others: NodeJS.UnhandledRejectionListener[] = [];

beforeEach(() => {
  escaped.length = 0;
  others = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", note);
});

afterEach(() => {
  process.removeAllListeners("unhandledRejection");
  for (const other of others) process.on("unhandledRejection", other);
});

/** All that was to happen at once has happened, and what nobody caught was shown. */
const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** Not a function, as JavaScript allows it. */
const ODD = [undefined, null, {}, "listener", 7] as unknown as (() => void)[];

describe("a listener", () => {
  test("that stops itself and listens anew is called once for each news", () => {
    const listeners = new Listeners<number>();
    const told: number[] = [];
    const rearm = (): void => {
      const stop = listeners.add((news) => {
        told.push(news);
        stop();
        rearm();
      });
    };
    rearm();
    for (const news of [1, 2, 3]) void listeners.tell(news);
    expect(told).toEqual([1, 2, 3]);
    expect(listeners.size).toBe(1);
  });

  test("that is added while news is told hears the next", () => {
    const listeners = new Listeners<number>();
    const told: string[] = [];
    const stop = listeners.add((news) => {
      told.push(`first ${news}`);
      stop();
      listeners.add((later) => told.push(`added ${later}`));
    });
    void listeners.tell(1);
    void listeners.tell(2);
    expect(told).toEqual(["first 1", "added 2"]);
  });

  test("that another one has stopped isn't called any more", () => {
    const listeners = new Listeners<void>();
    const told: string[] = [];
    listeners.add(() => stop());
    const stop = listeners.add(() => told.push("stopped"));
    listeners.add(() => told.push("third"));
    void listeners.tell();
    expect(told).toEqual(["third"]);
  });

  test("that is added twice is called twice, and each stop is for one of them", () => {
    const listeners = new Listeners<void>();
    let calls = 0;
    const listener = (): void => {
      calls += 1;
    };
    const stops = [listeners.add(listener), listeners.add(listener)];
    void listeners.tell();
    stops[0]?.();
    stops[0]?.();
    void listeners.tell();
    expect(calls).toBe(3);
  });

  test.each(ODD)("that is no function is refused at once: %o", (odd) => {
    const listeners = new Listeners<void>();
    expect(() => listeners.add(odd)).toThrow(TypeError);
    expect(listeners.size).toBe(0);
  });
});

const at = (offset: number) => ({ epoch: "log", offset, id: `p${offset}` });

/** A subscription at offset 0, and what brings it publications. */
function subscribed() {
  const feed = { reconsider: () => undefined, leave: () => undefined, unheard: () => undefined };
  const subscription = new Subscription(feed, { start: at(0) });
  const bring = (offset: number): void => {
    const publication = {
      id: `p${offset}`,
      event: "said",
      data: offset,
      position: at(offset),
      timestamp: 0,
      publisher: null,
      localId: null,
    };
    const item = { type: "publication", publication } as const;
    subscription.accept(item, at(offset - 1));
  };
  return { subscription, bring };
}

describe("what a subscription's listener does while it is called", () => {
  test.each([
    ["listens to more", (one: Subscription) => void one.on("other", () => undefined)],
    ["brings what follows", (_one: Subscription, bring: (offset: number) => void) => bring(3)],
    ["asks an iterator", (one: Subscription) => void one[Symbol.asyncIterator]().next()],
  ])("%s: its siblings hear of this publication before the next", async (_what, deed) => {
    const { subscription, bring } = subscribed();
    const heard: string[] = [];
    const places: (number | undefined)[] = [];
    subscription.on("said", ({ data }) => {
      heard.push(`first ${String(data)}`);
      if (data === 1) {
        bring(2);
        deed(subscription, bring);
      }
    });
    for (const name of ["second", "third"]) {
      subscription.on("said", ({ data }) => {
        heard.push(`${name} ${String(data)}`);
        places.push(subscription.position?.offset);
      });
    }
    bring(1);
    await settled();
    expect(heard.slice(0, 6)).toEqual(
      ["first 1", "second 1", "third 1", "first 2", "second 2", "third 2"].slice(0, heard.length),
    );
    expect(heard.length).toBeGreaterThanOrEqual(3);
    expect(places.slice(0, 2)).toEqual([0, 0]);
    expect(places).toEqual(places.toSorted((one, other) => (one ?? 0) - (other ?? 0)));
  });

  test("ends it: what follows isn't handed over, to nobody", async () => {
    const { subscription, bring } = subscribed();
    const heard: unknown[] = [];
    subscription.on("said", ({ data }) => {
      heard.push(data);
      bring(2);
      void subscription.close();
      bring(3);
    });
    bring(1);
    bring(4);
    await settled();
    expect(heard).toEqual([1]);
  });

  /** Something with a `then` that is like this: spelt so that nobody takes it for a mistake. */
  const withThen = (target: object, then: PropertyDescriptor): object =>
    Object.defineProperty(target, ["t", "hen"].join(""), then);
  const throws = (message: string) => (): never => {
    throw new Error(message);
  };
  const nothing: unknown = Object.create(null);
  test.each([
    [
      "gives a promise whose then throws",
      () => withThen(Promise.resolve(), { value: throws("a promise") }),
      "a promise",
    ],
    [
      "gives what throws when it is asked for then",
      () => withThen({}, { get: throws("a getter") }),
      "a getter",
    ],
    [
      "gives a thenable that throws",
      () => withThen({}, { value: throws("a thenable") }),
      "a thenable",
    ],
    [
      "gives a thenable that rejects with nothing",
      () =>
        withThen({}, { value: (_: unknown, reject: (why: unknown) => void) => reject(nothing) }),
      nothing,
    ],
    [
      "throws what can't be made text",
      () => {
        throw nothing;
      },
      nothing,
    ],
  ])("%s: it is shown, and the next publication comes", async (_what, deed, shown) => {
    const { subscription, bring } = subscribed();
    const heard: unknown[] = [];
    subscription.on("said", deed as () => void);
    subscription.on("said", ({ data }) => void heard.push(data));
    bring(1);
    await settled();
    bring(2);
    await settled();
    expect(heard).toEqual([1, 2]);
    expect(subscription.position).toEqual(at(2));
    const words = escaped.map((one) => (one instanceof Error ? one.message : one));
    expect(words).toEqual([shown, shown]);
  });

  test.each(ODD)("a listener that is none is refused by every call: %o", (odd) => {
    const { subscription } = subscribed();
    for (const listen of ["onGap", "onSnapshot", "onCaughtUp", "onEnd"] as const) {
      expect(() => subscription[listen](odd)).toThrow(TypeError);
    }
    expect(() => subscription.on("said", odd)).toThrow(TypeError);
  });
});
