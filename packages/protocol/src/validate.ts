/**
 * Validates decoded messages, and describes the fault of a malformed one: a code and a path.
 *
 * `shapes.ts` decides whether a value is right. This file knows no encoding.
 */
import type { ErrorCode } from "./codes.ts";
import * as PROTOCOL_LIMITS from "./limits.ts";
import type { ClientMessage, ServerMessage } from "./messages.ts";
import { CLIENT_MESSAGES, ENVELOPE, type Field, type Fields, SERVER_MESSAGES } from "./schema.ts";
import {
  carriesOne,
  choose,
  fits,
  forbiddenKey,
  isTable,
  own,
  settlesBelow,
  type Table,
} from "./shapes.ts";

/** The fault of a message, as the `error` that answers it has it [MSG-7]. */
export interface Malformed {
  readonly code: ErrorCode;
  /** Path and rule: `publish.channel: expected a channel name`. It never quotes the message. */
  readonly detail: string;
  /** The message's id; null where it is no request id. */
  readonly re: string | null;
}

/** The result for one message: it is valid, ignored, or malformed. */
export type Decoded<Message> =
  | { readonly message: Message }
  /** Null: a type that this version doesn't know, which a client ignores [VER-3]. */
  | { readonly message: null }
  | { readonly malformed: Malformed };

/** The first fault of a value: where, and the rule that it breaks. */
interface Problem {
  readonly code: ErrorCode;
  readonly path: string;
  readonly expected: string;
}

/** Validates a message from a client. An unknown type is malformed [MSG-4]. It never throws. */
export function validateClientMessage(value: unknown): Decoded<ClientMessage> {
  const type = typeOf(value);
  if (type === null || !Object.hasOwn(CLIENT_MESSAGES, type)) {
    return malformed(value, { code: "bad_message", path: "type", expected: "a known type" });
  }
  const fields: Fields = CLIENT_MESSAGES[type as ClientMessage["type"]];
  const problem = envelopeProblem(value, ENVELOPE.client) ?? fieldsProblem(value, fields, type);
  return problem === null ? { message: value as ClientMessage } : malformed(value, problem);
}

/** Validates a message from a server. An unknown type gives null [VER-3]. It never throws. */
export function validateServerMessage(value: unknown): Decoded<ServerMessage> {
  const type = typeOf(value);
  if (type === null) {
    return malformed(value, { code: "bad_message", path: "type", expected: "text" });
  }
  if (!Object.hasOwn(SERVER_MESSAGES, type)) return { message: null };
  const fields: Fields = SERVER_MESSAGES[type as ServerMessage["type"]];
  const problem = envelopeProblem(value, ENVELOPE.server) ?? fieldsProblem(value, fields, type);
  return problem === null ? { message: value as ServerMessage } : malformed(value, problem);
}

function typeOf(value: unknown): string | null {
  return isTable(value) && typeof value["type"] === "string" ? value["type"] : null;
}

function malformed(value: unknown, problem: Problem): { readonly malformed: Malformed } {
  const id = isTable(value) ? value["id"] : null;
  const re = fits(id, ENVELOPE.client.id) ? (id as string) : null;
  const detail = `${problem.path}: expected ${problem.expected}`;
  return { malformed: { code: problem.code, detail, re } };
}

function envelopeProblem(value: unknown, fields: Fields): Problem | null {
  const key = forbiddenKey(value as Table);
  if (key === "") {
    const expected = `at most ${PROTOCOL_LIMITS.keysMax} keys`;
    return { code: "bad_message", path: "message", expected };
  }
  if (key !== null) return { code: "bad_message", path: key, expected: "no such key" };
  return fieldsProblem(value, fields, "");
}

function fieldsProblem(value: unknown, fields: Fields, path: string): Problem | null {
  if (!isTable(value)) return { code: "bad_message", path, expected: "an object" };
  for (const name in fields) {
    const field = fields[name] as Field;
    const below = path === "" ? name : `${path}.${name}`;
    const problem = fieldProblem(own(value, name), field, below);
    if (problem !== null) return problem;
  }
  if (!carriesOne(value, fields)) {
    return { code: "bad_message", path, expected: "either data or bytes" };
  }
  if (!settlesBelow(value, fields)) {
    return { code: "bad_message", path: `${path}.settled`, expected: "less than the sequence" };
  }
  return null;
}

/** Finds the innermost place that breaks a rule; null where the value fits. */
function fieldProblem(value: unknown, field: Field, path: string): Problem | null {
  if (fits(value, field)) return null;
  switch (field.kind) {
    case "optional":
    case "nullable":
      return fieldProblem(value, field.of, path);
    case "list": {
      const index = Array.isArray(value) ? value.findIndex((item) => !fits(item, field.of)) : -1;
      if (index === -1 || (value as unknown[]).length > field.max) break;
      return fieldProblem((value as unknown[])[index], field.of, `${path}.${index}`);
    }
    case "object": {
      const problem = fieldsProblem(value, field.fields, path);
      return problem === null || field.code === undefined
        ? problem
        : { ...problem, code: field.code };
    }
    case "either": {
      const chosen = choose(value, field);
      if (chosen === null) break;
      return fieldProblem(value, chosen, path);
    }
    case "channel":
      return { code: "bad_channel", path, expected: expected(field) };
    default:
  }
  return { code: "bad_message", path, expected: expected(field) };
}

/** The characters that a pattern has in brackets, in words. */
function charactersOf(pattern: RegExp | undefined): string {
  const named = pattern && /\[.+\]/.exec(pattern.source)?.[0];
  return named === undefined ? "" : ` of ${named}`;
}

/** A field's rule, in words. */
function expected(field: Field): string {
  switch (field.kind) {
    case "optional":
    case "nullable":
      return expected(field.of);
    case "data":
      return "data";
    case "bytes":
      return "bytes";
    case "boolean":
      return "true or false";
    case "integer":
      return `an integer from ${field.min} to ${field.max}`;
    case "text":
      return `text of ${field.min ?? 1} to ${field.max} characters${charactersOf(field.pattern)}`;
    case "channel":
      return "a channel name";
    case "choice":
      return field.values.map((choice) => `"${choice}"`).join(" or ");
    case "list":
      return `a list of at most ${field.max}`;
    case "object":
      return "an object";
    case "either":
      return `an object with ${field.byKey.map(([key]) => key).join(" or ")}`;
    default:
      return field satisfies never;
  }
}
