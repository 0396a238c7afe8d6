/** Ways in which a server can be broken, each with the clauses that have to fail for it. */
import type { Fault, Line } from "./proxy.ts";

export interface BrokenServer {
  readonly does: string;
  /** Each of these has to fail. */
  readonly breaks: readonly string[];
  readonly fault: () => Fault;
}

interface Positioned {
  readonly position: { readonly epoch: string; readonly offset: number };
}

/** The change to messages of one type. */
function altering(
  type: string,
  alter: (line: Line, text: string) => readonly (Line | string)[],
): Fault {
  return { fromServer: (line, text) => (line.type === type ? alter(line, text) : [text]) };
}

/** Ids of what the client asked of one type. */
function asking(type: string, make: (asked: ReadonlySet<unknown>) => Fault): Fault {
  const asked = new Set<unknown>();
  return {
    ...make(asked),
    fromClient: (line) => {
      if (line.type === type) asked.add(line.id);
    },
  };
}

const PUBLISHING: readonly BrokenServer[] = [
  {
    does: "drops an ack now and then",
    breaks: ["MSG-3"],
    fault: () => {
      let count = 0;
      return altering("ack", (_line, text) => ((count += 1) % 20 === 0 ? [] : [text]));
    },
  },
  {
    does: "answers a request twice",
    breaks: ["MSG-3"],
    fault: () => altering("pong", (_line, text) => [text, text]),
  },
  {
    does: "acknowledges a publication one offset too far",
    breaks: ["PUB-1"],
    fault: () =>
      asking("publish", (asked) =>
        altering("ack", (line) => {
          if (!asked.has(line.re)) return [line];
          const { position } = line as unknown as Positioned;
          return [{ ...line, position: { ...position, offset: position.offset + 1 } }];
        }),
      ),
  },
  {
    does: "doesn't say that a publication is a duplicate",
    breaks: ["PUB-4", "PUB-5"],
    fault: () => altering("ack", (line) => [{ ...line, duplicate: undefined }]),
  },
  {
    does: "turns lone surrogates into replacement characters",
    breaks: ["ENC-6"],
    fault: () => altering("publication", (_line, text) => [text.replaceAll("\\ud800", "\uFFFD")]),
  },
];

const DELIVERY: readonly BrokenServer[] = [
  {
    does: "sends a publication twice",
    breaks: ["DEL-3"],
    fault: () =>
      altering("publication", (line, text) => (line.offset === 7 ? [text, text] : [text])),
  },
  {
    does: "swallows a publication",
    breaks: ["DEL-2", "DEL-3", "SUB-4"],
    fault: () => altering("publication", (line, text) => (line.offset === 7 ? [] : [text])),
  },
  {
    does: "sends two publications in the wrong order",
    breaks: ["DEL-2", "DEL-3"],
    fault: () => {
      let kept: string[] = [];
      return altering("publication", (line, text) => {
        if (line.offset === 7) kept = [text];
        if (line.offset === 7) return [];
        const both = [text, ...kept];
        kept = [];
        return both;
      });
    },
  },
  {
    does: "claims recovered: true before a gap",
    breaks: ["SUB-3"],
    fault: () =>
      altering("ack", (line) => ["recovered" in line ? { ...line, recovered: true } : line]),
  },
  {
    does: "delivers after unsubscribe's ack",
    breaks: ["SUB-5"],
    fault: () =>
      asking("unsubscribe", (asked) => {
        let last: string[] = [];
        return {
          fromServer: (line, text) => {
            if (line.type === "publication") last = [text];
            return asked.has(line.re) && line.type === "ack" ? [text, ...last] : [text];
          },
        };
      }),
  },
  {
    does: "keeps gaps to itself",
    breaks: ["DEL-4", "DEL-6", "SUB-3"],
    fault: () => altering("gap", () => []),
  },
  {
    does: "says caughtup twice",
    breaks: ["DEL-8"],
    fault: () => altering("caughtup", (_line, text) => [text, text]),
  },
  {
    does: "numbers the lines of each subscriber, so that they differ",
    breaks: ["DEL-3"],
    fault: () => {
      const mark = Math.random();
      return altering("publication", (line) => [{ ...line, mark }]);
    },
  },
];

const CONVERSATION: readonly BrokenServer[] = [
  {
    does: "answers unknown types with nothing",
    breaks: ["MSG-4"],
    fault: () =>
      asking("conf-unknown", (asked) =>
        altering("error", (line, text) => (asked.has(line.re) ? [] : [text])),
      ),
  },
  {
    does: "leaves re out of errors",
    breaks: ["MSG-1", "SUB-6"],
    fault: () => altering("error", (line) => [{ ...line, re: undefined }]),
  },
  {
    does: "claims the first subprotocol on offer",
    breaks: ["VER-2", "AUTH-2"],
    fault: () => ({ chooses: ([first = ""]) => first }),
  },
  {
    does: "answers no ping",
    breaks: ["LIVE-4"],
    fault: () => altering("pong", () => []),
  },
  {
    does: "sends no ping",
    breaks: ["LIVE-1"],
    fault: () => altering("ping", () => []),
  },
  {
    does: "closes with a wrong code",
    breaks: ["MSG-7", "CONN-2", "CONN-5"],
    fault: () => ({ closeCode: (code) => (code >= 4_400 ? 4_000 : code) }),
  },
  {
    does: "gives every session the same public id",
    breaks: ["PUB-3"],
    fault: () => altering("welcome", (line) => [{ ...line, client: "same" }]),
  },
];

const PAGES: readonly BrokenServer[] = [
  {
    does: "says of every page that there is no more",
    breaks: ["READ-1", "READ-2"],
    fault: () => altering("ack", (line) => ["more" in line ? { ...line, more: false } : line]),
  },
  {
    does: "gives a page without its gap",
    breaks: ["READ-3"],
    fault: () => altering("ack", (line) => [{ ...line, gap: undefined }]),
  },
  {
    does: "sends bytes as data",
    breaks: ["ENC-9"],
    fault: () =>
      altering("publication", ({ bytes, ...line }) => [
        bytes === undefined ? line : { ...line, data: bytes },
      ]),
  },
];

export const BROKEN_SERVERS: readonly BrokenServer[] = [
  ...PUBLISHING,
  ...DELIVERY,
  ...CONVERSATION,
  ...PAGES,
];
