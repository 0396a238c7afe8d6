/** Attacks for which nobody has to say hello: connections that say the wrong thing first, and come again. */
import { frame, OPCODES } from "../frames.ts";
import { hello, line, Peer } from "../peer.ts";
import type { Finding, Row } from "../row.ts";
import type { Stage } from "../stage.ts";
import { wrongsOf } from "../flood.ts";

/** Connections that are made of each kind. */
const CONNECTIONS = 60;

/**
 * Milliseconds of CPU that a connection may cost more than one that says a single wrong line: with 66
 * of them in a second that is a tenth of a core. Most of it is the parsing of frames that came at once.
 */
const DEARER_MS_MAX = 1.5;

const SIMPLE = "x\n";

interface First {
  readonly id: string;
  readonly title: string;
  readonly says: () => Buffer;
  readonly closes: number;
}

const FIRSTS: readonly First[] = [
  {
    id: "B6",
    title: "1,024 lines of rubbish before hello, connecting again each time",
    says: () => frame("x\n".repeat(1_024)),
    closes: 4502,
  },
  {
    id: "B6-types",
    title: "350 messages of no known type before hello",
    says: () => frame(line({ type: "x" }).repeat(350)),
    closes: 4502,
  },
  {
    id: "B6-order",
    title: "350 pings before hello",
    says: () => frame(line({ type: "ping" }).repeat(350)),
    closes: 4502,
  },
  {
    id: "B6-msgpack",
    title: "16 KB that are no MessagePack maps",
    says: () => frame(new Uint8Array(16_000).fill(0xc0), { opcode: OPCODES.binary }),
    closes: 4502,
  },
  {
    id: "B6-empty-first",
    title: "empty messages before hello, more than may come before it",
    says: () => Buffer.concat(Array.from({ length: 3_000 }, () => frame(""))),
    closes: 1009,
  },
  {
    id: "B6-behind-hello",
    title: "1,000 lines of rubbish behind hello",
    says: () => frame(hello() + "x\n".repeat(1_000)),
    closes: 4400,
  },
];

export const NEWCOMERS: readonly Row[] = FIRSTS.map((first) => ({
  id: first.id,
  title: first.title,
  run: (stage) => compare(stage, first),
}));

async function compare(stage: Stage, { says, closes }: First): Promise<Finding> {
  const simple = await costOf(stage, frame(SIMPLE), 4502);
  const dear = await costOf(stage, says(), closes);
  const wrongs = [...simple.wrongs, ...dear.wrongs];
  const dearerMs = dear.cpuMs - simple.cpuMs;
  if (!(dearerMs <= DEARER_MS_MAX)) wrongs.push(`over ${DEARER_MS_MAX} ms dearer`);
  const note = `${dear.cpuMs.toFixed(2)} ms each, with a single line ${simple.cpuMs.toFixed(2)} ms`;
  return { ok: wrongs.length === 0, note: [note, ...wrongs].join("; ") };
}

/** The cost of a connection that says this first, and how the server took it. */
async function costOf(
  stage: Stage,
  bytes: Buffer,
  closes: number,
): Promise<{ cpuMs: number; wrongs: string[] }> {
  await stage.reset();
  const codes = new Set<number | null>();
  for (let made = 0; made < CONNECTIONS; made += 1) {
    const peer = await Peer.open(stage.port);
    peer.send(bytes);
    await peer.closes();
    codes.add(peer.closeCode);
    peer.destroy();
  }
  const paid = await stage.paid();
  const wrongs = wrongsOf(paid, Infinity);
  const told = [...codes].join(", ");
  if (told !== String(closes)) wrongs.push(`closed with ${told}, not ${closes}`);
  return { cpuMs: paid.cpuMs / CONNECTIONS, wrongs };
}
