/** Both codecs without a network: the server's encoding and decoding, and the client's reading. */
import { jsonCodec, jsonClientCodec, type Outgoing, type ServerMessage } from "@tailwire/protocol";
import { msgpackCodec } from "@tailwire/protocol/msgpack";
import { payloadOf, carrying } from "@tailwire/protocol";
import type { Bench } from "../bench.ts";
import { CHANNEL, payloadNow } from "../payload.ts";

type Kind = { readonly codec: "json" | "msgpack" };

const CODECS = {
  json: { codec: jsonCodec, reader: jsonClientCodec },
  msgpack: { codec: msgpackCodec, reader: msgpackCodec },
};

export const codec: Bench<Kind> = {
  figure: "encodesPerSecond",
  better: "more",
  servers: ["tailwire"],
  cases: () => [{ codec: "json" }, { codec: "msgpack" }],
  measure: (_server, kind, quick) => {
    const { codec: one, reader } = CODECS[kind.codec];
    const ms = quick ? 200 : 1_000;
    const publication: Outgoing<ServerMessage> = {
      type: "publication",
      id: "abcdefghijklmnopqrstuv/1",
      timestamp: 1_700_000_000_000,
      channel: CHANNEL,
      offset: 1,
      event: "message",
      publisher: null,
      ...carrying(payloadOf(payloadNow())),
    };
    const wire = one.encode(publication);
    const publish = one.encode({
      type: "publish",
      id: "p1",
      timestamp: 1_700_000_000_000,
      channel: CHANNEL,
      event: "message",
      sequence: 1,
      settled: 0,
      ...carrying(payloadOf(payloadNow())),
    });
    return Promise.resolve({
      encodesPerSecond: perSecond(ms, () => one.encode(publication)),
      clientReadsPerSecond: perSecond(ms, () => reader.readServerMessages(wire)),
      serverDecodesPerSecond: perSecond(ms, () => one.decodeClientMessages(publish)),
      bytesPerMessage: wire.length,
    });
  },
};

/** Runs of `work` per second, after a warm-up of a quarter of the time. */
function perSecond(ms: number, work: () => unknown): number {
  run(ms / 4, work);
  return run(ms, work);
}

function run(ms: number, work: () => unknown): number {
  const began = performance.now();
  let done = 0;
  while (performance.now() - began < ms) {
    for (let left = 1_000; left > 0; left -= 1) work();
    done += 1_000;
  }
  return (done / (performance.now() - began)) * 1_000;
}
