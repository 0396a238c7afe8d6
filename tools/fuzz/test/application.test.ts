// The part that is odd where an application is. Where nothing is wrong it finds nothing; and what is
// put into a server or a client on purpose it finds, and calls by its name.
import type { Server } from "node:http";
import type { Socket } from "node:net";
import { createClient } from "@tailwire/client";
import { tailwireError } from "@tailwire/protocol";
import { type AuthorizeQuestion, createTailwire, type TailwireOptions } from "@tailwire/server";
import { Dice, SimulatedClock } from "@tailwire/simulation";
import { describe, expect, test } from "vitest";
import { conductOf } from "../src/application/conduct.ts";
import { listenersSubject } from "../src/application/listeners.ts";
import { nearlyRight } from "../src/application/nearly-right.ts";
import { ODD_VALUES } from "../src/application/odd-values.ts";
import { type ApplicationReport, merged } from "../src/application/report.ts";
import { runApplication, SUBJECTS } from "../src/application/run-application.ts";
import type { Create } from "../src/application/stage.ts";
import type { Subject } from "../src/application/subject.ts";
import { waitsSubject } from "../src/application/waits.ts";

interface Trial {
  readonly create?: Create;
  readonly createClient?: typeof createClient;
  readonly count?: number;
  readonly patienceMs?: number;
  readonly faultyMax?: number;
}

/** The findings, as one text. */
async function found(subject: string | Subject, trial: Trial = {}): Promise<string> {
  const subjects =
    typeof subject === "string" ? SUBJECTS.filter(({ name }) => name === subject) : [subject];
  expect(subjects).toHaveLength(1);
  const report = await runApplication({
    create: createTailwire,
    createClient,
    seed: 1,
    from: 0,
    count: 60,
    subjects,
    ...trial,
  });
  return report.findings.map(({ fault }) => fault).join("\n");
}

/** An application's hook in the end: whatever it does, this is a decision or throws. */
type Decide = (call: () => unknown) => Promise<boolean>;

/** Looks at what `authorize` gives before the server does, so that the server can't be the one to blame. */
async function decision(call: () => unknown): Promise<boolean> {
  const late = new Promise((_resolve, reject) => {
    setTimeout(reject, 10); // real time: a hook that never settles has to be given up
  });
  const given = await Promise.race([(async () => call())(), late]);
  if (typeof given !== "boolean") throw new Error("authorize gave no boolean");
  return given;
}

/** A server in which `fails` is called where `authorize` has failed, instead of all that is right. */
function withFault(
  fails: (tools: {
    readonly log: (line: string) => void;
    readonly server: () => ReturnType<Create>;
  }) => unknown,
  more: Partial<TailwireOptions> = {},
): Create {
  return (options) => {
    const log = (line: string): void => {
      if (options.logger === undefined) process.stderr.write(`${line}\n`);
      else options.logger.error({}, line);
    };
    const decide: Decide = (call) =>
      decision(call).catch(async () => {
        const answer = await fails({ log, server: () => server });
        if (typeof answer === "boolean") return answer;
        throw tailwireError("unavailable");
      });
    const authorize = (question: AuthorizeQuestion): Promise<boolean> =>
      decide(() => options.authorize?.(question));
    const limits = { ...options.limits, hookMs: 40_000, ...more.limits };
    const server = createTailwire({ ...options, ...more, authorize, limits } as TailwireOptions);
    return server;
  };
}

const RIGHT = "authorize failed";

