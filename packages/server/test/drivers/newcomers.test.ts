// Newcomers, who have not said hello yet: one address holds so many, and no more.
import { expect, test } from "vitest";
import { expectRefusal, expectServed } from "./expect.ts";
import { helloMessage, Peer } from "./peer.ts";
import { serve, until } from "./support.ts";

const limits = { newcomersPerAddressMax: 2 };

test("[CONN-7] one more newcomer of an address than may be is answered 503, until one says hello", async () => {
  const { port, tailwire } = await serve({ limits });
  const [first, second] = [await Peer.open(port), await Peer.open(port)];
  await expectRefusal(port, {}, 503, "unavailable");
  first.say(helloMessage());
  await first.message("welcome");
  await expectServed(await Peer.open(port));
  expect(await second.lives().catch(() => false)).toBe(false);
  expect(tailwire.stats().refused).toEqual({ unavailable: 1 });
});

test("[CONN-7] a newcomer that leaves makes room, and so does one whose token nobody can judge", async () => {
  const { port, sockets } = await serve({
    limits: { ...limits, hookMs: 100 },
    identification: {
      authenticate: (_request, token) =>
        token === "slow" ? new Promise(() => undefined) : { user: { id: "ada" } },
    },
  });
  const upgraded = await Peer.open(port);
  const waiting = Peer.ask(port, { headers: { Authorization: "Bearer slow" } });
  upgraded.socket.destroy();
  expect((await waiting.answered()).status).toBe(503);
  waiting.socket.destroy();
  await until(() => sockets.size === 0, "both gone");
  await expectServed(await Peer.open(port));
  await expectServed(await Peer.open(port));
});

test("[CONN-7] behind a proxy, addresses are what the application says", async () => {
  const { port } = await serve({
    limits: { newcomersPerAddressMax: 1 },
    clientAddress: ({ headers }) => String(headers["x-real-ip"]),
  });
  const from = (address: string) => ({ headers: { "X-Real-IP": address } });
  const held = await Peer.open(port, from("10.0.0.1"));
  await expectRefusal(port, from("10.0.0.1"), 503, "unavailable");
  await expectServed(await Peer.open(port, from("10.0.0.2")));
  expect(held.ended).toBe(false);
});

test("[CONN-7] a refused upgrade of a newcomer takes no place", async () => {
  const { port } = await serve({
    limits,
    identification: { authenticate: () => null },
  });
  for (let count = 0; count < 5; count += 1) {
    await expectRefusal(port, {}, 401, "unauthenticated");
  }
});
