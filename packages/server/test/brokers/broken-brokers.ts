// Brokers that break the contract on purpose, each in one way, around a memory broker that doesn't.
import { JsonText, payloadText } from "@tailwire/protocol";
import { type AppendResult, fingerprint } from "@tailwire/server/broker-contract";
import {
  type BrokenBroker,
  broker,
  eachAppend,
  eachGap,
  eachPublications,
  eachPush,
  eachResult,
  from,
  log,
  made,
} from "./breaking.ts";
import { BLIND_BROKERS } from "./blind-brokers.ts";
import { BROKEN_KEEPERS } from "./broken-keepers.ts";

const NOBODY = { id: "nobody", generation: 1, sequence: 1, settled: 0, fingerprint: 0 };

const APPENDING: readonly BrokenBroker[] = [
  log("it has no memory of producers", "an id that is appended twice", (sound) => {
    let count = 0;
    return eachAppend((one) => from(one, { id: `${(count += 1)}` }))(sound);
  }),
  log("a repeat is told its own place", "an id that is appended twice", (sound) => ({
    append: async (batch) => {
      const results = await sound.append(batch);
      const position = await sound.locate("latest");
      return results.map((result) =>
        result.kind === "appended" && result.duplicate ? { ...result, position } : result,
      );
    },
  })),
  log(
    "it calls nothing a duplicate",
    "twice in one batch",
    eachResult((result) => (result.kind === "appended" ? { ...result, duplicate: false } : result)),
  ),
  log("it appends a batch backwards", "in the batch's order", (sound) => ({
    append: (batch) => sound.append(batch.toReversed()),
  })),
  log(
    "it leaves offsets out",
    "rise by one",
    eachResult((result) =>
      result.kind === "appended"
        ? { ...result, position: { ...result.position, offset: result.position.offset * 2 } }
        : result,
    ),
  ),
  log("it appends a batch one by one, at once", "batches at the same time", (sound) => ({
    append: async (batch) => {
      const results = batch.toReversed().map(async (one) => sound.append([one]));
      return (await Promise.all(results)).flat().toReversed();
    },
  })),
  log(
    "it compares what was logged",
    "compared by what was sent",
    eachAppend((one) => from(one, { fingerprint: fingerprint(one.id, one.event, one.data) })),
  ),
  log(
    "it takes other content for a duplicate",
    "an id_conflict",
    eachResult((result) =>
      result.kind === "refused" && result.code === "id_conflict"
        ? { kind: "appended", position: { epoch: "", offset: 1, id: "" }, duplicate: true }
        : result,
    ),
  ),
  log("it holds nothing behind a refusal", "holds its producer's behind it", (sound) => ({
    append: async (batch) => {
      const results: AppendResult[] = [];
      for (const one of batch) results.push(...(await sound.append([one])));
      return results;
    },
  })),
  log("it stops at a refusal", "doesn't hold up those behind it", (sound) => ({
    append: async (batch) => {
      const results: AppendResult[] = [];
      for (const one of batch) {
        const former = results.at(-1);
        if (former?.kind === "refused") results.push(former);
        else results.push(...(await sound.append([one])));
      }
      return results;
    },
  })),
  log(
    "it fences nobody",
    "[PUB-7]",
    eachAppend((one) => from(one, { generation: 1 })),
  ),
  log(
    "it fences all producers as one",
    "[PUB-7]",
    eachAppend((one) => from(one, { id: "one" })),
  ),
  log(
    "it appends what is late",
    "notAfter",
    eachAppend((one) => ({ ...one, notAfter: Infinity })),
  ),
  log(
    "it trusts every repeat",
    "from before the broker's memory",
    eachAppend((one) => {
      const { repeat, ...rest } = one;
      return repeat === undefined ? one : rest;
    }),
  ),
  log(
    "it doesn't mind the sequence",
    "[PUB-14]",
    eachAppend((one) => from(one, { id: `${one.producer?.id} ${one.id}` })),
  ),
  log(
    "it doesn't mind what is settled",
    "[PUB-15]",
    eachAppend((one) => from(one, { settled: 0 })),
  ),
  log(
    "it takes one producer's sequence for everybody's",
    "[PUB-14]",
    eachAppend((one) => (one.producer?.id === "bob" ? { ...one, repeat: { since: -1e12 } } : one)),
  ),
  log(
    "it trusts no repeat",
    "a repeat that the broker would know",
    eachAppend((one) => (one.repeat ? { ...one, repeat: { since: -1e12 } } : one)),
  ),
  log(
    "it encodes data twice",
    "as it was given",
    eachAppend((one) => ({ ...one, data: JsonText.of(payloadText(one.data)) })),
  ),
  log(
    "it takes those without a producer for one",
    "without a producer",
    eachAppend((one) => ({ ...one, producer: one.producer ?? NOBODY })),
  ),
  broker("it forgets producers early", "remembered for dedupeMs", made({ dedupeMs: 10_000 })),
  broker("it has too large a window", "a window above", made({ window: 60 })),
  broker("it remembers too many producers", "as many producers", made({ producersMax: 60 })),
  broker("it never forgets producers", "as many producers", made({ dedupeMs: 1_000_000 })),
];

