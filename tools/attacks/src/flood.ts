/**
 * Attacks that send the same over and over, as fast as the server takes it. Once its limits are known to
 * the attacker, that is after its burst, no turn of the server's event loop may last long, all of it may
 * cost little, and a witness is answered as if nothing were.
 */
import { frame } from "./frames.ts";
import type { Paid } from "./meter.ts";
import { line, pause, Peer } from "./peer.ts";
import type { Finding, Row } from "./row.ts";
import type { Stage } from "./stage.ts";

/** How long an attacker may run ahead before it is judged, in milliseconds. */
const BURST_MS = 1_500;

/** How long it is watched after that, in milliseconds. */
const WATCH_MS = 2_000;

/** The longest turn of the server's event loop, in milliseconds of CPU. */
const TURN_MS_MAX = 20;

/** The share of a core that an attack may take. */
const SHARE_MAX = 0.1;

export interface Flood {
  readonly id: string;
  readonly title: string;
  /** The bytes that are sent over and over: whole frames. */
  readonly bytes: () => Buffer;
  /** Connects and gets ready; a welcomed connection where left out. */
  readonly prepare?: (port: number) => Promise<Peer>;
  /** How the attacker is closed meanwhile; it must not be, where left out. */
  readonly closes?: number;
  /** Its share of a core isn't judged, because the application takes it. */
  readonly isDear?: boolean;
}

export function floodRow(flood: Flood): Row {
  return { id: flood.id, title: flood.title, run: (stage) => runFlood(stage, flood) };
}

async function runFlood(stage: Stage, flood: Flood): Promise<Finding> {
  const { bytes, prepare = (port) => Peer.welcomed(port), closes = null, isDear = false } = flood;
  const witness = await Peer.welcomed(stage.port, { token: "witness.0" });
  const attacker = await prepare(stage.port);
  let isOver = false;
  const flooding = attacker.flood(bytes(), () => isOver);
  await pause(BURST_MS);
  await stage.reset();
  await pause(WATCH_MS);
  const paid = await stage.paid();
  witness.send(frame(line({ type: "ping" })));
  await witness.hears('"pong"');
  isOver = true;
  await flooding;
  const { closeCode } = attacker;
  attacker.destroy();
  witness.destroy();
  const wrongs = wrongsOf(paid, isDear ? Infinity : SHARE_MAX);
  if (closeCode !== closes) wrongs.push(`closed with ${closeCode}, not ${closes}`);
  return { ok: wrongs.length === 0, note: [inWords(paid), ...wrongs].join("; ") };
}

/** Whatever is too much in a server's costs, in words. */
export function wrongsOf({ wallMs, cpuMs, longestTurnMs }: Paid, shareMax = SHARE_MAX): string[] {
  const wrongs: string[] = [];
  if (!(longestTurnMs <= TURN_MS_MAX)) wrongs.push(`a turn over ${TURN_MS_MAX} ms`);
  if (!(cpuMs / wallMs <= shareMax)) wrongs.push(`over ${shareMax * 100} % of a core`);
  return wrongs;
}

function inWords({ wallMs, cpuMs, longestTurnMs }: Paid): string {
  const share = ((100 * cpuMs) / wallMs).toFixed(1);
  return `${share} % of a core, longest turn ${longestTurnMs.toFixed(1)} ms`;
}
