/** The tables of codes: one meaning each, and a verdict that a client can tell by itself. */
import {
  CLOSE_CODES,
  ERROR_CODES,
  type ErrorCode,
  PROTOCOL_LIMITS,
  TailwireError,
  tailwireError,
  utf8Length,
  verdictOf,
} from "@tailwire/protocol";
import { describe, expect, test } from "vitest";

const closes = Object.entries(CLOSE_CODES);
const errorCodes = Object.keys(ERROR_CODES) as ErrorCode[];

describe("[CLOSE-1] a close code's verdict", () => {
  test("is in its range, for every code there is", () => {
    for (let code = 0; code <= 5_000; code += 1) {
      const fatal = code >= 4_500 && code <= 4_999;
      expect([code, verdictOf(code)]).toEqual([code, fatal ? "fatal" : "reconnect"]);
    }
  });

  test.each([
    ["done", "reconnect"],
    ["too_large", "reconnect"],
    ["internal", "reconnect"],
    ["restarting", "reconnect"],
    ["bad_message", "reconnect"],
    ["hello_timeout", "reconnect"],
    ["heartbeat_timeout", "reconnect"],
    ["token_expired", "reconnect"],
    ["message_timeout", "reconnect"],
    ["slow_consumer", "reconnect"],
    ["rate_limited", "reconnect"],
    ["unauthenticated", "fatal"],
    ["protocol_violation", "fatal"],
    ["identity_changed", "fatal"],
    ["disconnected", "fatal"],
    ["superseded", "fatal"],
    ["session_in_use", "fatal"],
  ] as const)("of %s is %s", (name, verdict) => {
    expect(verdictOf(CLOSE_CODES[name].code)).toBe(verdict);
  });

  test("is known for each name of the table above", () => {
    expect(closes).toHaveLength(17);
  });

  test("is reconnect for what networks and proxies make up", () => {
    for (const code of [
      1000, 1001, 1002, 1005, 1006, 1008, 1011, 1013, 1014, 1015, 3000, 3999, 4000, 4499,
    ]) {
      expect(verdictOf(code)).toBe("reconnect");
    }
  });
});

test("close codes are unique, and such as a WebSocket may be closed with", () => {
  const codes = closes.map(([, { code }]) => code);
  expect(new Set(codes).size).toBe(codes.length);
  const standard = [1000, 1009, 1011, 1012];
  const strange = codes.filter((code) => !standard.includes(code) && (code < 4400 || code > 4999));
  expect(strange).toEqual([]);
});

test("[CLOSE-3] the name of a close code fits a close reason", () => {
  for (const [name] of closes) {
    expect(name).toMatch(/^[a-z]+(?:_[a-z]+)*$/);
    expect(utf8Length(name)).toBeLessThanOrEqual(PROTOCOL_LIMITS.closeReasonBytesMax);
  }
});

describe("an error code", () => {
  test.each(errorCodes)("%s is snake_case, and says whose fault it is and what to do", (code) => {
    expect(code).toMatch(/^[a-z]+(?:_[a-z]+)*$/);
    expect(code.length).toBeLessThanOrEqual(64);
    const { description, fault, retry } = ERROR_CODES[code];
    expect(description).toMatch(/^[A-Z].*\.(?: \(client library\))?$/);
    expect(description.length).toBeLessThanOrEqual(1_024);
    expect(["client", "server"]).toContain(fault);
    expect(typeof retry).toBe("boolean");
  });

  test("that is the server's to repair, and known not to have happened, may be tried again", () => {
    expect(ERROR_CODES.unavailable.retry && ERROR_CODES.expired.retry).toBe(true);
    expect(ERROR_CODES.indeterminate.retry).toBe(false);
    // A request that took too long may have been done.
    expect(ERROR_CODES.timeout.retry).toBe(false);
  });

  test("stands for itself where a close and an error tell the same", () => {
    const both = closes.map(([name]) => name).filter((name) => Object.hasOwn(ERROR_CODES, name));
    expect(both.toSorted()).toEqual([
      "bad_message",
      "identity_changed",
      "internal",
      "rate_limited",
      "too_large",
      "unauthenticated",
    ]);
  });
});

describe("a TailwireError", () => {
  test.each(errorCodes)("of %s has what the table says", (code) => {
    const error = tailwireError(code);
    expect(error).toBeInstanceOf(Error);
    expect(error).toBeInstanceOf(TailwireError);
    expect(error).toMatchObject({
      name: "TailwireError",
      code,
      retryAfterMs: null,
      ...ERROR_CODES[code],
    });
    expect(error.message).toBe(`${code}: ${ERROR_CODES[code].description}`);
  });

  test("carries a detail of this occasion behind its description", () => {
    const error = tailwireError("bad_message", "publish.event: expected text");
    expect(error.description).toBe(
      `${ERROR_CODES.bad_message.description} (publish.event: expected text)`,
    );
  });

  test("[ERR-1] takes the code of an application as it is", () => {
    const details = {
      code: "room_closed",
      description: "Ask again.",
      fault: "client",
      retry: true,
    } as const;
    expect(new TailwireError({ ...details, retryAfterMs: 50 })).toMatchObject({
      ...details,
      retryAfterMs: 50,
    });
    expect(new TailwireError(details).retryAfterMs).toBe(null);
  });
});
