// @vitest-environment happy-dom
// On a server, where nothing connects, and in the page that its markup turns into.
import { afterEach, expect, test, vi } from "vitest";
import { act, StrictMode } from "react";
import { hydrateRoot } from "react-dom/client";
import { renderToString } from "react-dom/server";
import { World } from "@tailwire/simulation";
import { hooks } from "./stage.tsx";

const { ConnectionStatus, TailwireProvider, useChannel, useRequest } = hooks;

function Room() {
  const { publications } = useChannel("room:{id}", { id: "1" }, { start: "earliest" });
  const { isAsking } = useRequest("echo");
  return (
    <p>
      {publications.map(({ data }) => String(data)).join(" ")} {String(isAsking)}
    </p>
  );
}

const errors = vi.spyOn(console, "error");
afterEach(() => void errors.mockReset());

test("a server subscribes to nothing, and a page takes its markup over without a complaint", async () => {
  const world = new World();
  await world.node.publish("room:1", "said", 1);
  const client = world.client("ada");
  const app = (
    <StrictMode>
      <TailwireProvider client={client}>
        <ConnectionStatus />
        <Room />
      </TailwireProvider>
    </StrictMode>
  );
  const markup = renderToString(app);
  await world.advance(10_000);
  expect(markup).toContain("Not connected");
  expect([world.links.length, client.status.state]).toEqual([0, "idle"]);

  const page = document.createElement("main");
  page.innerHTML = markup;
  const paragraph = page.querySelector("p");
  const root = await act(async () => hydrateRoot(page, app));
  await act(async () => world.advance(1_000));
  expect(page.textContent).toBe("Connected1 false");
  expect(page.querySelector("p")).toBe(paragraph);
  expect(errors.mock.calls).toEqual([]);
  await act(async () => root.unmount());
});

test("a page whose client is connected already hydrates with what the server knew", async () => {
  const world = new World();
  const client = world.client("ada");
  client.channel("room:1").subscribe();
  await world.advance(1_000);
  const app = (
    <TailwireProvider client={client}>
      <ConnectionStatus />
    </TailwireProvider>
  );
  const page = document.createElement("main");
  page.innerHTML = renderToString(app);
  expect(page.textContent).toBe("Not connected");
  const root = await act(async () => hydrateRoot(page, app));
  expect(page.textContent).toBe("Connected");
  expect(errors.mock.calls).toEqual([]);
  await act(async () => root.unmount());
});
