/** Descriptions of a client's own errors: sentences on Node, the bare detail in a page's production build. */
import { expect, test } from "vitest";
import type { LocalErrorCode } from "../src/local-codes.ts";
import { describe as full } from "../src/words-full.ts";
import { describe as short } from "../src/words-short.ts";

const CODES = {
  bad_message: true,
  bad_channel: true,
  bad_position: true,
  too_large: true,
  invalid_data: true,
  unauthenticated: true,
  timeout: true,
  indeterminate: true,
  closed: true,
  outbox_full: true,
  ttl_expired: true,
  connect_failed: true,
  missing_websocket: true,
  unheard: true,
} satisfies Record<LocalErrorCode, true>;

test.each(Object.keys(CODES))(
  "%s is described in sentences, of which a page is sent none",
  (code) => {
    expect(full(code)).toMatch(/^[A-Z].*\.$/);
    expect(full(code, "start at 7")).toMatch(/\bstart at 7\b/);
    expect(full(code, "start at 7").length).toBeGreaterThanOrEqual(30);
    expect(short(code)).toBe("see PROTOCOL.md");
    expect(short(code, "start at 7")).toBe("start at 7");
  },
);

test("a code of the application's own has its words, and says that the client is closed", () => {
  expect(full("banned", "Until Monday.")).toBe(
    "The server has closed this client for good. (Until Monday.)",
  );
});

test.each([
  ["http_429 at ws://a/b", /^http_429 at ws:\/\/a\/b\. That isn't a tailwire server's answer\./],
  ["silent at ws://a/b", /^silent at ws:\/\/a\/b\. It is tried again\.$/],
  ["forbidden_origin at ws://a/b: No.", /: No\. The server lets in no pages of this origin/],
])("a connection that failed with %s is described with what to do", (detail, words) => {
  expect(full("connect_failed", detail)).toMatch(words);
});
