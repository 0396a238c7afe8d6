/**
 * The conditions for keeping logs on a NATS server: its version, JetStream, and the stream.
 *
 * Each fault is an Error with the words that an operator needs.
 */
import {
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  StorageType,
  type StreamInfo,
} from "@nats-io/jetstream";
import { jserrors } from "@nats-io/jetstream/internal";
import { errors, nanos, type NatsConnection, type ServerInfo } from "@nats-io/transport-node";
import type { Clock } from "@tailwire/protocol";
import type { StreamFacts } from "./stream.ts";
import type { Settings } from "./settings.ts";
import type { Subjects } from "./subjects.ts";

/** An operator has to change something on NATS. */
class Unsupported extends Error {}

/** A stream keeps records for so long at least, in milliseconds: a log that rests goes on where it was. */
export const KEPT_MS_MIN = 3_600_000;

/** Versions, as numbers that compare. */
const VERSIONS = { alone: "2.9.10", clustered: "2.11.0", batches: "2.11.0" };

/** Looks at the server and makes the stream where it isn't there. @throws Error with the remedy. */
export async function prepare(
  connection: NatsConnection,
  manager: JetStreamManager,
  { stream: name, replicas }: Settings,
  subjects: Subjects,
  clock: Clock,
): Promise<StreamFacts> {
  const { info } = connection;
  if (info === undefined) throw new Error("NATS hasn't said what it is");
  requireVersion(info);
  const copies = replicas ?? (info.cluster === undefined ? 1 : 3);
  const stream = await foundOrMade(manager, name, copies, subjects);
  requireLayout(stream, name, subjects);
  const ageMs = Math.max(0, clock.now() - Date.parse(stream.created));
  return {
    name,
    // One server's files are its own history; a cluster's survive each server of it.
    history: info.cluster === undefined ? info.server_id : `cluster ${info.cluster}`,
    since: clock.monotonic() - ageMs,
    payloadMax: info.max_payload,
    hasBatches: isAtLeast(info.version, VERSIONS.batches),
  };
}

function requireVersion({ version, cluster }: ServerInfo): void {
  const isAlone = cluster === undefined;
  const least = isAlone ? VERSIONS.alone : VERSIONS.clustered;
  if (isAtLeast(version, least)) return;
  const what = isAlone
    ? `nats-server ${version} isn't supported`
    : `nats-server ${version} isn't supported in a cluster, where it may append twice`;
  throw new Unsupported(`${what}: use ${least} or later`);
}

function isAtLeast(version: string, least: string): boolean {
  const [is, needed] = [version, least].map((text) => text.split(/[.-]/).map(Number));
  for (const [index, part] of (needed ?? []).entries()) {
    const own = is?.[index] ?? 0;
    if (own !== part) return own > part;
  }
  return true;
}

async function foundOrMade(
  manager: JetStreamManager,
  name: string,
  copies: number,
  subjects: Subjects,
): Promise<StreamInfo> {
  const found = await manager.streams.info(name).catch((error: unknown) => {
    if (isStreamGone(error)) return null;
    throw error;
  });
  if (found !== null) return found;
  const config = {
    name,
    subjects: [subjects.logs, subjects.checkpoints],
    storage: StorageType.File,
    num_replicas: copies,
    max_age: nanos(KEPT_MS_MIN),
    allow_direct: true,
    republish: { src: subjects.logs, dest: subjects.republished },
  };
  try {
    return await manager.streams.add(config);
  } catch (error) {
    // Another node may have made it meanwhile.
    return manager.streams.info(name).catch(() => {
      throw error;
    });
  }
}

/** A stream of the name may be there for something else. */
function requireLayout({ config }: StreamInfo, name: string, subjects: Subjects): void {
  const isOurs =
    config.subjects.includes(subjects.logs) &&
    config.subjects.includes(subjects.checkpoints) &&
    config.republish?.dest === subjects.republished &&
    config.allow_direct;
  if (isOurs) return;
  throw new Unsupported(
    `The stream ${name} isn't one of tailwire's: name another by natsBroker's option "stream"`,
  );
}

export function isStreamGone(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound;
}

/** The fault and its remedy. */
export function wordsOf(error: unknown, where: string): string {
  if (error instanceof Unsupported) return error.message;
  if (error instanceof errors.AuthorizationError) {
    return `NATS at ${where} refused the credentials: check those in the address, or natsBroker's option "credentials"`;
  }
  if (error instanceof jserrors.JetStreamNotEnabled) {
    return `JetStream isn't enabled on NATS at ${where}, or for this account: start nats-server with --jetstream`;
  }
  const message = error instanceof Error ? error.message : String(error);
  return `NATS at ${where} can't be used: ${message}`;
}
