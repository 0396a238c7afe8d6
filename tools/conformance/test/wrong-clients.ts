// Clients that are wrong in one way: tailwire's own, tampered with. Each has the clause that it breaks.
import type { News } from "../src/clients/program.ts";
import type { Tampering } from "./own-client.ts";
import type { Line } from "./proxy.ts";

export interface WrongClient {
  readonly does: string;
  readonly breaks: string;
  /** A part of the judge's note, so that it isn't found for another reason. */
  readonly finds: string;
  /** Made for each client anew: many remember what they saw. */
  readonly faults: () => Tampering;
}

const fields = (value: unknown): Line => Object(value) as Line;

/** Alters the lines of a type, and leaves the others. */
const only =
  <T>(type: string, alter: (line: Line) => T) =>
  (line: Line): T | Line =>
    line.type === type ? alter(line) : line;

const repeats = (alter: (repeat: Line, line: Line) => Line) =>
  only("publish", (line) =>
    line.repeat === undefined ? line : { ...line, repeat: alter(fields(line.repeat), line) },
  );

const heartbeat = (factor: number): Tampering => ({
  hears: only("welcome", (line) => {
    const { intervalMs, timeoutMs } = fields(line.heartbeat);
    const scaled = [intervalMs, timeoutMs].map((ms) => Math.ceil(Number(ms) * factor));
    return { ...line, heartbeat: { intervalMs: scaled[0], timeoutMs: scaled[1] } };
  }),
});

const isGapDue = ({ recovered }: Line): boolean => recovered === false;

/** A publication that is seen in the log isn't sent again. */
function believesLog(): Tampering {
  const seen = new Set<unknown>();
  return {
    hears: only("publication", (line) => {
      seen.add(String(line.id).split("/")[1]);
      return line;
    }),
    sends: only("publish", (line) => (seen.has(line.id) ? null : line)),
  };
}

