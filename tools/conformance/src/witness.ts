/**
 * A witness: what must hold on every connection, whatever is being judged on it.
 *
 * It is told what is sent and what comes, and notes what breaks a clause. It sends nothing.
 */
import {
  type Ack,
  CLOSE_CODES,
  ERROR_CODES,
  type ErrorMessage,
  jsonCodec,
  type Position,
  type ServerMessage,
} from "@tailwire/protocol";
import { type Breach, quote } from "./verdict.ts";

/** Codes that a client library makes for itself. */
const NEVER_SENT: ReadonlySet<string> = new Set(["closed", "outbox_full", "ttl_expired"]);

const CLOSE_NAMES = new Map<number, string>(
  Object.entries(CLOSE_CODES).map(([name, { code }]) => [code, name]),
);

/** The state of a subscription by all that it has been sent up to now. */
interface Followed {
  position: Position;
  timestamp: number;
  /** How many `caughtup` may still come: one per subscribe and per gap. */
  caughtUpsOwed: number;
}

interface Sent {
  readonly type: unknown;
  readonly channel: unknown;
  readonly start: unknown;
}

export class Witness {
  readonly breaches: Breach[] = [];
  /** Requests without an answer, by id. */
  readonly #open = new Map<string, Sent[]>();
  readonly #followed = new Map<string, Followed>();
  /** By channel, the clause by which nothing of it may come any more. */
  readonly #unfollowed = new Map<string, string>();

  /** Notes what goes out, line by line; lines that aren't JSON have no id to be answered by. */
  sent(text: string): void {
    for (const line of text.split("\n")) {
      const value = parse(line);
      if (typeof value !== "object" || value === null) continue;
      const { id, type, channel, start } = value as Record<string, unknown>;
      if (typeof id !== "string") continue;
      this.#open.set(id, [...(this.#open.get(id) ?? []), { type, channel, start }]);
    }
  }

  /** Reads one WebSocket message: the messages of it that are well-formed, with their lines. */
  came(text: string): { readonly message: ServerMessage; readonly line: string }[] {
    const lines = text.split("\n");
    if (lines.at(-1) === "") lines.pop();
    return lines.flatMap((line) => {
      if (parse(line) === undefined) {
        this.#note("ENC-1", `a line isn't JSON: ${quote(line)}`);
        return [];
      }
      const [decoded = { message: null }] = jsonCodec.decodeServerMessages(line);
      if ("malformed" in decoded) {
        this.#note("MSG-1", `${decoded.malformed.detail}: ${quote(line)}`);
        return [];
      }
      if (decoded.message === null) return [];
      this.#read(decoded.message);
      return [{ message: decoded.message, line }];
    });
  }

  cameBinary(): void {
    this.#note("ENC-1", "a binary WebSocket message came");
  }

  closed(code: number, reason: string): void {
    // WebSocket libraries refuse a long message by themselves, and give no reason.
    if (code === CLOSE_CODES.too_large.code && reason === "") return;
    const name = CLOSE_NAMES.get(code);
    const named = name === undefined || reason === name || reason.startsWith(`${name}: `);
    if (!named) this.#note("CLOSE-3", `the reason of ${code} is ${quote(reason)}, not ${name}`);
  }

  #read(message: ServerMessage): void {
    switch (message.type) {
      case "welcome":
      case "pong":
        this.#answered(message.re, message.type);
        return;
      case "ack": {
        const request = this.#answered(message.re, "ack");
        if (request !== null) this.#acknowledged(request, message);
        return;
      }
      case "error":
        if (message.re !== undefined) this.#answered(message.re, "error");
        this.#readError(message);
        return;
      case "subscribed":
        this.#followed.set(message.channel, begun(message.position));
        return;
      case "unsubscribed":
        this.#followed.delete(message.channel);
        this.#unfollowed.set(message.channel, "SUB-9");
        return;
      case "publication":
      case "gap":
      case "epoch":
      case "caughtup":
        this.#delivered(message);
        return;
      default:
    }
  }

  #answered(re: string, by: string): Sent | null {
    const request = this.#open.get(re)?.shift();
    if (request === undefined) {
      this.#note("MSG-3", `${by} answers ${quote(re)}, which has its answer or wasn't asked`);
    }
    return request ?? null;
  }

  #acknowledged({ type, channel, start }: Sent, { position, recovered }: Ack): void {
    if (typeof channel !== "string") return;
    if (type === "unsubscribe") {
      this.#followed.delete(channel);
      this.#unfollowed.set(channel, "SUB-5");
    }
    if (type !== "subscribe") return;
    if (position === undefined) return this.#note("SUB-1", "ack of subscribe without a position");
    this.#followed.set(channel, begun(position));
    const fromPosition = typeof start === "object" && start !== null && !("rewind" in start);
    if (fromPosition !== (recovered !== undefined)) {
      this.#note("SUB-3", `start ${quote(start)}, and the ack's recovered is ${quote(recovered)}`);
    }
  }

  #readError({ code, fault, retry }: ErrorMessage): void {
    if (NEVER_SENT.has(code)) this.#note("ERR-1", `"${code}" is the client library's own`);
    const known = Object.entries(ERROR_CODES).find(([name]) => name === code)?.[1];
    if (known === undefined || (known.fault === fault && known.retry === retry)) return;
    this.#note("ERR-1", `"${code}" came with fault ${fault} and retry ${retry}`);
  }

  #delivered(
    message: Extract<ServerMessage, { type: "publication" | "gap" | "epoch" | "caughtup" }>,
  ): void {
    const { type, channel } = message;
    const followed = this.#followed.get(channel);
    if (followed === undefined) {
      const ended = this.#unfollowed.get(channel);
      if (ended !== undefined) this.#note(ended, `${type} after the subscription's end`);
      else this.#note("SUB-1", `${type} before subscribe's ack`);
      return;
    }
    switch (type) {
      case "publication":
        return this.#chained(followed, message);
      case "gap":
        if (!same(message.from, followed.position)) {
          this.#note("DEL-4", `gap from ${quote(message.from)} at ${quote(followed.position)}`);
        }
        followed.position = message.continuesAfter;
        followed.caughtUpsOwed += 1;
        return;
      case "epoch":
        followed.position = message.position;
        return;
      case "caughtup":
        followed.caughtUpsOwed -= 1;
        if (followed.caughtUpsOwed < 0) this.#note("DEL-8", "caughtup came once too often");
        if (!same(message.position, followed.position)) {
          const where = `${quote(message.position)}, delivered up to ${quote(followed.position)}`;
          this.#note("DEL-8", `caughtup at ${where}`);
        }
        return;
      default:
        message satisfies never;
    }
  }

  #chained(
    followed: Followed,
    { id, offset, timestamp }: Extract<ServerMessage, { type: "publication" }>,
  ): void {
    const at = followed.position.offset;
    if (offset <= at) return this.#note("DEL-3", `publication ${offset} came after ${at}`);
    if (offset > at + 1) this.#note("DEL-2", `publication ${offset} came right after ${at}`);
    if (timestamp < followed.timestamp) this.#note("DEL-3", `the timestamp of ${offset} goes back`);
    followed.position = { epoch: followed.position.epoch, offset, id };
    followed.timestamp = timestamp;
  }

  #note(clause: string, note: string): void {
    this.breaches.push({ clause, note });
  }
}

function begun(position: Position): Followed {
  return { position, timestamp: 0, caughtUpsOwed: 1 };
}

function same(a: Position, b: Position): boolean {
  return a.epoch === b.epoch && a.offset === b.offset;
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
