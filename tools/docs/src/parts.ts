/** Every generated part of the documents, by name: each from the table in the code that it shows. */
import { readFileSync } from "node:fs";
import { benchParts } from "@tailwire/bench";
import {
  CLIENT_LIMITS,
  CONNECTION_STATES as CLIENT_STATES,
  ENTRY_STATES,
  LIFE_STATES,
  PROGRESS_STATES,
  TAKER_STATES,
  WIRE_STATES,
} from "@tailwire/client/core";
import { CLOSE_CODES, ERROR_CODES, PROTOCOL_LIMITS, verdictOf } from "@tailwire/protocol";
import {
  ACCEPTANCES,
  CONNECTION_STATES as SERVER_STATES,
  DEFAULT_LIMITS,
  type Limits,
} from "@tailwire/server/core";
import { stateDiagram } from "./diagrams.ts";
import { commentsOf } from "./limit-comments.ts";
import type { Part } from "./markers.ts";
import { resultsOf } from "./results.ts";
import { grouped, table } from "./tables.ts";

/** The parts, with the repository's root to read comments from. */
export function partsOf(root: string): Readonly<Record<string, Part>> {
  const limits =
    (path: string, values: Readonly<Record<string, number>>) => (): readonly string[] => {
      const comments = commentsOf(readFileSync(`${root}/${path}`, "utf8"));
      return table(
        ["limit", "default", "why, and what happens at it"],
        Object.entries(values).map(([name, value]) => [
          `\`${name}\``,
          grouped(value),
          comments.get(name) ?? missing(name, path),
        ]),
      );
    };
  return {
    "server states": () => stateDiagram(SERVER_STATES, "awaiting hello"),
    "client states": () => stateDiagram(CLIENT_STATES, "idle"),
    "wire states": () => stateDiagram(WIRE_STATES, "idle"),
    "entry states": () => stateDiagram(ENTRY_STATES, "unsent"),
    "life states": () => stateDiagram(LIFE_STATES, "pending"),
    "progress states": () => stateDiagram(PROGRESS_STATES, "behind"),
    "taker states": () => stateDiagram(TAKER_STATES, "nobody"),
    acceptances,
    "reconnection flow": reconnectionFlow,
    timers,
    "error codes": errorCodes,
    "close codes": closeCodes,
    limits: () =>
      table(
        ["limit", "value"],
        Object.entries(PROTOCOL_LIMITS).map(([name, value]) => [`\`${name}\``, grouped(value)]),
      ),
    "server limits": limits("packages/server/src/limits.ts", { ...DEFAULT_LIMITS }),
    "client limits": limits("packages/client/src/limits.ts", CLIENT_LIMITS),
    ...benchParts(root),
    ...resultsOf(root),
    "protocol limits": limits("packages/protocol/src/limits.ts", PROTOCOL_LIMITS),
  };
}

function missing(name: string, path: string): never {
  throw new Error(`${path}: ${name} has no reason`);
}

function acceptances(): readonly string[] {
  const states = Object.keys(ACCEPTANCES) as (keyof typeof ACCEPTANCES)[];
  const types = Object.keys(ACCEPTANCES.open) as (keyof typeof ACCEPTANCES.open)[];
  return table(
    ["message", ...states],
    types.map((type) => [`\`${type}\``, ...states.map((state) => ACCEPTANCES[state][type])]),
  );
}

/** Timers of the server with a limit each: what is waited for, the limit, what happens then, the clause. */
const SERVER_TIMERS: readonly (readonly [string, keyof Limits, string, string])[] = [
  ["`hello`", "helloTimeoutMs", "close 4408", "CONN-1"],
  ["the next `ping`", "pingIntervalMs", "`ping`", "LIVE-1"],
  ["any sign of life after two pings", "pongTimeoutMs", "close 4409", "LIVE-1"],
  ["a write to leave", "stallMs", "close 4413", "FLOW-2"],
  ["a message to be complete", "messageMs", "close 4411", "CONN-9"],
  ["a fresh token, after the end of one", "expiryGraceMs", "close 4410", "AUTH-9"],
  ["the older connection to go, with `overlap`", "overlapMs", "close 4509", "CONN-6"],
  ["the application to decide or change", "hookMs", "`unavailable`", "AUTH-11, PUB-13"],
  ["the application's answer to `request`", "requestMs", "`timeout`", "REQ-2"],
  ["the broker's answer to an append", "appendMs", "`indeterminate`", "PUB-10"],
  ["a repeat of a publication's id", "dedupeMs", "the id may be forgotten", "PUB-4, PUB-6"],
];

/** The timers: when each runs out, and what happens then. */
function timers(): readonly string[] {
  const { backoffMinMs, backoffMaxMs } = CLIENT_LIMITS;
  const { pingIntervalMs, pongTimeoutMs } = DEFAULT_LIMITS;
  const silence = grouped(pingIntervalMs + pongTimeoutMs);
  const backoff = `up to ${grouped(backoffMinMs)} … ${grouped(backoffMaxMs)}`;
  return table(
    ["what is waited for", "by", "ms", "when it has run out", "clause"],
    [
      ...SERVER_TIMERS.map(([awaited, limit, then, clause]) => [
        awaited,
        "server",
        grouped(DEFAULT_LIMITS[limit]),
        then,
        clause,
      ]),
      ["any sign of life", "client", silence, "drops the socket, reconnects", "LIVE-3"],
      ["the next attempt", "client", backoff, "connects", "CLOSE-4"],
    ],
  );
}

function errorCodes(): readonly string[] {
  return table(
    ["code", "fault", "retry", "what happened, and what to do"],
    Object.entries(ERROR_CODES).map(([code, { fault, retry, description }]) => [
      `\`${code}\``,
      fault,
      retry ? "yes" : "no",
      description,
    ]),
  );
}

function closeCodes(): readonly string[] {
  return table(
    ["code", "reason", "verdict", "meaning"],
    Object.entries(CLOSE_CODES).map(([name, { code, meaning }]) => [
      `${code}`,
      `\`${name}\``,
      verdictOf(code),
      meaning,
    ]),
  );
}

function reconnectionFlow(): readonly string[] {
  const { backoffMinMs, backoffMaxMs, stableMs, connectMs } = CLIENT_LIMITS;
  const seconds = (ms: number): string => `${ms / 1_000} s`;
  return [
    "```mermaid",
    "flowchart TD",
    "    lost([the connection is lost, or an attempt fails]) --> fatal{close code 4500–4999?}",
    "    fatal -- yes --> closed([closed: everything that waits is told])",
    "    fatal -- the first 4501, and a fresh token can be had --> wait",
    `    fatal -- no --> stable{was it up for ${seconds(stableMs)}?}`,
    "    stable -- yes --> reset[the waits begin anew] --> wait",
    `    stable -- no --> wait["wait a random time up to ${seconds(backoffMinMs)}, ${seconds(backoffMinMs * 2)}, ${seconds(backoffMinMs * 4)} … ${seconds(backoffMaxMs)}"]`,
    `    wait --> connect["token, socket, hello: ${seconds(connectMs)} at most"]`,
    "    connect -- fails --> lost",
    "    connect -- welcome --> resume[every subscription from its position, the outbox in order, under the same ids]",
    "    resume --> caught[gap-free, or a counted gap; then live]",
    "```",
  ];
}