function sinceLastSend(): Tampering {
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

function newestEpoch(): Tampering {
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
function skipsGap(): Tampering {
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
function hasty(): Tampering {
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
function neverGrows(): Tampering {
  let times = 0;
  return { fraction: () => Math.random() / 2 ** (times += 1) };
}

/** A subscription of the server's counts as the answer to the client's own subscribe. */
function takesBegun(): Tampering {
  let re: unknown;
  return {
    sends: only("subscribe", (line) => {
      re = line.id;
      return line;
    }),
    hears: only("subscribed", (line) => ({ ...line, type: "ack", re })),
  };
}

function cancelsFirst(): Tampering {
  let first: unknown;
  return {
    sends: (line) => {
      if (line.type === "request") first ??= line.id;
      return line.type === "cancel" ? { ...line, re: first } : line;
    },
  };
}

function asksAgain(): Tampering {
  let asked: Line | null = null;
  return {
    sends: (line) => {
      if (line.type === "request") asked = line;
      return line.type === "hello" && asked ? [line, asked] : line;
    },
  };
}

const BEARER = "tailwire.bearer.";
const bearer =
  (alter: (encoded: string) => string | null) =>
  (offers: readonly string[]): readonly string[] =>
    offers.flatMap((offer) => {
      if (!offer.startsWith(BEARER)) return offer;
      const encoded = alter(offer.slice(BEARER.length));
      return encoded === null ? [] : BEARER + encoded;
    });

/** It has one token for ever, and brings it when it connects. */
function oldToken(): Tampering {
  let first: string | null = null;
  return {
    offers: bearer((encoded) => (first ??= encoded)),
    hears: only("welcome", (line) => ({ ...line, expiresAt: undefined })),
  };
}

const shifted = (news: News): News => {
  const next = <P extends { readonly offset: number }>(position: P): P => ({
    ...position,
    offset: position.offset + 1,
  });
  if (news.event === "page") return { ...news, positions: news.positions.map(next) };
  if (news.event !== "published" || !news.position) return news;
  return { ...news, position: next(news.position) };
};

export const WRONG_CLIENTS: readonly WrongClient[] = [
  {
    does: "says that nothing is old",
    breaks: "PUB-5",
    finds: "its age is 0 ms",
    faults: () => ({ sends: repeats((repeat) => ({ ...repeat, ageMs: 0 })) }),
  },
  {
    does: "counts ages from the last send",
    breaks: "PUB-5",
    finds: "its age is",
    faults: sinceLastSend,
  },
  {
    does: "repeats without the epoch",
    breaks: "PUB-5",
    finds: "it was sent under",
    faults: () => ({ sends: repeats(({ ageMs }) => ({ ageMs })) }),
  },
  {
    does: "repeats under the epoch that it knows by then",
    breaks: "PUB-5",
    finds: "it didn't know the epoch",
    faults: newestEpoch,
  },
  {
    does: "tells the place behind a publication's",
    breaks: "PUB-1",
    finds: "stands at",
    faults: () => ({ tells: shifted }),
  },
  {
    does: "takes ages from a clock that is set back",
    breaks: "PUB-6",
    finds: "its age is 0 ms",
    faults: () => ({
      isBlindToClock: true,
      sends: repeats((repeat) => ({
        ...repeat,
        ageMs: Math.max(0, Number(repeat.ageMs) - 60_000),
      })),
    }),
  },
  {
    does: "repeats for ever",
    breaks: "PUB-6",
    finds: "the client didn't tell indeterminate",
    faults: () => ({
      hears: only("welcome", (line) => ({
        ...line,
        limits: { ...fields(line.limits), dedupeMs: 1e9 },
      })),
    }),
  },
  {
    does: "repeats while answers are on their way",
    breaks: "PUB-9",
    finds: "before all that is under way is answered",
    faults: hasty,
  },
  {
    does: "gives up what is refused for now when it sees it in the log",
    breaks: "PUB-12",
    finds: "the refused one has to come first",
    faults: believesLog,
  },
  {
    does: "gives a silent socket up late",
    breaks: "LIVE-3",
    finds: "it keeps the socket",
    faults: () => heartbeat(2),
  },
  {
    does: "gives a silent socket up early",
    breaks: "LIVE-3",
    finds: "it drops the socket after",
    faults: () => heartbeat(0.1),
  },
  {
    does: "counts only what it knows as a sign of life",
    breaks: "LIVE-2",
    finds: "drops a socket on which messages come",
    faults: () => ({ hears: only("conf-unknown", () => null) }),
  },
  {
    does: "waits for as long as every other",
    breaks: "CLOSE-4",
    finds: "cut off at once wait for",
    faults: () => ({ fraction: () => 0.9 }),
  },
  {
    does: "never waits for longer",
    breaks: "CLOSE-4",
    finds: "clients try",
    faults: neverGrows,
  },
  {
    does: "goes on from an ack before the gap is told",
    breaks: "DEL-4",
    finds: "it goes on from",
    faults: skipsGap,
  },
  {
    does: "takes the epoch of an ack before the gap is told",
    breaks: "DEL-4",
    finds: '"epoch":"other","offset":1',
    faults: () => ({
      hears: only("ack", (line) => (isGapDue(line) ? { ...line, recovered: true } : line)),
    }),
  },
  {
    does: "begins at the end again until something has come",
    breaks: "DEL-1",
    finds: 'it goes on from "latest"',
    faults: () => ({
      sends: only("subscribe", (line) =>
        fields(line.start).offset === 5 ? { ...line, start: "latest" } : line,
      ),
    }),
  },
  {
    does: "comes again sooner than it was told",
    breaks: "ERR-1",
    finds: "it waited for",
    faults: () => ({ hears: only("error", (line) => ({ ...line, retryAfterMs: 0 })) }),
  },
  {
    does: "takes what the server begins for its own",
    breaks: "SUB-10",
    finds: "the client didn't tell publication 2",
    faults: takesBegun,
  },
  {
    does: "forgets what the server began",
    breaks: "SUB-10",
    finds: "no subscribe 1 came",
    faults: () => ({
      sends: only("subscribe", (line) => (fields(line.start).offset === 6 ? null : line)),
    }),
  },
  {
    does: "reads the other way",
    breaks: "READ-1",
    finds: "it reads after nothing",
    faults: () => ({
      sends: only("read", ({ after, before, ...line }) => ({
        ...line,
        after: before,
        before: after,
      })),
    }),
  },
  {
    does: "takes every page for the last",
    breaks: "READ-2",
    finds: "it doesn't tell that there is more",
    faults: () => ({ hears: only("ack", (line) => ({ ...line, more: false })) }),
  },
  {
    does: "gives the places behind a page's",
    breaks: "READ-2",
    finds: "its first position is",
    faults: () => ({ tells: shifted }),
  },
  {
    does: "keeps a page's gap to itself",
    breaks: "READ-3",
    finds: "it told a gap null",
    faults: () => ({ hears: only("ack", (line) => ({ ...line, gap: undefined })) }),
  },
  {
    does: "keeps to itself that it takes a request back",
    breaks: "REQ-3",
    finds: "no cancel 1 came",
    faults: () => ({ sends: only("cancel", () => null) }),
  },
  {
    does: "takes another request back",
    breaks: "REQ-3",
    finds: 'it took back "conf.kept"',
    faults: cancelsFirst,
  },
  {
    does: "asks twice",
    breaks: "REQ-4",
    finds: "it asked again",
    faults: asksAgain,
  },
  {
    does: "brings no token",
    breaks: "AUTH-2",
    finds: "it brought nothing",
    faults: () => ({ offers: bearer(() => null) }),
  },
  {
    does: "writes its token in another way",
    breaks: "AUTH-2",
    finds: "it brought",
    faults: () => ({
      offers: bearer((encoded) => Buffer.from(encoded, "base64url").toString("hex")),
    }),
  },
  {
    does: "brings a token that isn't fresh",
    breaks: "AUTH-8",
    finds: 'it brought "stale"',
    faults: () => ({ sends: only("authenticate", (line) => ({ ...line, token: "stale" })) }),
  },
  {
    does: "brings tokens without end",
    breaks: "AUTH-9",
    finds: "fresh tokens in",
    faults: () => ({
      hears: only("ack", (line) =>
        line.expiresAt === undefined
          ? line
          : { ...line, expiresAt: Number(line.timestamp) + 2_000 },
      ),
    }),
  },
  {
    does: "comes back with the token that has ended",
    breaks: "AUTH-9",
    finds: "it came back with",
    faults: oldToken,
  },
];
