/** Negotiation: which subprotocol is taken, and where a token rides along. */
import {
  BEARER_PREFIX,
  bearerOffer,
  chooseSubprotocol,
  PROTOCOL_VERSION,
  SUBPROTOCOL_JSON,
  SUBPROTOCOL_MSGPACK,
} from "@tailwire/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

const JSON_ONLY = [{ subprotocol: SUBPROTOCOL_JSON }] as const;
const BOTH = [...JSON_ONLY, { subprotocol: SUBPROTOCOL_MSGPACK }] as const;

function chosenOf(
  offers: Iterable<string>,
  supported: typeof JSON_ONLY | typeof BOTH = JSON_ONLY,
): string | null {
  return chooseSubprotocol(offers, supported)?.subprotocol ?? null;
}

describe("[VER-6] MessagePack is taken where it is offered first and known", () => {
  test.each([
    [["tailwire.v1.msgpack", "tailwire.v1.json"], "tailwire.v1.msgpack"],
    [["tailwire.v1.json", "tailwire.v1.msgpack"], "tailwire.v1.json"],
    [["tailwire.v1.msgpack"], "tailwire.v1.msgpack"],
  ])("of %j it is %s", (offers, chosen) => {
    expect(chosenOf(offers, BOTH)).toBe(chosen);
  });

  test("a server that doesn't know it passes over it", () => {
    expect(chosenOf(["tailwire.v1.msgpack", "tailwire.v1.json"])).toBe("tailwire.v1.json");
    expect(chosenOf(["tailwire.v1.msgpack"])).toBe(null);
  });
});

describe("[VER-2] the first offer that is supported is taken", () => {
  test.each([
    [["tailwire.v1.json"], "tailwire.v1.json"],
    [["tailwire.v9.json", "tailwire.v1.json"], "tailwire.v1.json"],
    [["tailwire.v1.json", "tailwire.v9.json"], "tailwire.v1.json"],
    [["graphql-transport-ws", `${BEARER_PREFIX}abc`, "tailwire.v1.json"], "tailwire.v1.json"],
    [["tailwire.v9.json"], null],
    [[], null],
    [[""], null],
    [["TAILWIRE.V1.JSON"], null],
    [["tailwire.v1.json "], null],
    [["tailwire.v1"], null],
    [["tailwire.v1.jsonx"], null],
  ])("of %j it is %s", (offers, chosen) => {
    expect(chosenOf(offers)).toBe(chosen);
    expect(chosenOf(new Set(offers))).toBe(chosen);
  });

  test("nothing is taken that wasn't offered, nor what isn't supported", () => {
    const offer = fc.oneof(
      fc.string(),
      fc.constantFrom(SUBPROTOCOL_JSON, SUBPROTOCOL_MSGPACK, `${BEARER_PREFIX}x`),
    );
    fc.assert(
      fc.property(fc.array(offer), (offers) => {
        const chosen = chosenOf(offers);
        expect(chosen).toBe(offers.includes(SUBPROTOCOL_JSON) ? SUBPROTOCOL_JSON : null);
      }),
    );
  });

  test("every subprotocol names this version", () => {
    for (const { subprotocol } of BOTH) expect(subprotocol).toMatch(`.v${PROTOCOL_VERSION}.`);
  });
});

describe("[AUTH-2] a token rides along as an offer", () => {
  test.each([
    [["tailwire.v1.json", "tailwire.bearer.YWJj"], "YWJj"],
    [["tailwire.bearer.YWJj", "tailwire.v1.json"], "YWJj"],
    [["tailwire.bearer.YQ", "tailwire.bearer.Yg"], "YQ"],
    [["tailwire.v1.json"], null],
    [["xtailwire.bearer.YWJj"], null],
    [["tailwire.bearer"], null],
    [[], null],
  ])("of %j it is %s", (offers, token) => {
    expect(bearerOffer(offers)).toBe(token);
  });

  test("which is never taken for a subprotocol", () => {
    fc.assert(
      fc.property(fc.base64String(), (token) => {
        expect(chosenOf([BEARER_PREFIX + token], BOTH)).toBe(null);
        expect(bearerOffer(["x", BEARER_PREFIX + token])).toBe(token);
      }),
    );
  });
});
