/**
 * The subjects of a stream, and a channel's one token in them. A name is told from its token, so that it
 * can be read in NATS's own tools, unless it is long.
 */
import { createHash } from "node:crypto";

/** Longer tokens are hashed: a subject is part of every message. */
const TOKEN_LENGTH_MAX = 120;

const PLAIN = /^[A-Za-z0-9_-]$/;

/** Letters, digits, `_` and `-` are kept; any other byte is `=` and two digits. */
export function tokenOf(channel: string): string {
  const encoded = Array.from(Buffer.from(channel), (byte) => {
    const character = String.fromCharCode(byte);
    if (PLAIN.test(character)) return character;
    return `=${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }).join("");
  if (encoded.length <= TOKEN_LENGTH_MAX) return encoded;
  // No encoded name begins so: `L` is no hexadecimal digit.
  return `=L${createHash("sha256").update(channel).digest("base64url")}`;
}

/** The names of a stream's subjects. */
export interface Subjects {
  /** All logs. */
  readonly logs: string;
  /** All checkpoints. */
  readonly checkpoints: string;
  /** The place to which NATS publishes each record of a log again. */
  readonly republished: string;
  log(token: string): string;
  tail(token: string): string;
  checkpoint(token: string): string;
}

export function subjectsOf(stream: string): Subjects {
  return {
    logs: `${stream}.log.*`,
    checkpoints: `${stream}.producers.*`,
    republished: `${stream}.tail.{{wildcard(1)}}`,
    log: (token) => `${stream}.log.${token}`,
    tail: (token) => `${stream}.tail.${token}`,
    checkpoint: (token) => `${stream}.producers.${token}`,
  };
}
