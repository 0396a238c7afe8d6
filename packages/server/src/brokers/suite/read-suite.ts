/**
 * Cases of read and locate: pages, starts, and the gaps where a log can't serve a position.
 *
 * They don't ask how the log came to be trimmed; that is `retention-suite.ts`.
 */
import type { Position } from "@tailwire/protocol";
import { publicationBytes } from "../../log/broker.ts";
import { ALL, LogUnderTest } from "./log-under-test.ts";
import { type BrokerCase, timeOf } from "./case.ts";
import { equal, publicationsOf } from "./expect.ts";

/** Reading from a position, and finding one. */
export const READ_CASES: readonly BrokerCase[] = [
  {
    name: "[DEL-3] read gives what follows a position, from every position",
    async run(context) {
      const tested = new LogUnderTest(context);
      const positions = await tested.add("a", "b", "c", "d");
      for (const [index, position] of positions.entries()) {
        equal(
          await tested.idsAfter(position),
          ["a", "b", "c", "d"].slice(index + 1),
          "what follows",
        );
        equal(
          await tested.idsAfter({ ...position, id: null }),
          ["a", "b", "c", "d"].slice(index + 1),
          "what follows, the id unknown",
        );
      }
      const read = await tested.log.read(positions[0] as Position, ALL);
      const offsets = publicationsOf(read).map(({ offset }) => offset);
      equal(
        offsets,
        positions.slice(1).map(({ offset }) => offset),
        "the offsets",
      );
      equal(read.kind === "publications" && read.epoch, positions[0]?.epoch, "the epoch");
    },
  },
  {
    name: "read gives as many publications as were asked for",
    async run(context) {
      const tested = new LogUnderTest(context);
      await tested.add("a", "b", "c", "d");
      const start = await tested.log.locate("earliest");
      for (const count of [1, 2, 3, 4, 5]) {
        const ids = await tested.idsAfter(start, { ...ALL, count });
        equal(ids, ["a", "b", "c", "d"].slice(0, count), `a page of ${count}`);
      }
    },
  },
  {
    name: "read gives as many bytes as were asked for, and one publication at least",
    async run(context) {
      const tested = new LogUnderTest(context);
      await tested.add("a", "b", "c", "d");
      const start = await tested.log.locate("earliest");
      const one = publicationBytes(tested.entry("a"));
      for (const [bytes, expected] of [
        [1, "a"],
        [one, "a"],
        [2 * one, "ab"],
        [3 * one - 1, "ab"],
      ] as const) {
        const ids = await tested.idsAfter(start, { ...ALL, bytes });
        equal(ids.join(""), expected, `a page of ${bytes} bytes`);
      }
    },
  },
  {
    name: "[DEL-5] a position at the edge reads without a gap, its id known or not",
    async run(context) {
      const tested = new LogUnderTest(context, { count: 2 });
      const empty = await tested.log.locate("latest");
      equal(await tested.idsAfter(empty), [], "an empty log");
      const positions = await tested.add("a", "b", "c", "d");
      const edge = positions[1] as Position;
      equal(await tested.idsAfter(edge), ["c", "d"], "what follows the edge");
      equal(await tested.idsAfter({ ...edge, id: null }), ["c", "d"], "the same, the id unknown");
    },
  },
  {
    name: "[DEL-4] a position before the edge is a gap, with exactly as many lost as are missing",
    async run(context) {
      const tested = new LogUnderTest(context, { count: 3 });
      const empty = await tested.log.locate("latest");
      const positions = await tested.addEach("abcdefg");
      const rest = "e f g";
      equal(
        await tested.gap(positions[0] as Position),
        { reason: "trimmed", lost: 3, rest },
        "at a",
      );
      equal(
        await tested.gap(positions[2] as Position),
        { reason: "trimmed", lost: 1, rest },
        "at c",
      );
      equal(await tested.gap(empty), { reason: "trimmed", lost: 4, rest }, "at the beginning");
    },
  },
  {
    name: "[DEL-4] a position of an unknown epoch is a gap, and nobody knows how many are lost",
    async run(context) {
      const tested = new LogUnderTest(context);
      const [position] = await tested.add("a", "b");
      for (const offset of [0, 1, 99]) {
        const gap = await tested.gap({ ...(position as Position), epoch: "another", offset });
        equal(gap, { reason: "epoch", lost: null, rest: "a b" }, `the gap at ${offset}`);
      }
    },
  },
  {
    name: "[DEL-4] a position after the end is a gap, and goes on at the end",
    async run(context) {
      const tested = new LogUnderTest(context);
      const [, last] = (await tested.add("a", "b")) as [Position, Position];
      const gap = await tested.gap({ ...last, offset: last.offset + 1, id: null });
      equal(gap, { reason: "ahead", lost: null, rest: "" }, "the gap");
    },
  },
  {
    name: "[DEL-4] a gap brings what follows it, as much of that as was asked for",
    async run(context) {
      const tested = new LogUnderTest(context, { count: 3 });
      const positions = await tested.addEach("abcdefg");
      const last = positions[6] as Position;
      const one = publicationBytes(tested.entry("a"));
      for (const [reason, after, ids] of [
        ["trimmed", positions[0] as Position, "efg"],
        ["epoch", { ...last, epoch: "another" }, "efg"],
        ["ahead", { ...last, offset: last.offset + 1, id: null }, ""],
      ] as const) {
        equal(await tested.idsBehindGap(after), ids, `what follows a gap that is ${reason}`);
        const counted = await tested.idsBehindGap(after, { ...ALL, count: 2 });
        equal(counted, ids.slice(0, 2), "a page of 2");
        const weighed = await tested.idsBehindGap(after, { ...ALL, bytes: one });
        equal(weighed, ids.slice(0, 1), "a page of as many bytes as one has");
      }
    },
  },
  {
    name: "[DEL-6] a position with another id than the log's is a gap, diverged",
    async run(context) {
      const tested = new LogUnderTest(context);
      for (const position of await tested.add("a", "b")) {
        const { reason } = await tested.gap({ ...position, id: "another" });
        equal(reason, "diverged", `the gap at ${position.id}`);
      }
    },
  },
  {
    name: "[READ-2] reading back gives what precedes a position, the newest that fit, in order",
    async run(context) {
      const tested = new LogUnderTest(context);
      const positions = await tested.addEach("abcde");
      for (const [index, position] of positions.entries()) {
        equal(await tested.idsBefore(position), "abcde".slice(0, index), `before ${position.id}`);
        const two = { ...ALL, count: 2 };
        const expected = "abcde".slice(Math.max(0, index - 2), index);
        equal(await tested.idsBefore(position, two), expected, `two before ${position.id}`);
      }
      equal(await tested.idsBefore(null), "abcde", "the whole log");
      equal(await tested.idsBefore(null, { ...ALL, count: 2 }), "de", "the end");
      const one = publicationBytes(tested.entry("a"));
      equal(await tested.idsBefore(null, { ...ALL, bytes: 2 * one }), "de", "by bytes");
      equal(await tested.idsBefore(null, { ...ALL, bytes: 1 }), "e", "one at least");
    },
  },
  {
    name: "[READ-2] reading back from before the edge gives nothing, and from nowhere a gap",
    async run(context) {
      const tested = new LogUnderTest(context, { count: 2 });
      equal(await tested.idsBefore(null), "", "an empty log");
      const positions = await tested.addEach("abcd");
      equal(await tested.idsBefore(positions[0] as Position), "", "before the edge");
      equal(await tested.idsBefore(positions[1] as Position), "", "at the edge");
      equal(await tested.idsBefore(positions[3] as Position), "c", "within");
      const last = positions[3] as Position;
      for (const [reason, position] of [
        ["epoch", { ...last, epoch: "another" }],
        ["ahead", { ...last, offset: last.offset + 5, id: null }],
        ["diverged", { ...last, id: "another" }],
      ] as const) {
        const read = await tested.log.readBack(position, ALL);
        equal(read.kind === "gap" && read.gap.reason, reason, `from a position that is ${reason}`);
      }
    },
  },
  {
    name: "[SUB-2] latest is the last publication, earliest the edge, rewind so many back",
    async run(context) {
      const tested = new LogUnderTest(context, { count: 4 });
      equal(await tested.log.locate("latest"), await tested.log.locate("earliest"), "a new log");
      const positions = await tested.addEach("abcdef");
      equal(await tested.log.locate("latest"), positions[5], "latest");
      equal((await tested.log.locate("earliest")).offset, positions[1]?.offset, "earliest");
      const expected = ["", "f", "ef", "def", "cdef", "cdef", "cdef"];
      for (const [count, ids] of expected.entries()) {
        equal((await tested.idsFrom({ rewind: { count } })).join(""), ids, `rewind by ${count}`);
      }
      equal(await tested.log.locate({ rewind: { count: 2 } }), positions[3], "rewind by 2");
    },
  },
  {
    name: "[SUB-2] rewind by age gives what was published since",
    needs: "time",
    async run(context) {
      const tested = new LogUnderTest(context);
      for (const id of "abc") {
        await tested.add(id);
        await timeOf(context).advance(1_000);
      }
      const expected = [
        [0, ""],
        [999, ""],
        [1_000, "c"],
        [1_999, "c"],
        [2_500, "bc"],
        [60_000, "abc"],
      ] as const;
      for (const [ageMs, ids] of expected) {
        equal((await tested.idsFrom({ rewind: { ageMs } })).join(""), ids, `rewind by ${ageMs} ms`);
      }
    },
  },
];
