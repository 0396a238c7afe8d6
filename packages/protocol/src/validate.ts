/**
 * Validates what came off the wire against the tables of `schema.ts`.
 *
 * Unknown fields are ignored, data is never looked into, and whatever is wrong comes back as a
 * code with a path. This file doesn't know an encoding.
 */
import { isChannelName } from "./channel-name.ts";
import type { ErrorCode } from "./codes.ts";
import { PROTOCOL_LIMITS } from "./limits.ts";
import type { ClientMessage, ServerMessage } from "./messages.ts";
import { CLIENT_MESSAGES, ENVELOPE, type Field, type Fields, SERVER_MESSAGES } from "./schema.ts";

/** Why a message was refused, and which request that answers, where its id could be read. */
export interface Malformed {
  readonly code: ErrorCode;
  /** Where and what: `publish.channel: expected a channel name`. It never quotes the message. */
  readonly detail: string;
  readonly re: string | null;
}

export type Decoded<Message> =
  | { readonly message: Message }
  /** Null: a type of a later revision, which a client has to ignore [VER-3]. */
  | { readonly message: null }
  | { readonly malformed: Malformed };

/** What is wrong with a value: null when nothing is. */
interface Problem {
  readonly code: ErrorCode;
  readonly path: string;
  readonly expected: string;
}

/** Validates a message from a client. A type that isn't known is malformed [MSG-4]. */
export function validateClientMessage(value: unknown): Decoded<ClientMessage> {
  const type = typeOf(value);
  if (type === null || !Object.hasOwn(CLIENT_MESSAGES, type)) {
    return malformed(value, { code: "bad_message", path: "type", expected: "a known type" });
  }
  const fields: Fields = CLIENT_MESSAGES[type as ClientMessage["type"]];
  const problem = envelopeProblem(value, ENVELOPE.client) ?? fieldsProblem(value, fields, type);
  return problem === null ? { message: value as ClientMessage } : malformed(value, problem);
}

/** Validates a message from a server. A type that isn't known is ignored [VER-3]. */
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

type Table = Readonly<Record<string, unknown>>;

function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function typeOf(value: unknown): string | null {
  return isTable(value) && typeof value["type"] === "string" ? value["type"] : null;
}

function malformed(value: unknown, problem: Problem): { readonly malformed: Malformed } {
  const id = isTable(value) ? value["id"] : null;
  const re = fieldProblem(id, ENVELOPE.client.id, "id") === null ? (id as string) : null;
  const detail = `${problem.path}: expected ${problem.expected}`;
  return { malformed: { code: problem.code, detail, re } };
}

function envelopeProblem(value: unknown, fields: Fields): Problem | null {
  let keys = 0;
  for (const key in value as Table) {
    keys += 1;
    // A key that some languages' objects take for their own machinery [MSG-5].
    if (key === "__proto__" || key === "constructor" || key === "prototype") {
      return { code: "bad_message", path: key, expected: "no such key" };
    }
  }
  if (keys > PROTOCOL_LIMITS.keysMax) {
    return {
      code: "bad_message",
      path: "message",
      expected: `at most ${PROTOCOL_LIMITS.keysMax} keys`,
    };
  }
  return fieldsProblem(value, fields, "");
}

function fieldsProblem(value: unknown, fields: Fields, path: string): Problem | null {
  if (!isTable(value)) return { code: "bad_message", path, expected: "an object" };
  for (const name in fields) {
    const field = fields[name] as Field;
    const problem = fieldProblem(
      Object.hasOwn(value, name) ? value[name] : undefined,
      field,
      path === "" ? name : `${path}.${name}`,
    );
    if (problem !== null) return problem;
  }
  return null;
}

function fieldProblem(value: unknown, field: Field, path: string): Problem | null {
  switch (field.kind) {
    case "optional":
      return value === undefined ? null : fieldProblem(value, field.of, path);
    case "nullable":
      return value === null ? null : fieldProblem(value, field.of, path);
    case "data":
      return expect(value !== undefined, path, "data");
    case "boolean":
      return expect(typeof value === "boolean", path, "true or false");
    case "integer":
      return expect(
        Number.isSafeInteger(value) &&
          (value as number) >= field.min &&
          (value as number) <= field.max,
        path,
        `an integer from ${field.min} to ${field.max}`,
      );
    case "text":
      return expect(
        isText(value, field),
        path,
        `text of ${field.min ?? 1} to ${field.max} characters`,
      );
    case "channel":
      return typeof value === "string" && isChannelName(value)
        ? null
        : { code: "bad_channel", path, expected: "a channel name" };
    case "choice":
      return expect(
        typeof value === "string" && field.values.includes(value),
        path,
        field.values.map((choice) => `"${choice}"`).join(" or "),
      );
    case "list":
      if (!Array.isArray(value) || value.length > field.max) {
        return { code: "bad_message", path, expected: `a list of at most ${field.max}` };
      }
      for (const [index, item] of value.entries()) {
        const problem = fieldProblem(item, field.of, `${path}.${index}`);
        if (problem !== null) return problem;
      }
      return null;
    case "object": {
      const problem = fieldsProblem(value, field.fields, path);
      return problem === null || field.code === undefined
        ? problem
        : { ...problem, code: field.code };
    }
    case "either": {
      if (!isTable(value) && field.text !== null) return fieldProblem(value, field.text, path);
      const found = isTable(value)
        ? field.byKey.find(([key]) => Object.hasOwn(value, key))
        : undefined;
      const keys = field.byKey.map(([key]) => key).join(" or ");
      return found === undefined
        ? { code: "bad_message", path, expected: `an object with ${keys}` }
        : fieldProblem(value, found[1], path);
    }
    default:
      return field satisfies never;
  }
}

function expect(holds: boolean, path: string, expected: string): Problem | null {
  return holds ? null : { code: "bad_message", path, expected };
}

function isText(value: unknown, field: Extract<Field, { kind: "text" }>): boolean {
  return (
    typeof value === "string" &&
    value.length >= (field.min ?? 1) &&
    value.length <= field.max &&
    (field.pattern?.test(value) ?? true)
  );
}
