/** Decoded messages, as they go out again: their data becomes text first. */
import {
  type ClientMessage,
  JsonText,
  type Outgoing,
  type ServerMessage,
} from "@tailwire/protocol";

type Message = ClientMessage | ServerMessage;

export function outgoing(message: object): Outgoing<Message> {
  const { data, publications, ...rest } = message as {
    readonly data?: unknown;
    readonly publications?: readonly object[];
  };
  return {
    ...rest,
    ...(Array.isArray(publications) ? { publications: publications.map(outgoing) } : {}),
    ...("data" in message ? { data: JsonText.of(data) } : {}),
  } as unknown as Outgoing<Message>;
}
