// A connection that a newer one has taken the place of: its socket may still say things.
import { jsonCodec, type Outgoing, type ServerMessage, SUBPROTOCOL_JSON } from "@tailwire/protocol";
import { Client, type Ports, type SocketEvents } from "@tailwire/client/core";
import { SimulatedClock } from "@tailwire/simulation";
import { expect, test } from "vitest";

const WELCOME = {
  type: "welcome",
  id: "s",
  timestamp: 1,
  re: "hello",
  client: "ada",
  user: "ada",
  connection: "c",
  heartbeat: { intervalMs: 25_000, timeoutMs: 10_000 },
  limits: {
    messageBytesMax: 10_000,
    subscriptionsMax: 1,
    dedupeMs: 120_000,
    appendMs: 1_000,
    window: 4,
  },
} as const;

interface FakeSocket {
  readonly events: SocketEvents;
  readonly sent: string[];
}

function stage() {
  const clock = new SimulatedClock();
  const sockets: FakeSocket[] = [];
  const ports: Ports = {
    clock,
    random: { token: () => "0123456789abcdef", fraction: () => 0 },
    connect: (_url, _subprotocols, events) => {
      const sent: string[] = [];
      sockets.push({ events, sent });
      return { send: (wire) => void sent.push(String(wire)), close: () => undefined };
    },
    abort: () => new AbortController(),
    life: () => () => undefined,
    base64url: (text) => text,
  };
  const client = new Client("ws://node", {}, ports);
  const say = (socket: FakeSocket | undefined, message: object): void => {
    const text = jsonCodec.encode(
      message as Outgoing<Exclude<ServerMessage, { type: "publication" }>>,
    );
    socket?.events.received(jsonCodec.join([text]));
  };
  return { client, clock, sockets, say };
}

test("[PUB-9] a refusal from an older connection isn't taken for the answer on the newer one", async () => {
  const { client, clock, sockets, say } = stage();
  const outcomes: string[] = [];
  client
    .channel("room:1")
    .publish("said", 1)
    .then(
      () => outcomes.push("acknowledged"),
      (error: { code: string }) => outcomes.push(error.code),
    );
  const connect = async (index: number): Promise<string> => {
    await clock.until(() => sockets[index] !== undefined, 120_000);
    sockets[index]?.events.opened(SUBPROTOCOL_JSON);
    say(sockets[index], WELCOME);
    await clock.settle();
    return /"id":"([^"]+)"[^\n]*"room:1"/.exec(sockets[index]?.sent.join("") ?? "")?.[1] ?? "";
  };
  const re = await connect(0);
  // Silent for too long, it is given up. Its socket isn't closed yet.
  expect(await connect(1)).toBe(re);
  const refusal = { code: "rude", description: "", fault: "client", retry: false };
  say(sockets[0], { type: "error", id: "s", timestamp: 1, re, ...refusal });
  await clock.settle();
  expect([outcomes, client.status.pending]).toEqual([[], 1]);
  const position = { epoch: "log", offset: 1, id: `ada/${re}` };
  say(sockets[1], { type: "ack", id: "s", timestamp: 1, re, position });
  await clock.settle();
  expect(outcomes).toEqual(["acknowledged"]);
});
