/** Dependencies of a connection, and its calls to its owner, which knows the messages. No behaviour. */
import type { Ack, ClientCodec, ServerMessage, TailwireError, Welcome } from "@tailwire/protocol";
import type { Blame } from "./closes.ts";
import type { Ports } from "../ports.ts";
import type { AskToken } from "./token.ts";

/** Called with the answer to a message; never when the connection is lost before. */
export type Answered = (answer: Ack | TailwireError) => void;

export interface ConnectionOptions extends ConnectionOwner {
  readonly url: string;
  readonly ports: Ports;
  /** The encoding to offer first; JSON where the server can't speak it. */
  readonly codec: ClientCodec;
  /** Asks for the token to connect with; null where the server wants none. */
  readonly askToken: AskToken | null;
}

interface ConnectionOwner {
  /** A socket is open and hello is on its way: say what is to go with it, by `send`. */
  opened(): void;
  welcomed(welcome: Welcome): void;
  /** A message that isn't the connection's own business. */
  received(
    message: Exclude<ServerMessage, { type: "welcome" | "ping" | "pong" | "ack" | "error" }>,
  ): void;
  /** Messages under way on the socket are lost, or may be. */
  lost(): void;
  /** It is closed because of what was sent on it. */
  blamed(code: Blame): void;
  /** It has failed several times in a row, and is tried again. */
  failing(why: TailwireError): void;
  /** State, attempt, retryAt or reason has changed. */
  changed(): void;
}
