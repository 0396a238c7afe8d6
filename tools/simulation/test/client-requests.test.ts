// Requests and fresh tokens, from the client's side: answered, taken back, lost, renewed.
import { expect, test } from "vitest";
import type { RequestHandler } from "@tailwire/server/core";
import { Follower, World } from "@tailwire/simulation";

function worldWith(requests: Readonly<Record<string, RequestHandler>>): World {
  return new World({ application: { requests: new Map(Object.entries(requests)) } });
}

async function outcomeOf(world: World, promise: Promise<unknown>): Promise<unknown> {
  return world.outcome(
    promise.catch((error: { code?: string; message: string }) => error.code ?? error.message),
  );
}

test("[REQ-1] a request is answered with what the application returns", async () => {
  const world = worldWith({
    add: (input, { user }) => ({ sum: (input as number[]).reduce((a, b) => a + b), for: user.id }),
    nothing: () => undefined,
  });
  const ada = world.client("ada");
  expect(await outcomeOf(world, ada.request("add", [1, 2, 3]))).toEqual({ sum: 6, for: "ada" });
  expect(await outcomeOf(world, ada.request("nothing"))).toBe(null);
  expect(await outcomeOf(world, ada.request("unheard-of"))).toBe("unknown_request");
});

test("[REQ-4] a request whose connection is lost is indeterminate, and isn't sent again", async () => {
  let runs = 0;
  const world = worldWith({
    count: () => {
      runs += 1;
      return runs;
    },
  });
  const ada = world.client("ada");
  world.tap = (_direction, text) => (text.includes('"type":"request"') ? "cut after" : "arrives");
  expect(await outcomeOf(world, ada.request("count"))).toBe("indeterminate");
  world.tap = () => "arrives";
  await world.advance(60_000);
  expect(runs).toBe(1);
});

test("[REQ-4] a request that wasn't sent yet waits for the connection", async () => {
  const world = worldWith({ echo: (input) => input });
  const ada = world.client("ada");
  world.unreachable = true;
  const asked = ada.request("echo", "late");
  await world.advance(5_000);
  world.unreachable = false;
  expect(await outcomeOf(world, asked)).toBe("late");
});

test("[REQ-3] a request that is taken back rejects at once, and the application is told", async () => {
  const reasons: unknown[] = [];
  const world = worldWith({
    think: (_input, { signal }) =>
      new Promise(() => {
        signal.addEventListener("abort", () => reasons.push(signal.reason));
      }),
  });
  const ada = world.client("ada");
  const abort = new AbortController();
  const asked = ada.request("think", 1, { signal: abort.signal });
  await world.advance(100);
  abort.abort(new Error("never mind"));
  expect(await outcomeOf(world, asked)).toBe("never mind");
  await world.advance(100);
  expect(reasons).toMatchObject([{ code: "cancelled" }]);
  expect(await outcomeOf(world, ada.request("think", 2, { timeoutMs: 500 }))).toBe("timeout");
  await world.advance(100);
  expect(reasons).toHaveLength(2);
});

test("requests of a client that closes are told so", async () => {
  const world = worldWith({ think: () => new Promise(() => undefined) });
  const ada = world.client("ada");
  const sent = ada.request("think");
  await world.advance(100);
  await world.outcome(ada.close());
  expect(await outcomeOf(world, sent)).toBe("indeterminate");
  expect(await outcomeOf(world, ada.request("think"))).toBe("closed");
});

test("[AUTH-8, AUTH-9] a client brings a fresh token before the old one ends, and goes on", async () => {
  let tokens = 0;
  const world: World = new World({
    authenticate: (token) => ({ user: { id: token }, expiresAt: world.clock.now() + 60_000 }),
  });
  const bob = world.client("bob", {
    getToken: () => {
      tokens += 1;
      return "bob";
    },
  });
  const follower = new Follower(bob.channel("room:1").subscribe());
  await world.outcome(follower.subscription.ready);
  await world.advance(10 * 60_000);
  await world.node.publish("room:1", "message", "still here");
  await world.until(() => follower.publications.length === 1);
  expect(world.links).toHaveLength(1);
  expect(tokens).toBeGreaterThan(15);
  expect(tokens).toBeLessThan(25);
});

test("[SUB-9] a subscription that the server ends is over, with the reason", async () => {
  let allowed = true;
  const world: World = new World({
    application: { authorize: () => allowed },
    authenticate: (token) => ({ user: { id: token }, expiresAt: world.clock.now() + 60_000 }),
  });
  const bob = world.client("bob");
  const follower = new Follower(bob.channel("room:1").subscribe());
  await world.outcome(follower.subscription.ready);
  allowed = false;
  await world.until(() => follower.ended !== undefined);
  expect(follower.ended).toBe("forbidden");
  await world.node.publish("room:1", "message", "not for bob");
  await world.advance(1_000);
  expect(follower.publications).toEqual([]);
  expect(bob.status.state).toBe("connected");
});

test("a signal that knows no reason, as React Native's, still gives an error to reject with", async () => {
  const world = worldWith({ ask: () => new Promise(() => undefined) });
  const ada = world.client("ada");
  const listeners: (() => void)[] = [];
  const signal = {
    aborted: false,
    addEventListener: (_type: "abort", listener: () => void) => void listeners.push(listener),
    removeEventListener: () => undefined,
  };
  const promises = [
    ada.request("ask", 1, { signal }),
    ada.channel("room:1").read({ signal }),
    ada.channel("room:1").publish("message", 1, { signal }),
  ];
  const rejections = Promise.all(promises.map((one) => one.catch((error: unknown) => error)));
  signal.aborted = true;
  for (const listener of listeners) listener();
  const late = ada.request("ask", 1, { signal }).catch((error: unknown) => error);
  for (const error of [...(await rejections), await late]) expect(error).toBeInstanceOf(Error);
});
