/** The page's words and figures: of a connection, and of recent numbers. */
import type { ConnectionStatus } from "@tailwire/client";
import { describe, expect, test } from "vitest";
import { Recent } from "../page/recent.ts";
import { changeWords, noticeWords, spokenWords, statusWords } from "../page/status-words.ts";

const connected: ConnectionStatus = {
  state: "connected",
  attempt: 0,
  retryAt: null,
  reason: null,
  pending: 0,
};
const waiting: ConnectionStatus = {
  ...connected,
  state: "reconnecting",
  attempt: 1,
  retryAt: 1_400,
  reason: "closed_1006",
};

const offline: ConnectionStatus = { ...connected, state: "offline" };

describe("the status", () => {
  test("is a word", () => {
    expect(statusWords(connected)).toBe("connected");
    expect(statusWords({ ...connected, state: "idle" })).toBe("not connected yet");
  });

  test("is spoken without a countdown, and with what waits", () => {
    expect(spokenWords(waiting)).toBe("reconnecting");
    expect(spokenWords({ ...offline, pending: 3 })).toBe("offline. 3 messages wait here.");
  });
});

describe("the notice", () => {
  test("is there only while there is no connection", () => {
    expect(noticeWords(connected, 0)).toBeNull();
    expect(noticeWords({ ...connected, pending: 2 }, 0)).toBeNull();
  });

  test("counts down to the next attempt", () => {
    expect(noticeWords(waiting, 1_000)).toBe("No connection. Trying again in 0.4 s.");
  });

  test("never counts below zero", () => {
    expect(noticeWords(waiting, 2_000)).toBe("No connection. Trying again in 0.0 s.");
  });

  test("says which attempt is in progress", () => {
    expect(noticeWords({ ...waiting, retryAt: null, attempt: 3 }, 0)).toBe(
      "Trying to connect, attempt 3.",
    );
  });

  test("says how many publications wait while offline", () => {
    expect(noticeWords(offline, 0)).toBe("Offline. What is sent now will wait here.");
    expect(noticeWords({ ...offline, pending: 1 }, 0)).toBe("Offline. 1 message waits here.");
    expect(noticeWords({ ...offline, pending: 3 }, 0)).toBe("Offline. 3 messages wait here.");
  });
});

describe("a change of status", () => {
  test("says why a connection was lost, and when it comes back", () => {
    expect(changeWords(connected, waiting, 1_000)).toBe(
      "lost the connection (closed_1006), reconnecting in 0.4 s",
    );
    expect(changeWords(waiting, connected, 0)).toBe("is back");
  });

  test("says that an attempt has failed", () => {
    const trying = { ...waiting, retryAt: null };
    expect(changeWords(trying, { ...waiting, attempt: 2 }, 1_000)).toBe(
      "couldn't connect (attempt 2), reconnecting in 0.4 s",
    );
  });

  test("is worth no line when only the outbox has changed", () => {
    expect(changeWords(connected, { ...connected, pending: 1 }, 0)).toBeNull();
  });
});

describe("recent numbers", () => {
  test("have no middle when there are none", () => {
    expect(new Recent(3).percentile(0.5)).toBeNull();
  });

  test("forget the oldest", () => {
    const recent = new Recent(3);
    for (const value of [100, 3, 1, 2]) recent.add(value);
    expect(recent.percentile(0.5)).toBe(2);
    expect(recent.percentile(1)).toBe(3);
  });
});
