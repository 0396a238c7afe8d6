/**
 * Cases of append: order, ids that are known, producers that are fenced, and refusals.
 *
 * The fate of an append, beyond being in the log, is the other suites'.
 */
import { JsonText, payloadText } from "@tailwire/protocol";
import type { AppendResult } from "../../log/broker.ts";
import { AGAIN, ALL, LogUnderTest, LONG_AGO_MS } from "./log-under-test.ts";
import type { BrokerCase } from "./case.ts";
import { equal, holds, positionOf, publicationsOf, word } from "./expect.ts";

/** Appending: what is new, what is a duplicate, what is refused. */
export const APPEND_CASES: readonly BrokerCase[] = [
  {
    name: "append gives positions of one epoch that rise by one, in the batch's order",
    async run(context) {
      const tested = new LogUnderTest(context);
      equal(await tested.log.append([]), [], "the result of an empty batch");
      const positions = [...(await tested.add("a", "b", "c")), ...(await tested.add("d"))];
      equal(positions.map(({ id }) => id).join(""), "abcd", "the order of results");
      for (const [index, { epoch, offset }] of positions.entries()) {
        equal(epoch, positions[0]?.epoch, "the epoch");
        equal(offset, index + 1, `the offset of publication ${index + 1}`);
      }
      equal(await tested.ids(), ["a", "b", "c", "d"], "the log");
      const refused = { notAfter: -1 };
      const batch = [tested.entry("e", refused), tested.entry("a", AGAIN), tested.entry("f")];
      const results = await tested.log.append(batch);
      equal(results.map(word), ["expired", "held", "held"], "the results");
      const [, next] = await tested.log.append([tested.entry("a", AGAIN), tested.entry("g")]);
      equal(next && positionOf(next).offset, 5, "the offset behind refusals and a duplicate");
    },
  },
  {
    name: "what was appended is read as it was given, whatever its characters",
    async run(context) {
      const tested = new LogUnderTest(context);
      const value = { text: "\u0000 \ud83d\ude00 \ud800 \u2028", __proto__x: [null, 1e-7] };
      const given = { event: "__proto__", publisher: null, data: JsonText.of(value) };
      const began = context.now();
      await tested.log.append([tested.entry("constructor", { ...given, producer: "__proto__" })]);
      const start = await tested.log.locate("earliest");
      const [read] = publicationsOf(await tested.log.read(start, ALL));
      equal([read?.id, read?.event, read?.publisher], ["constructor", "__proto__", null], "it");
      equal(read && payloadText(read.data), given.data.text, "its data");
      holds((read?.timestamp ?? 0) >= began, "its timestamp is the broker's");
    },
  },
  {
    name: "batches at the same time are each in order, and nothing is lost between them",
    async run(context) {
      const tested = new LogUnderTest(context);
      const batches = ["abc", "def", "ghi"].map((ids) => ids.split(""));
      await Promise.all(batches.map((ids) => tested.add(...ids)));
      const all = await tested.ids();
      equal([...all].toSorted().join(""), "abcdefghi", "the log, sorted");
      for (const ids of batches)
        equal(
          all.filter((id) => ids.includes(id)),
          ids,
          "a batch",
        );
    },
  },
  {
    name: "[PUB-4] an id that is appended twice gives the original position, as a duplicate",
    async run(context) {
      const tested = new LogUnderTest(context);
      const [first] = await tested.add("a", "b");
      const [again] = await tested.log.append([tested.entry("a", AGAIN)]);
      equal(again, { kind: "appended", position: first, duplicate: true }, "the second result");
      equal(await tested.outcome("a"), "id_conflict", "one that doesn't say that it comes again");
      equal(await tested.ids(), ["a", "b"], "the log");
    },
  },
  {
    name: "[PUB-4] an id that is twice in one batch is appended once",
    async run(context) {
      const tested = new LogUnderTest(context);
      const results = await tested.log.append(["a", "b", "a"].map((id) => tested.entry(id, AGAIN)));
      equal(results.map(word), ["new", "new", "duplicate"], "the results");
      equal(results.map(positionOf)[2], results.map(positionOf)[0], "the second's position");
      equal(await tested.ids(), ["a", "b"], "the log");
    },
  },
  {
    name: "[ENC-9] bytes are read as they were given, and told from text of the same look",
    async run(context) {
      const tested = new LogUnderTest(context);
      const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
      equal(await tested.outcome("a", { data: bytes }), "new", "bytes");
      equal(
        await tested.outcome("a", { ...AGAIN, data: bytes.slice() }),
        "duplicate",
        "the same bytes",
      );
      equal(
        await tested.outcome("a", { ...AGAIN, data: bytes.slice(1) }),
        "id_conflict",
        "other bytes",
      );
      const text = JsonText.of(payloadText(bytes));
      equal(
        await tested.outcome("a", { ...AGAIN, data: text }),
        "id_conflict",
        "text of the same look",
      );
      const read = await tested.log.read(await tested.log.locate("earliest"), ALL);
      const [first] = publicationsOf(read);
      equal(first?.data instanceof Uint8Array && [...first.data], [...bytes], "what is read");
    },
  },
  {
    name: "[PUB-4] an id that is appended by several at the same time is appended once",
    async run(context) {
      const logs = Array.from({ length: 8 }, () => new LogUnderTest(context));
      const results = await Promise.all(
        logs.map(async (tested) => tested.log.append([tested.entry("a", AGAIN)])),
      );
      const words = results.map(([result]) => word(result)).toSorted();
      equal(words, [...Array.from({ length: 7 }, () => "duplicate"), "new"], "the results");
      const places = new Set(results.map(([result]) => positionOf(result as AppendResult).offset));
      equal(places.size, 1, "the number of places");
    },
  },
  {
    name: "[PUB-4] the same id with another event or other data is an id_conflict",
    async run(context) {
      const tested = new LogUnderTest(context);
      await tested.add("a");
      const data = JsonText.of("else");
      equal(await tested.outcome("a", { ...AGAIN, data }), "id_conflict", "other data");
      equal(await tested.outcome("a", { ...AGAIN, event: "else" }), "id_conflict", "another event");
      equal(await tested.outcome("a", AGAIN), "duplicate", "the same again");
      equal(await tested.ids(), ["a"], "the log");
    },
  },
  {
    name: "[PUB-13] what the application changed is compared by what was sent, and logged as it is",
    async run(context) {
      const tested = new LogUnderTest(context);
      const [sent, first, second] = ["sent", "first", "second"].map((text) => JsonText.of(text));
      const changed = { ...AGAIN, sent: sent as JsonText, data: first as JsonText };
      equal(await tested.outcome("a", changed), "new", "the first");
      const again = { ...changed, data: second as JsonText };
      equal(await tested.outcome("a", again), "duplicate", "a repeat that was changed otherwise");
      equal(
        await tested.outcome("a", { ...AGAIN, data: sent as JsonText }),
        "duplicate",
        "one unchanged",
      );
      const other = { ...AGAIN, sent: second as JsonText, data: first as JsonText };
      equal(
        await tested.outcome("a", other),
        "id_conflict",
        "another that was changed to the same",
      );
      const start = await tested.log.locate("earliest");
      const logged = publicationsOf(await tested.log.read(start, ALL));
      equal(
        logged.map(({ data }) => payloadText(data)),
        [first?.text],
        "the log",
      );
    },
  },
  {
    name: "[PUB-8] an entry that is refused for good doesn't hold up those behind it",
    async run(context) {
      const tested = new LogUnderTest(context);
      await tested.outcome("a", { generation: 2 });
      const entries = [
        tested.entry("a", { event: "else", generation: 2 }),
        tested.entry("b", { generation: 1 }),
        tested.entry("c", { generation: 2, repeat: { ageMs: LONG_AGO_MS } }),
        tested.entry("d", { generation: 2 }),
      ];
      const words = (await tested.log.append(entries)).map(word);
      equal(words, ["id_conflict", "fenced", "indeterminate", "new"], "the results");
      equal(await tested.ids(), ["a", "d"], "the log");
    },
  },
  {
    name: "[PUB-12] an entry that is refused and may come again holds its producer's behind it",
    async run(context) {
      const tested = new LogUnderTest(context);
      await tested.add("a");
      const bobs = { producer: "bob", publisher: "bob" };
      const nobodys = { producer: null, publisher: null };
      const entries = [
        tested.entry("b"),
        tested.entry("c", { notAfter: -1 }),
        tested.entry("d"),
        tested.entry("bob's", bobs),
        tested.entry("late", { ...nobodys, notAfter: -1 }),
        tested.entry("nobody's", nobodys),
        tested.entry("a"),
      ];
      const words = (await tested.log.append(entries)).map(word);
      const others = ["new", "expired", "new"];
      equal(words, ["new", "expired", "held", ...others, "held"], "the results");
      equal(await tested.ids(), ["a", "b", "bob's", "nobody's"], "the log");
      const again = ["c", "d", "a"].map((id) => tested.entry(id, AGAIN));
      const results = (await tested.log.append(again)).map(word);
      equal(results, ["new", "new", "duplicate"], "the same again");
    },
  },
  {
    name: "[PUB-7] a lower generation of a producer is fenced, equal and higher ones aren't",
    async run(context) {
      const tested = new LogUnderTest(context);
      equal(await tested.outcome("a", { generation: 2 }), "new", "the first generation");
      equal(await tested.outcome("b", { generation: 1 }), "fenced", "a lower one");
      equal(
        await tested.outcome("a", { ...AGAIN, generation: 1 }),
        "fenced",
        "a repeat of a lower one",
      );
      equal(await tested.outcome("c", { generation: 2 }), "new", "an equal one");
      equal(await tested.outcome("d", { generation: 9 }), "new", "a higher one");
      equal(await tested.outcome("e", { generation: 8 }), "fenced", "one between");
      equal(await tested.outcome("f", { generation: 1, producer: "bob" }), "new", "another's");
      equal(
        await new LogUnderTest(context, {}, "room:2").outcome("g"),
        "new",
        "on another channel",
      );
      const late = { generation: 10, notAfter: -1 };
      equal(await tested.outcome("h", late), "expired", "a higher one that isn't appended");
      equal(await tested.outcome("h", { generation: 9 }), "new", "a lower one after that");
      equal(await tested.ids(), ["a", "c", "d", "f", "h"], "the log");
    },
  },
  {
    name: "what comes after its notAfter is expired, isn't appended, and may come again",
    async run(context) {
      const tested = new LogUnderTest(context);
      equal(
        await tested.outcome("a", { notAfter: context.monotonic() - 1 }),
        "expired",
        "a late one",
      );
      equal(await tested.ids(), [], "the log");
      equal(await tested.outcome("a"), "new", "the same in time");
      equal(
        await tested.outcome("a", { ...AGAIN, notAfter: -1 }),
        "duplicate",
        "a late repeat of it",
      );
    },
  },
];
