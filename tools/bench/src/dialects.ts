/**
 * Dialects: the messages by which a client of each server subscribes and publishes. They are texts
 * with placeholders such as `%n`, which the receiver fills in.
 */
import { PAYLOAD_TEMPLATE } from "./payload.ts";

export type ServerName = "tailwire" | "ws" | "ws-ack" | "socket.io" | "bun" | "centrifugo";

export const SERVER_NAMES: readonly ServerName[] = [
  "tailwire",
  "ws",
  "ws-ack",
  "socket.io",
  "bun",
  "centrifugo",
];

export interface Dialect {
  readonly path: string;
  /** The offer of the upgrade; "-": none. */
  readonly subprotocol: string;
  /** A subscriber's first message. `who` is unique for each. */
  greeting(who: string, channels: readonly string[]): string;
  /** Text in the answer that shows that the client is ready, subscribed if it follows; "-": its upgrade. */
  ready(follows: boolean): string;
  /** The message that publishes once. */
  publish(channel: string): string;
  /** Asks for `count` publications in one turn of the server's event loop; null: not possible. */
  turn(count: number): string | null;
  /** Asks for all publications that the server retains; null: it retains none. */
  resume(epoch: string, channel: string): string | null;
}

/** The commands of the bare servers' hub. */
const BARE: Dialect = {
  path: "/",
  subprotocol: "-",
  greeting: (_who, channels) =>
    channels.length === 0 ? "" : JSON.stringify({ do: "subscribe", channels }),
  ready: () => "-",
  publish: (channel) =>
    JSON.stringify({ do: "publish", channel, data: {} }).replace("{}", PAYLOAD_TEMPLATE),
  turn: (count) => JSON.stringify({ do: "turn", count }),
  resume: () => JSON.stringify({ do: "resume" }),
};

/** The same with an id in what is published, which is acknowledged by it. */
const BARE_ACK: Dialect = {
  ...BARE,
  publish: (channel) =>
    JSON.stringify({ do: "publish", id: "p%n", channel, data: {} }).replace("{}", PAYLOAD_TEMPLATE),
};

const message = (fields: object): string => `${JSON.stringify({ timestamp: 0, ...fields })}\\n`;

const TAILWIRE: Dialect = {
  path: "/tailwire",
  subprotocol: "tailwire.v1.json",
  greeting: (who, channels) => {
    const client = { name: "bench", version: "1" };
    const session = who.padStart(16, "0");
    return [
      { type: "hello", id: "h", session, generation: 1, client },
      ...channels.map((channel, index) => {
        return { type: "subscribe", id: `s${index}`, channel, start: "latest" };
      }),
    ]
      .map(message)
      .join("");
  },
  ready: (follows) => (follows ? "caughtup" : "welcome"),
  publish: (channel) =>
    message({ type: "publish", id: "p%n", channel, event: "message", data: {} }).replace(
      '"data":{}',
      // Numbers that rise with n, and settle all that were made of lower ones.
      `"sequence":1%n1,"settled":1%n0,"data":${PAYLOAD_TEMPLATE}`,
    ),
  turn: (count) => message({ type: "request", id: "t%n", name: "turn", data: count }),
  resume: (epoch, channel) => {
    const start = { epoch, offset: 0, id: null };
    return message({ type: "subscribe", id: "r", channel, start });
  },
};

/** Socket.IO's messages are JSON behind two digits: 40 connects, 42 emits. */
const SOCKET_IO: Dialect = {
  path: "/socket.io/?EIO=4&transport=websocket",
  subprotocol: "-",
  greeting: () => "40",
  ready: () => '40{"sid"',
  publish: (channel) =>
    `42${JSON.stringify(["publish", channel, {}]).replace("{}", PAYLOAD_TEMPLATE)}`,
  turn: (count) => `42${JSON.stringify(["turn", count])}`,
  resume: () => null,
};

const CENTRIFUGO: Dialect = {
  path: "/connection/websocket",
  subprotocol: "-",
  greeting: (_who, channels) =>
    [
      { id: 1, connect: {} },
      ...channels.map((channel, index) => ({ id: index + 2, subscribe: { channel } })),
    ]
      .map((command) => JSON.stringify(command))
      .join("\\n"),
  ready: (follows) => (follows ? '"subscribe":' : '"connect":'),
  publish: (channel) =>
    `{"id":1%n,"publish":{"channel":${JSON.stringify(channel)},"data":${PAYLOAD_TEMPLATE}}}`,
  turn: () => null,
  resume: () => null,
};

const DIALECTS: Readonly<Record<ServerName, Dialect>> = {
  tailwire: TAILWIRE,
  ws: BARE,
  "ws-ack": BARE_ACK,
  bun: BARE,
  "socket.io": SOCKET_IO,
  centrifugo: CENTRIFUGO,
};

export function dialectOf(server: ServerName): Dialect {
  return DIALECTS[server];
}