describe("a server that does right by authorize", () => {
  test("shows no fault", async () => {
    const create = withFault(({ log }) => log(RIGHT));
    expect(await found("authorize", { create, count: 120 })).toBe("");
  });

  test.each<[string, RegExp, Parameters<typeof withFault>[0]]>([
    [
      "lets a rejection escape",
      /^unhandled rejection: Error: planted$/m,
      ({ log }) => {
        log(RIGHT);
        void Promise.reject(new Error("planted"));
      },
    ],
    [
      "throws where nobody catches",
      /^uncaught exception: Error: planted$/m,
      ({ log }) => {
        log(RIGHT);
        queueMicrotask(() => {
          throw new Error("planted");
        });
      },
    ],
    [
      "hangs",
      /^a question is never answered$/m,
      ({ log }) => {
        log(RIGHT);
        return new Promise(() => undefined);
      },
    ],
    ["logs nothing", /^nothing is logged$/m, () => undefined],
    [
      "doesn't say which hook it was",
      /^no logged line says which hook it was$/m,
      ({ log }) => log("something failed"),
    ],
    [
      "logs without end",
      /^\d+ lines are logged for 3 calls$/m,
      ({ log }) => {
        for (let line = 0; line < 20; line += 1) log(RIGHT);
      },
    ],
    [
      "takes what is unfit",
      /^what is unfit is taken$/m,
      ({ log }) => {
        log(RIGHT);
        return true;
      },
    ],
    [
      "harms somebody else",
      /^the witness: it was answered with ended 4504$/m,
      ({ log, server }) => {
        log(RIGHT);
        server().user("witness").disconnect();
      },
    ],
    [
      "asks for a time that no timer can keep",
      /^timer: RangeError: a timer of 2592000000 ms would fire at once$/m,
      ({ log }) => {
        log(RIGHT);
        setTimeout(() => undefined, 2_592_000_000).unref(); // real time: it is what is wrong
      },
    ],
    [
      "changes what everything inherits from",
      /^a prototype isn't what it was$/m,
      ({ log }) => {
        log(RIGHT);
        Reflect.set(Object.getPrototypeOf({}) as object, "planted", 1);
      },
    ],
  ])("and otherwise %s is found", async (_what, fault, fails) => {
    try {
      const create = withFault(fails);
      expect(await found("authorize", { create, patienceMs: 500, faultyMax: 1 })).toMatch(fault);
    } finally {
      Reflect.deleteProperty(Object.prototype, "planted");
    }
  });
});

/** Looks at all that a server writes, before it is written. */
function withWrites(change: (bytes: Buffer, socket: Socket) => Buffer): Create {
  return (options) => {
    const server = withFault(({ log }) => log(RIGHT))(options);
    const attach = server.attach.bind(server);
    server.attach = (web: Server, ...rest: [{ readonly path?: string }?]) => {
      web.prependListener("upgrade", (_request, socket: Socket) => {
        const write = socket.write.bind(socket) as (...given: unknown[]) => boolean;
        socket.write = (bytes: Buffer, ...given: unknown[]) =>
          write(change(Buffer.from(bytes), socket), ...given);
      });
      return attach(web, ...rest);
    };
    return server;
  };
}

/** The same length, so that frames stay what they are. */
function replaced(bytes: Buffer, text: string, by: string): Buffer {
  return Buffer.from(bytes.toString("latin1").replaceAll(text, by), "latin1");
}

test("a malformed message is found", async () => {
  const create = withWrites((bytes) => replaced(bytes, '"retry":true', '"retry":null'));
  expect(await found("authorize", { create, faultyMax: 1 })).toMatch(
    /^malformed: error\.retry: expected true or false$/m,
  );
});

test("a close code that the protocol doesn't have is found, and a socket that is dropped", async () => {
  const create = withWrites((bytes) => replaced(bytes, "\u0003\u00e8", "\u0003\u00ed"));
  expect(await found("authorize", { create, count: 2 })).toMatch(
    /^it is closed with 1005, which is no code of the protocol's$/m,
  );
  const dropping = withWrites((bytes, socket) => {
    if (bytes.includes('"unavailable"')) socket.destroy();
    return bytes;
  });
  expect(await found("authorize", { create: dropping, faultyMax: 1 })).toMatch(
    /^it was dropped without a code$/m,
  );
});

describe("options", () => {
  test("one that is taken and does nothing is found", async () => {
    const create: Create = (options) => {
      try {
        return createTailwire(options);
      } catch {
        return createTailwire({ anonymous: true, channels: {} });
      }
    };
    const faults = await found("createTailwire", { create, count: 40, patienceMs: 500 });
    expect(faults).toMatch(/^it is taken, and then a client is told forbidden$/m);
  });

  test("one that is refused without words, or by accident, is found", async () => {
    const refusing =
      (refusal: unknown): Create =>
      () => {
        throw refusal;
      };
    const told = async (refusal: unknown): Promise<string> =>
      found("createTailwire", { create: refusing(refusal), count: 3 });
    expect(await told(new Error("limits.hookMs is 5"))).toMatch(/^what it throws is no TypeError/);
    expect(await told(new TypeError("bad"))).toBe("it refuses without words");
    expect(await told(new TypeError("options.map is not a function"))).toMatch(
      /^it fails by accident/,
    );
    expect(await told(new TypeError("limits.hookMs is NaN: expected a number"))).toBe("");
  });
});

