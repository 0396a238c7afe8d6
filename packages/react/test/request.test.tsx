// @vitest-environment happy-dom
// Requests in a component: asking, the answer, the error, and which of several is shown.
import { beforeEach, expect, test } from "vitest";
import type { RequestView } from "../src/index.ts";
import { hooks, Stage } from "./stage.tsx";

let view: RequestView;

function Asking({ name = "echo" }: { name?: string }) {
  view = hooks.useRequest(name);
  return null;
}

let it: Stage;
beforeEach(async () => {
  it = new Stage({
    application: {
      requests: new Map([
        ["echo", (input: unknown) => input],
        [
          "slow",
          (input: unknown) =>
            new Promise(
              (resolve) => void it.world.clock.after(Number(input), () => resolve(input)),
            ),
        ],
      ]),
    },
  });
  await it.show(<Asking />);
});

test("a request is shown while it is under way, and then its answer", async () => {
  expect(view).toMatchObject({ data: undefined, error: null, isAsking: false });
  let answer: unknown;
  const { ask } = view;
  await it.after(() => ask({ n: 1 }).then((data) => (answer = data)));
  expect(view).toMatchObject({ data: { n: 1 }, error: null, isAsking: false });
  expect(answer).toEqual({ n: 1 });
  expect(view.ask).toBe(ask);
});

test("asking is told until the answer is there", async () => {
  await it.show(<Asking name="slow" />);
  await it.after(() => void view.ask(5_000));
  expect(view.isAsking).toBe(true);
  await it.advance(5_000);
  expect(view).toMatchObject({ data: 5_000, isAsking: false });
});

test("an error is shown, unasked, until the next request; the last answer stays", async () => {
  await it.after(() => void view.ask(1));
  await it.show(<Asking name="missing" />);
  expect(view).toMatchObject({ data: undefined, error: null });
  await it.after(() => void view.ask(2));
  expect(view).toMatchObject({ error: { code: "unknown_request" }, isAsking: false });
});

test("of several the last is shown, whichever answer comes last", async () => {
  await it.show(<Asking name="slow" />);
  await it.after(() => {
    void view.ask(3_000);
    void view.ask(10);
  });
  expect(view).toMatchObject({ data: 10, isAsking: false });
  await it.advance(5_000);
  expect(view).toMatchObject({ data: 10, isAsking: false });
});

test("one that is taken back is no error", async () => {
  await it.show(<Asking name="slow" />);
  const taken = new AbortController();
  await it.after(() => void view.ask(5_000, { signal: taken.signal }));
  await it.after(() => taken.abort());
  expect(view).toMatchObject({ data: undefined, error: null, isAsking: false });
});

test("a component that has gone leaves its request on its way", async () => {
  let answer: unknown;
  await it.show(<Asking name="slow" />);
  await it.after(() => view.ask(3_000).then((data) => (answer = data)));
  await it.show(null);
  await it.advance(5_000);
  expect(answer).toBe(3_000);
  expect(it.sentOf("cancel")).toBe(0);
});
