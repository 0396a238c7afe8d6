// tailwire's own client as the judge wants it, whose wire a test can tamper with.
import { Client } from "@tailwire/client/core";
import { WebSocket } from "ws";
import type { News, Order, Program, Starts } from "../src/clients/program.ts";
import type { Line } from "./proxy.ts";

/** The faults of a client. Anything left out is as it should be. */
export interface Tampering {
  /** Replaces a line that it sends; null for nothing. */
  readonly sends?: (line: Line) => Line | null;
  /** Replaces a line that it is sent, before it hears it; null for nothing. */
  readonly hears?: (line: Line) => Line | null;
  readonly closes?: (code: number) => number;
}

const through = (text: string, alter: (line: Line) => Line | null): string =>
  text
    .split("\n")
    .filter(Boolean)
    .flatMap((one) => alter(JSON.parse(one) as Line) ?? [])
    .map((line) => `${JSON.stringify(line)}\n`)
    .join("");

function clientOn(url: string, tampering: Tampering): Client {
  const same = (line: Line): Line => line;
  const { sends = same, hears = same, closes = (code) => code } = tampering;
  return new Client(
    url,
    {},
    {
      clock: {
        now: () => Date.now(),
        monotonic: () => performance.now(),
        after: (ms, callback) => {
          const timer = setTimeout(callback, ms); // real time: the client's own
          return () => clearTimeout(timer);
        },
        soon: (callback) => queueMicrotask(callback),
      },
      random: { fraction: () => Math.random() / 4, token: () => crypto.randomUUID() },
      abort: () => new AbortController(),
      life: () => () => undefined,
      base64url: (text) => Buffer.from(text).toString("base64url"),
      connect: (address, subprotocols, events) => {
        const ws = new WebSocket(address, [...subprotocols], { perMessageDeflate: false });
        ws.on("open", () => events.opened(ws.protocol));
        ws.on("message", (data: Buffer) => events.received(through(data.toString(), hears)));
        ws.on("error", () => undefined);
        ws.on("close", (code, reason) => events.closed(closes(code), reason.toString()));
        const send = (text: string): void => {
          const altered = through(text, sends);
          if (altered !== "") ws.send(altered);
        };
        return {
          send: (wire) => send(wire as string),
          close: (code, reason) => ws.close(code, reason),
        };
      },
    },
  );
}

function follow(
  client: Client,
  { channel, start }: Order & { do: "subscribe" },
  tell: (news: News) => void,
): void {
  const subscription = client.channel(channel).subscribe({ start: start as "earliest" });
  subscription.on("conf", ({ data }) => tell({ event: "publication", channel, data }));
  subscription.onGap(({ reason }) => tell({ event: "gap", channel, reason }));
  subscription.onSnapshot(({ data }) => tell({ event: "state", channel, data }));
  subscription.onEnd((error) => tell({ event: "ended", channel, code: error?.code ?? "" }));
}

function carryOut(client: Client, order: Order, tell: (news: News) => void): void {
  switch (order.do) {
    case "subscribe":
      return follow(client, order, tell);
    case "publish":
      return void client
        .channel(order.channel)
        .publish("conf", order.data)
        .then(
          () => tell({ event: "published", data: order.data }),
          ({ code }: { code: string }) => tell({ event: "refused", data: order.data, code }),
        );
    case "request":
      return void client.request(order.name, order.data).then(
        (data) => tell({ event: "answered", data }),
        ({ code }: { code: string }) => tell({ event: "unanswered", code }),
      );
    default:
      order satisfies never;
  }
}

/** The client, with something wrong about it. */
export function ownClient(tampering: Tampering = {}): Starts {
  return (url, tell): Program => {
    const client = clientOn(url, tampering);
    return {
      order: (order) => carryOut(client, order, tell),
      stop: () => {
        client.goOffline();
        void client.close();
      },
    };
  };
}