describe("a client", () => {
  test("that lets a rejection escape, or asks for tokens without end, is found", async () => {
    const escaping: typeof createClient = (...given) => {
      void Promise.reject(new Error("planted"));
      return createClient(...given);
    };
    const asking: typeof createClient = (url, options = {}) => {
      const ask = async (): Promise<unknown> =>
        options.getToken?.({ signal: new AbortController().signal });
      for (let turn = 0; turn < 20; turn += 1) ask().catch(() => undefined);
      return createClient(url, options);
    };
    const trial = { count: 20, patienceMs: 500, faultyMax: 1 };
    expect(await found("getToken", { ...trial, createClient: escaping })).toMatch(
      /^unhandled rejection: Error: planted$/m,
    );
    expect(await found("getToken", { ...trial, createClient: asking })).toMatch(
      /^it is called \d+ times in no time$/m,
    );
  });

  test("that swallows what a listener throws is found", async () => {
    const swallowing = listenersSubject((listener) => async () => {
      try {
        await listener();
      } catch {
        // Nobody is told.
      }
    });
    expect(await found(swallowing, { faultyMax: 1 })).toMatch(/^0 of \d+ failures are shown$/m);
  });

  test("whose waits are over at once is found", async () => {
    class HastyClock extends SimulatedClock {
      override after(_ms: number, callback: () => void): () => void {
        return super.after(1, callback);
      }
    }
    const hasty = waitsSubject(() => new HastyClock());
    expect(await found(hasty, { faultyMax: 1 })).toMatch(
      /^(?:\w+ is asked \d+ times|timers fire without end)/m,
    );
  });
});

describe("inputs", () => {
  test("depend on the seed and their number alone", () => {
    const words = (seed: number): readonly string[] =>
      [0, 1, 2, 3, 4, 5, 6, 7].map(
        (number) => conductOf(new Dice(seed + number), { user: { id: "u" } }).words,
      );
    expect(words(7)).toEqual(words(7));
    expect(words(7)).not.toEqual(words(1_000));
  });

  test("are anything: every odd value has a name of its own and can be made", () => {
    expect(new Set(ODD_VALUES.map(({ name }) => name)).size).toBe(ODD_VALUES.length);
    for (const { make } of ODD_VALUES) make();
  });

  test("are nearly right: one place differs, and what they were made from stays as it was", () => {
    const right = {
      user: { id: "u" },
      capabilities: [{ channel: "room:1", actions: ["publish"] }],
    };
    const before = structuredClone(right);
    const places = new Set<string>();
    for (let seed = 0; seed < 200; seed += 1) {
      const { place, make } = nearlyRight(new Dice(seed), right);
      make();
      places.add(place.join("."));
    }
    expect(right).toEqual(before);
    const every = [
      "capabilities",
      "capabilities.0",
      "capabilities.0.actions",
      "capabilities.0.actions.0",
      "capabilities.0.channel",
      "user",
      "user.id",
    ];
    expect(places).toEqual(new Set(every));
  });

  test("every subject has some", async () => {
    const seen = new Set<string>();
    const noted = SUBJECTS.map((subject): Subject => ({
      ...subject,
      play: async () => {
        seen.add(subject.name);
        return { words: "", ending: "", faults: [] };
      },
    }));
    await runApplication({
      create: createTailwire,
      createClient,
      seed: 1,
      from: 0,
      count: 600,
      subjects: noted,
    });
    expect(seen).toEqual(new Set(SUBJECTS.map(({ name }) => name)));
  });
});

test("reports of several threads are one: kinds are counted, and each names its first input", () => {
  const report = (number: number, fault: string): ApplicationReport => ({
    inputs: 1,
    findings: [{ subject: "authorize", fault, number, words: `input ${number}`, count: 1 }],
    endings: { "authorize, refused": 1 },
  });
  const faults = ["40 lines", "31 lines", "unhandled rejection: a", "unhandled rejection: b"];
  const together = merged(faults.map((fault, index) => report(9 - index, fault)));
  expect(together).toMatchObject({ inputs: 4, endings: { "authorize, refused": 4 } });
  expect(together.findings.map(({ number, count }) => [number, count])).toEqual([
    [8, 2],
    [6, 2],
  ]);
});
