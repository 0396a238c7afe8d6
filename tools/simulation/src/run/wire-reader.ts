/**
 * Reads what travels, as far as a history wants it: the text of clients by its lines as they are, which
 * is faster than to parse them, and the rest decoded.
 */
import type { ServerMessage, Encoded } from "@tailwire/protocol";
import { msgpackCodec } from "@tailwire/protocol/msgpack";
import type { Beginning, Place } from "../checker/history.ts";
import { tagOf } from "./witness.ts";

const TYPE = /"type":"([a-z]+)"/;
const ID = /"id":"([^"]+)"/;
const CHANNEL = /"channel":"([^"]+)"/;
const SEQUENCE = /"sequence":(\d+),"settled":(\d+)/;
const AGE = /"repeat":\{"ageMs":(\d+)/;
/** All tags are such that JSON writes them as they are. */
const TAG = /"data":\{"tag":"([^"]+)"/;

/** The fields of a client's message that are looked at. */
export interface Asked {
  readonly type: string;
  readonly id: string;
  readonly channel: string | null;
  readonly start: Beginning | null;
}

/** A publication on its way out of a client. */
export interface Sent {
  readonly id: string;
  readonly tag: string;
  readonly ageMs: number | null;
  readonly channel: string;
  readonly sequence: number;
  readonly settled: number;
}

/** The fields of a node's message that are looked at, where it isn't a publication. */
export interface Heard {
  readonly type: string;
  readonly re: string | null;
  readonly code: string | null;
  readonly retry: boolean;
  readonly channel: string | null;
  readonly position: Place | null;
  /** Where delivery goes on after a gap. */
  readonly continuesAfter: Place | null;
  readonly recovered: boolean | null;
  readonly duplicate: boolean;
  /** Whether it has entries of a log in it. */
  readonly hasEntries: boolean;
}

type Fields = Readonly<Record<string, unknown>>;

/** Requests of a client, as text or as bytes that are shown as Latin-1. */
export function askedIn(text: string): readonly Asked[] {
  if (!text.startsWith("{")) return unpacked(Buffer.from(text, "latin1")).map(askedOf);
  return text.split("\n").flatMap((line) => {
    const id = ID.exec(line)?.[1];
    const type = TYPE.exec(line)?.[1] ?? "";
    if (id === undefined) return [];
    if (type === "subscribe") return [askedOf(JSON.parse(line) as Fields)];
    return [{ type, id, channel: CHANNEL.exec(line)?.[1] ?? null, start: null }];
  });
}

function askedOf({ type, id, channel = null, start = null }: Fields): Asked {
  return { type, id, channel, start } as Asked;
}

/** The publications that a client sends. */
export function sentIn(wire: Encoded): readonly Sent[] {
  if (typeof wire !== "string") {
    return unpacked(wire).flatMap((message) => {
      const { type, id, channel, repeat, data, bytes } = message;
      if (type !== "publish") return [];
      const tag = tagOf(bytes ?? data);
      const { ageMs = null } = (repeat ?? {}) as { readonly ageMs?: number };
      const [sequence, settled] = [Number(message["sequence"]), Number(message["settled"])];
      return [{ id: String(id), tag, ageMs, channel: String(channel), sequence, settled }];
    });
  }
  if (!wire.includes('"type":"publish"')) return [];
  return wire.split("\n").flatMap((line) => {
    if (!line.startsWith('{"type":"publish"')) return [];
    const id = ID.exec(line)?.[1] ?? "";
    const tag = TAG.exec(line)?.[1] ?? parsedTag(line);
    const age = AGE.exec(line)?.[1];
    const channel = CHANNEL.exec(line)?.[1] ?? "";
    const [sequence = NaN, settled = NaN] = SEQUENCE.exec(line)?.slice(1).map(Number) ?? [];
    return [{ id, tag, ageMs: age === undefined ? null : Number(age), channel, sequence, settled }];
  });
}

function parsedTag(line: string): string {
  const { data, bytes } = JSON.parse(line) as Fields & { readonly bytes?: string };
  return tagOf(bytes === undefined ? data : new Uint8Array(Buffer.from(bytes, "base64")));
}

function unpacked(bytes: Uint8Array): readonly Fields[] {
  return msgpackCodec.decodeClientMessages(bytes).flatMap((decoded) => {
    const message = "message" in decoded ? decoded.message : null;
    return message === null ? [] : [{ ...message }];
  });
}

/** The channel of a run of publications; null where it isn't one. */
export function publishedIn(wire: Encoded): string | null {
  if (typeof wire === "string") {
    return wire.startsWith('{"type":"publication"') ? (CHANNEL.exec(wire)?.[1] ?? null) : null;
  }
  const head = latin1.decode(wire.subarray(0, 400));
  if (!head.slice(0, 24).includes("publication")) return null;
  return PACKED_CHANNEL.exec(head)?.[1] ?? null;
}

/** After the key comes the kind of what follows, a short text, with its length. */
const PACKED_CHANNEL = /channel[\u00a0-\u00bf]([a-z]+:\w+)/;

/** The fields of a node's message that are looked at. */
export function heardOf(message: ServerMessage): Heard {
  const { type, re, code, retry, channel, position, continuesAfter } = message as unknown as Fields;
  const { recovered, duplicate, publications } = message as unknown as Fields;
  return {
    type: String(type),
    re: (re ?? null) as string | null,
    code: (code ?? null) as string | null,
    retry: retry === true,
    channel: (channel ?? null) as string | null,
    position: (position ?? null) as Place | null,
    continuesAfter: (continuesAfter ?? null) as Place | null,
    recovered: (recovered ?? null) as boolean | null,
    duplicate: duplicate === true,
    hasEntries: publications !== undefined,
  };
}

const latin1 = new TextDecoder("latin1");
