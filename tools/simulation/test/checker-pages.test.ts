// The checker holds each page against the log as it was while the page was asked for.
import { done, entry, epoch, gap, judge, page, place, setting } from "./histories.ts";

const log = [epoch("A"), ...done(1), ...done(2), ...done(3)];
const cut = { type: "edge", channel: "room:1", epoch: "A", offset: 1 } as const;
const newest = { after: null, before: null };

judge([
  [
    "R14",
    "a page of a full log is empty",
    [...log, ...page({ ...newest })],
    [epoch("A"), ...page({ ...newest })],
  ],
  [
    "R14",
    "nothing follows a place, it says, and something does",
    [...log, ...page({ after: place(2) })],
    [...log, ...page({ after: place(3) })],
  ],
  [
    "R14",
    "a page of the end isn't",
    [...log, ...page({ ...newest, count: 2, entries: [entry(1), entry(2)] })],
    [...log, ...page({ ...newest, count: 2, entries: [entry(2), entry(3)], more: true })],
  ],
  [
    "R14",
    "a page of the end is of one long ago",
    [epoch("A"), ...done(1), ...done(2), ...page({ ...newest, entries: [entry(1)] })],
    [epoch("A"), ...done(1), ...page({ ...newest, entries: [entry(1)] }, done(2))],
  ],
  [
    "R14",
    "a page is shorter than it has to be",
    [...log, ...page({ entries: [entry(1)], more: true })],
    [setting({ pageBytes: 19 }), ...log, ...page({ entries: [entry(1)], more: true })],
  ],
  [
    "R14",
    "a page is longer than was asked",
    [...log, ...page({ count: 1, entries: [entry(1), entry(2)], more: true })],
    [...log, ...page({ count: 2, entries: [entry(1), entry(2)], more: true })],
  ],
  [
    "R14",
    "a page says that there is more behind it, and there isn't",
    [...log, ...page({ after: place(1), entries: [entry(2), entry(3)], more: true })],
    [...log, ...page({ after: place(1), entries: [entry(2), entry(3)] })],
  ],
  [
    "R14",
    "a page says that there is no more behind it, and there is",
    [...log, ...page({ count: 2, entries: [entry(1), entry(2)] })],
    [
      epoch("A"),
      ...done(1),
      ...done(2),
      ...page({ count: 2, entries: [entry(1), entry(2)] }, done(3)),
    ],
  ],
  [
    "R14",
    "a page says that there is more before it, and that was trimmed",
    [...log, cut, ...page({ after: null, before: place(3), entries: [entry(2)], more: true })],
    [...log, cut, ...page({ after: null, before: place(3), entries: [entry(2)] })],
  ],
  [
    "R14",
    "a page says that there is no more before it, and there is",
    [...log, ...page({ after: null, before: place(3), count: 1, entries: [entry(2)] })],
    [...log, ...page({ after: null, before: place(3), count: 1, entries: [entry(2)], more: true })],
  ],
  [
    "R14",
    "a page follows a place that was another publication's, without a gap",
    [...log, ...page({ after: { ...place(2), id: "other" }, entries: [entry(3)] })],
    [...log, ...page({ after: place(2), entries: [entry(3)] })],
  ],
  [
    "R14",
    "a page tells a gap where there is none",
    [...log, ...page({ gap: gap("ahead", { from: place(0) }), entries: [entry(2), entry(3)] })],
    [...log, cut, ...page({ gap: gap("trimmed", { lost: 1 }), entries: [entry(2), entry(3)] })],
  ],
  [
    "R14",
    "a page is of an epoch that was over",
    [...log, epoch("B"), ...page({ ...newest, entries: [entry(1), entry(2), entry(3)] })],
    [...log, ...page({ ...newest, entries: [entry(1), entry(2), entry(3)] }, [epoch("B")])],
  ],
]);
