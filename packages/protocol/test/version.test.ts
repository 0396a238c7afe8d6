/** Negotiation: which subprotocol is taken, and where a token rides along. */
import {
  BEARER_PREFIX,
  bearerOffer,
  chooseSubprotocol,
  PROTOCOL_VERSION,
  SUBPROTOCOL_JSON,
  SUBPROTOCOLS,
} from "@tailwire/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

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
    expect(chooseSubprotocol(offers)).toBe(chosen);
    expect(chooseSubprotocol(new Set(offers))).toBe(chosen);
  });

  test("nothing is taken that wasn't offered, nor what isn't supported", () => {
    const offer = fc.oneof(fc.string(), fc.constantFrom(...SUBPROTOCOLS, `${BEARER_PREFIX}x`));
    fc.assert(
      fc.property(fc.array(offer), (offers) => {
        const chosen = chooseSubprotocol(offers);
        expect(chosen).toBe(offers.includes(SUBPROTOCOL_JSON) ? SUBPROTOCOL_JSON : null);
      }),
    );
  });

  test("every subprotocol names this version", () => {
    for (const subprotocol of SUBPROTOCOLS) expect(subprotocol).toMatch(`.v${PROTOCOL_VERSION}.`);
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
        expect(chooseSubprotocol([BEARER_PREFIX + token])).toBe(null);
        expect(bearerOffer(["x", BEARER_PREFIX + token])).toBe(token);
      }),
    );
  });
});
