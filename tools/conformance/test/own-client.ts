// tailwire's own client as the judge wants it, whose wire and ports a test can tamper with.
import { Client, type Ports, type Subscription } from "@tailwire/client/core";
import { WebSocket } from "ws";
import type { News, Order, Program, Starts } from "../src/clients/program.ts";
import type { Line } from "./proxy.ts";

type Altered = Line | readonly Line[] | null;

/** The faults of a client. Anything left out is as it should be. */
export interface Tampering {
  /** Replaces a line that it sends; null for nothing. */
  readonly sends?: (line: Line) => Altered;
  /** Replaces a line that it is sent, before it hears it; null for nothing. */
  readonly hears?: (line: Line) => Altered;
  readonly closes?: (code: number) => number;
  /** Replaces the subprotocols that it offers. */
  readonly offers?: (subprotocols: readonly string[]) => readonly string[];
  /** Replaces the part of the longest wait that it waits for, from 0 up to 1. */
  readonly fraction?: () => number;
  /** It doesn't notice that its clock is set back. */
  readonly isBlindToClock?: boolean;
  /** Replaces its news. */
  readonly tells?: (news: News) => News;
}

function through(text: string, alter: (line: Line) => Altered): string {
  const lines = text
    .split("\n")
    .filter(Boolean)
    .flatMap((one) => alter(JSON.parse(one) as Line) ?? []);
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

/** A wall clock that can be set back. */
class WallClock {
  #backMs = 0;

  now(): number {
    return Date.now() - this.#backMs;
  }

  setBack(ms: number): void {
    this.#backMs += ms;
  }
}

function portsOf(tampering: Tampering, wall: WallClock): Ports {
  const same = (line: Line): Line => line;
  const { sends = same, hears = same, closes = (code) => code } = tampering;
  const { offers = (all) => all, fraction = () => Math.random() / 4 } = tampering;
  return {
    clock: {
      now: () => (tampering.isBlindToClock ? Date.now() : wall.now()),
      monotonic: () => performance.now(),
      after: (ms, callback) => {
        const timer = setTimeout(callback, ms); // real time: the client's own
        return () => clearTimeout(timer);
      },
      soon: (callback) => queueMicrotask(callback),
    },
    random: { fraction, token: () => crypto.randomUUID() },
    abort: () => new AbortController(),
    life: () => () => undefined,
    warn: () => undefined,
    base64url: (text) => Buffer.from(text).toString("base64url"),
    connect: (address, subprotocols, events) => {
      const ws = new WebSocket(address, [...offers(subprotocols)], { perMessageDeflate: false });
      ws.on("open", () => events.opened(ws.protocol));
      ws.on("message", (data: Buffer) => {
        const heard = through(data.toString(), hears);
        if (heard !== "") events.received(heard);
      });
      ws.on("error", () => undefined);
      ws.on("close", (code, reason) => events.closed(closes(code), reason.toString()));
      return {
        send: (wire) => {
          const altered = through(wire as string, sends);
          if (altered !== "") ws.send(altered);
        },
        close: (code, reason) => ws.close(code, reason),
      };
    },
  };
}

type Tell = (news: News) => void;

/** The client as a program: orders in, news out. */
class OwnProgram implements Program {
  readonly #url: string;
  readonly #ports: Ports;
  readonly #wall: WallClock;
  readonly #tell: Tell;
  /** Controllers that take requests back, by the requests' names. */
  readonly #asked = new Map<string, AbortController>();
  #client: Client | null = null;
  #token: string | null = null;

  constructor(url: string, tampering: Tampering, tell: Tell) {
    this.#url = url;
    this.#wall = new WallClock();
    this.#ports = portsOf(tampering, this.#wall);
    this.#tell = tell;
  }

  /** Made late: whether it has a token is known by then. */
  get client(): Client {
    const getToken = this.#token === null ? undefined : (): string => this.#token ?? "";
    this.#client ??= new Client(this.#url, { getToken }, this.#ports);
    return this.#client;
  }

  order(order: Order): void {
    switch (order.do) {
      case "subscribe": {
        const { channel, start } = order;
        const subscription = this.client.channel(channel).subscribe({ start: start as "earliest" });
        return this.#follow(channel, subscription);
      }
      case "publish":
        return this.#publish(order);
      case "request":
        return this.#request(order);
      case "cancel":
        return this.#asked.get(order.name)?.abort();
      case "read":
        return this.#read(order);
      case "token":
        this.#token = order.token;
        return;
      case "accept":
        this.client.onSubscribed(({ channel, subscription }) =>
          this.#follow(channel.name, subscription),
        );
        return;
      case "clock":
        return this.#wall.setBack(order.backMs);
      default:
        order satisfies never;
    }
  }

  stop(): void {
    this.#client?.goOffline();
    void this.#client?.close();
  }

  #follow(channel: string, subscription: Subscription): void {
    const tell = this.#tell;
    subscription.on("conf", ({ data }) => tell({ event: "publication", channel, data }));
    subscription.onGap(({ reason }) => tell({ event: "gap", channel, reason }));
    subscription.onSnapshot(({ data }) => tell({ event: "state", channel, data }));
    subscription.onEnd((error) => tell({ event: "ended", channel, code: error?.code ?? "" }));
  }

  #publish({ channel, data }: Order & { do: "publish" }): void {
    this.client
      .channel(channel)
      .publish("conf", data)
      .then(
        ({ position }) => this.#tell({ event: "published", data, position }),
        ({ code }: { code: string }) => this.#tell({ event: "refused", data, code }),
      );
  }

  #request({ name, data }: Order & { do: "request" }): void {
    const controller = new AbortController();
    this.#asked.set(name, controller);
    this.client.request(name, data, { signal: controller.signal }).then(
      (answer) => this.#tell({ event: "answered", data: answer }),
      ({ code }: { code?: unknown }) => this.#unanswered(code),
    );
  }

  #read({ channel, count: limit, after, before }: Order & { do: "read" }): void {
    this.client
      .channel(channel)
      .read({ limit, after, before })
      .then(
        ({ publications, more, gap }) =>
          this.#tell({
            event: "page",
            channel,
            data: publications.map(({ data }) => data),
            positions: publications.map(({ position }) => position),
            more,
            gap: gap?.reason ?? null,
          }),
        ({ code }: { code?: unknown }) => this.#unanswered(code),
      );
  }

  /** A request that was taken back has no code, but the signal's reason. */
  #unanswered(code: unknown): void {
    this.#tell({ event: "unanswered", code: typeof code === "string" ? code : "cancelled" });
  }
}

/** The client, with something wrong about it. A function gives each one faults of its own. */
export function ownClient(faults: Tampering | (() => Tampering) = {}): Starts {
  return (url, tell) => {
    const tampering = typeof faults === "function" ? faults() : faults;
    const { tells = (news) => news } = tampering;
    return new OwnProgram(url, tampering, (news) => tell(tells(news)));
  };
}