const READING: readonly BrokenBroker[] = [
  log(
    "it skips one on read",
    "read gives what follows",
    eachPublications((all) => (all.length > 2 ? [...all.slice(0, 1), ...all.slice(2)] : all)),
  ),
  log(
    "it reads backwards",
    "in the batch's order",
    eachPublications((all) => all.toReversed()),
  ),
  log("it ignores the count", "as many publications as", (sound) => ({
    read: (after, limit) => sound.read(after, { ...limit, count: 1_000 }),
  })),
  log("it ignores the bytes", "as many bytes as", (sound) => ({
    read: (after, limit) => sound.read(after, { ...limit, bytes: 1_000_000 }),
  })),
  log("it gives nothing where one is too large", "one publication at least", (sound) => ({
    read: async (after, limit) => {
      const read = await sound.read(after, limit);
      return read.kind === "gap" || limit.bytes > 10 ? read : { ...read, publications: [] };
    },
  })),
  log("it is off by one at the edge", "[DEL-5]", (sound) => ({
    read: async (after, limit) => {
      const edge = await sound.locate("earliest");
      if (after.offset !== edge.offset || edge.offset === 0) return sound.read(after, limit);
      return sound.read({ ...after, offset: after.offset - 1 }, limit);
    },
  })),
  log("it goes on after a trimmed position without a word", "before the edge", (sound) => ({
    read: async (after, limit) => {
      const read = await sound.read(after, limit);
      return read.kind === "gap" && read.gap.reason === "trimmed"
        ? sound.read(read.gap.continuesAfter, limit)
        : read;
    },
  })),
  log(
    "it counts one more as lost",
    "exactly as many lost",
    eachGap((gap) => ({ ...gap, lost: gap.lost === null ? null : gap.lost + 1 })),
  ),
  log(
    "it goes on one too late after a gap",
    "before the edge",
    eachGap((gap) => ({
      ...gap,
      continuesAfter: { ...gap.continuesAfter, offset: gap.continuesAfter.offset + 1, id: null },
    })),
  ),
  log("its gaps bring nothing", "a gap brings what follows", (sound) => ({
    read: async (after, limit) => {
      const read = await sound.read(after, limit);
      return read.kind === "gap" ? { ...read, publications: [] } : read;
    },
  })),
  log("its gaps bring all there is", "a gap brings what follows", (sound) => ({
    read: async (after, limit) => {
      const read = await sound.read(after, limit);
      return read.kind === "gap" ? sound.read(after, { count: 1_000, bytes: 1_000_000 }) : read;
    },
  })),
  log("it takes any epoch for its own", "an unknown epoch", (sound) => ({
    read: async (after, limit) =>
      sound.read({ ...after, epoch: (await sound.locate("latest")).epoch }, limit),
  })),
  log("it has nothing after the end, and says no more", "after the end", (sound) => ({
    read: async (after, limit) => {
      const read = await sound.read(after, limit);
      if (read.kind !== "gap" || read.gap.reason !== "ahead") return read;
      return { kind: "publications", epoch: after.epoch, publications: [] };
    },
  })),
  log("it doesn't compare ids", "[DEL-6]", (sound) => ({
    read: (after, limit) => sound.read({ ...after, id: null }, limit),
  })),
  log("it rewinds one too far", "rewind so many back", (sound) => ({
    locate: (start) =>
      sound.locate(
        typeof start === "object" && "count" in start.rewind
          ? { rewind: { count: start.rewind.count + 1 } }
          : start,
      ),
  })),
  log("it rewinds a little less than asked for", "rewind by age", (sound) => ({
    locate: (start) =>
      sound.locate(
        typeof start === "object" && "ageMs" in start.rewind
          ? { rewind: { ageMs: start.rewind.ageMs - 1 } }
          : start,
      ),
  })),
];

const FOLLOWING: readonly BrokenBroker[] = [
  log(
    "it loses the last push of a batch",
    "tail pushes what is appended",
    eachPush((listener, epoch, all) => listener.push(epoch, all.slice(0, -1))),
  ),
  log(
    "it pushes backwards",
    "tail pushes what is appended",
    eachPush((listener, epoch, all) => listener.push(epoch, all.toReversed())),
  ),
  log(
    "it pushes twice",
    "tail pushes what is appended",
    eachPush((listener, epoch, all) => {
      listener.push(epoch, all);
      listener.push(epoch, all);
    }),
  ),
  log("it pushes after close", "nothing after close", (sound) => ({
    tail: async (listener) => ({ ...(await sound.tail(listener)), close: () => undefined }),
  })),
  log("its tails begin at the first offset", "tail pushes what is appended", (sound) => ({
    tail: async (listener) => ({
      ...(await sound.tail(listener)),
      position: await sound.locate("earliest"),
    }),
  })),
];

export const BROKEN_BROKERS: readonly BrokenBroker[] = [
  ...BLIND_BROKERS,
  ...APPENDING,
  ...READING,
  ...FOLLOWING,
  ...BROKEN_KEEPERS,
];
