/** Seeds of inputs: the protocol's vectors, as lines and as MessagePack. */
import { readFileSync } from "node:fs";
import { jsonCodec } from "@tailwire/protocol";
import { msgpackCodec } from "@tailwire/protocol/msgpack";
import { outgoing } from "./outgoing.ts";

interface Vector {
  readonly line: string;
}

function linesOf(file: string): readonly string[] {
  const url = new URL(`../../../packages/protocol/vectors/${file}`, import.meta.url);
  return (JSON.parse(readFileSync(url, "utf8")) as readonly Vector[]).map(({ line }) => line);
}

const valid = linesOf("valid.json");

/** Mostly valid ones: what is broken already has little left to break. */
export const LINES: readonly string[] = [
  ...valid,
  ...valid,
  ...valid,
  ...linesOf("accepted.json"),
  ...linesOf("invalid.json").filter((line) => line.length < 2_000),
];

export const PACKED: readonly Uint8Array[] = valid.flatMap((line) => {
  const decoded = [
    ...jsonCodec.decodeClientMessages(line),
    ...jsonCodec.decodeServerMessages(line),
  ];
  return decoded.flatMap((one) =>
    "message" in one && one.message !== null
      ? [msgpackCodec.encode(outgoing(one.message)) as Uint8Array]
      : [],
  );
});
