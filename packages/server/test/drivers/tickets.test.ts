// Tickets over real sockets: they let their holder in once, soon, and from where they are meant for.
import { expect, test } from "vitest";
import type { Authenticated } from "../../src/index.ts";
import { expectRefusal, expectServed } from "./expect.ts";
import { Peer } from "./peer.ts";
import { serve, type Served, until } from "./support.ts";

const PAGE = "https://chat.example";
const ADA: Authenticated = { user: { id: "ada" } };

/** A server that refuses every token. */
async function serveTickets(
  options: { ticketMs?: number; ticketsMax?: number } = {},
): Promise<Served> {
  return serve({
    limits: options,
    allowedOrigins: [PAGE],
    identification: { authenticate: () => null },
  });
}

const withTicket = (ticket: string) => ({ path: `/tailwire?ticket=${ticket}` });

test("[AUTH-13] a ticket lets its holder in once", async () => {
  const { port, tailwire } = await serveTickets();
  const ticket = tailwire.ticket(ADA);
  const peer = await Peer.open(port, withTicket(ticket));
  await expectServed(peer);
  await expectRefusal(port, withTicket(ticket), 401, "unauthenticated");
});

test("[AUTH-13] who comes with a ticket is the one it was made for, with what was granted", async () => {
  const { port, tailwire } = await serveTickets();
  const capabilities = [{ channel: "room:1", actions: ["subscribe"] }] as const;
  const ticket = tailwire.ticket({ ...ADA, capabilities });
  const peer = await Peer.welcomed(port, withTicket(ticket));
  peer.say({ type: "subscribe", channel: "room:1", start: "latest" });
  expect(await peer.answer()).toMatchObject({ type: "ack" });
  peer.say({ type: "subscribe", channel: "room:2", start: "latest" });
  expect(await peer.answer()).toMatchObject({ type: "error", code: "forbidden" });
  tailwire.user("ada").disconnect();
  expect((await peer.closed())?.code).toBe(4504);
});

test("[AUTH-13] a ticket stands before any token, and an unknown one isn't helped by a good token", async () => {
  const { port } = await serve({
    identification: { authenticate: (_request, token) => (token === "good" ? ADA : null) },
  });
  const headers = { Authorization: "Bearer good" };
  await expectServed(await Peer.open(port, { headers }));
  await expectRefusal(port, { ...withTicket("none"), headers }, 401, "unauthenticated");
  await expectRefusal(port, withTicket(""), 401, "unauthenticated");
});

test("[AUTH-13] a ticket is over after its time", async () => {
  const { port, tailwire } = await serveTickets({ ticketMs: 1 });
  const ticket = tailwire.ticket(ADA);
  const made = performance.now();
  await until(() => performance.now() > made + 2, "the end of the ticket");
  await expectRefusal(port, withTicket(ticket), 401, "unauthenticated");
});

test("[AUTH-13] a ticket for one page is refused from anywhere else, and good for nothing afterwards", async () => {
  const { port, tailwire } = await serveTickets();
  const own = tailwire.ticket(ADA, { origin: PAGE });
  const headers = { Origin: PAGE };
  await expectServed(await Peer.open(port, { ...withTicket(own), headers }));
  const stolen = tailwire.ticket(ADA, { origin: PAGE });
  await expectRefusal(port, withTicket(stolen), 401, "unauthenticated");
  const late = await Peer.open(port, { ...withTicket(stolen), headers });
  expect(await late.closed()).toEqual({ code: 4501, reason: "unauthenticated" });
});

test("no more tickets are issued than ticketsMax, until some are used or over", async () => {
  const { port, tailwire } = await serveTickets({ ticketsMax: 2 });
  const [first] = [tailwire.ticket(ADA), tailwire.ticket(ADA)];
  expect(() => tailwire.ticket(ADA)).toThrow(expect.objectContaining({ code: "unavailable" }));
  await expectServed(await Peer.open(port, withTicket(first)));
  expect(tailwire.ticket(ADA)).toMatch(/^[\w-]{22}$/);
});
