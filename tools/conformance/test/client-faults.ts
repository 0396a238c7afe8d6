// Faults of clients that take more than a line: they remember what passed on the wire.
import type { News } from "../src/clients/program.ts";
import type { Tampering } from "./own-client.ts";
import type { Line } from "./proxy.ts";

export const fields = (value: unknown): Line => Object(value) as Line;

/** Alters the lines of a type, and leaves the others. */
export const only =
  <T>(type: string, alter: (line: Line) => T) =>
  (line: Line): T | Line =>
    line.type === type ? alter(line) : line;

export const repeats = (alter: (repeat: Line, line: Line) => Line) =>
  only("publish", (line) =>
    line.repeat === undefined ? line : { ...line, repeat: alter(fields(line.repeat), line) },
  );

export const heartbeat = (factor: number): Tampering => ({
  hears: only("welcome", (line) => {
    const { intervalMs, timeoutMs } = fields(line.heartbeat);
    const scaled = [intervalMs, timeoutMs].map((ms) => Math.ceil(Number(ms) * factor));
    return { ...line, heartbeat: { intervalMs: scaled[0], timeoutMs: scaled[1] } };
  }),
});

export const isGapDue = ({ recovered }: Line): boolean => recovered === false;

/** A publication that is seen in the log isn't sent again. */
export function believesLog(): Tampering {
  const seen = new Set<unknown>();
  return {
    hears: only("publication", (line) => {
      seen.add(String(line.id).split("/")[1]);
      return line;
    }),
    sends: only("publish", (line) => (seen.has(line.id) ? null : line)),
  };
}

export function sinceLastSend(): Tampering {
  const sentAt = new Map<unknown, number>();
  return {
    sends: only("publish", (line) => {
      const last = sentAt.get(line.id);
      sentAt.set(line.id, performance.now());
      if (last === undefined) return line;
      const ageMs = Math.ceil(performance.now() - last);
      return { ...line, repeat: { ...fields(line.repeat), ageMs } };
    }),
  };
}

export function newestEpoch(): Tampering {
  let epoch: unknown;
  return {
    hears: only("ack", (line) => {
      epoch = fields(line.position).epoch ?? epoch;
      return line;
    }),
    sends: repeats((repeat) => ({ ...repeat, epoch })),
  };
}

/** A position that is named before a gap counts, as if the gap had been told. */
export function skipsGap(): Tampering {
  let start: unknown;
  return {
    sends: only("subscribe", (line) => {
      start = line.start;
      return line;
    }),
    hears: only("ack", (line) => {
      if (!isGapDue(line)) return line;
      const { position: to } = line;
      const gap = { type: "gap", id: "x", timestamp: 0, channel: "room:conf", lost: null };
      const ends = { from: start, to, continuesAfter: to };
      return [
        { ...line, position: start },
        { ...gap, ...ends, reason: "epoch" },
      ];
    }),
  };
}

/** A refusal counts as one of all that is under way. */
export function hasty(): Tampering {
  const underWay = new Set<unknown>();
  return {
    sends: only("publish", (line) => {
      underWay.add(line.id);
      return line;
    }),
    hears: only("error", (line) => {
      underWay.delete(line.re);
      const others = [...underWay].map((re) => ({ ...line, re, code: "held" }));
      underWay.clear();
      return [line, ...others];
    }),
  };
}

/** The wait before each next attempt is halved, where it should double. */
export function neverGrows(): Tampering {
  let times = 0;
  return { fraction: () => Math.random() / 2 ** (times += 1) };
}

/** A subscription of the server's counts as the answer to the client's own subscribe. */
export function takesBegun(): Tampering {
  let re: unknown;
  return {
    sends: only("subscribe", (line) => {
      re = line.id;
      return line;
    }),
    hears: only("subscribed", (line) => ({ ...line, type: "ack", re })),
  };
}

export function cancelsFirst(): Tampering {
  let first: unknown;
  return {
    sends: (line) => {
      if (line.type === "request") first ??= line.id;
      return line.type === "cancel" ? { ...line, re: first } : line;
    },
  };
}

export function asksAgain(): Tampering {
  let asked: Line | null = null;
  return {
    sends: (line) => {
      if (line.type === "request") asked = line;
      return line.type === "hello" && asked ? [line, asked] : line;
    },
  };
}

const BEARER = "tailwire.bearer.";
export const bearer =
  (alter: (encoded: string) => string | null) =>
  (offers: readonly string[]): readonly string[] =>
    offers.flatMap((offer) => {
      if (!offer.startsWith(BEARER)) return offer;
      const encoded = alter(offer.slice(BEARER.length));
      return encoded === null ? [] : BEARER + encoded;
    });

/** It has one token for ever, and brings it when it connects. */
export function oldToken(): Tampering {
  let first: string | null = null;
  return {
    offers: bearer((encoded) => (first ??= encoded)),
    hears: only("welcome", (line) => ({ ...line, expiresAt: undefined })),
  };
}

export const shifted = (news: News): News => {
  const next = <P extends { readonly offset: number }>(position: P): P => ({
    ...position,
    offset: position.offset + 1,
  });
  if (news.event === "page") return { ...news, positions: news.positions.map(next) };
  if (news.event !== "published" || !news.position) return news;
  return { ...news, position: next(news.position) };
};
