// Clients that are wrong in one way: tailwire's own, tampered with. Each has the clause that it breaks.
import {
  asksAgain,
  bearer,
  believesLog,
  cancelsFirst,
  fields,
  hasty,
  heartbeat,
  isGapDue,
  neverGrows,
  newestEpoch,
  oldToken,
  only,
  repeats,
  shifted,
  sinceLastSend,
  skipsGap,
  takesBegun,
} from "./client-faults.ts";
import type { Tampering } from "./own-client.ts";

export interface WrongClient {
  readonly does: string;
  readonly breaks: string;
  /** A part of the judge's note, so that it isn't found for another reason. */
  readonly finds: string;
  /** Made for each client anew: many remember what they saw. */
  readonly faults: () => Tampering;
}

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
