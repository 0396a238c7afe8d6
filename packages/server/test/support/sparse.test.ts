// Sparse collections: they do what maps and sets do, empty or not.
import { expect, test } from "vitest";
import { SparseMap, SparseSet } from "../../src/support/sparse.ts";

test("a sparse map holds what was set, and is empty again when all of it was deleted", () => {
  const map = new SparseMap<string, number>();
  expect([map.size, map.get("a"), map.has("a"), map.delete("a")]).toEqual([
    0,
    undefined,
    false,
    false,
  ]);
  expect([...map.keys(), ...map.values(), ...map.entries()]).toEqual([]);
  map.set("a", 1);
  map.set("b", 2);
  map.set("a", 3);
  expect([map.size, map.get("a"), map.has("b")]).toEqual([2, 3, true]);
  expect([[...map.keys()], [...map.values()]]).toEqual([
    ["a", "b"],
    [3, 2],
  ]);
  expect([...map.entries()]).toEqual([
    ["a", 3],
    ["b", 2],
  ]);
  expect([map.delete("a"), map.delete("a"), map.size]).toEqual([true, false, 1]);
  expect([map.delete("b"), map.size, [...map.keys()]]).toEqual([true, 0, []]);
  map.set("c", 4);
  map.clear();
  expect([map.size, map.has("c")]).toEqual([0, false]);
});

test("what is deleted from a sparse map while it is walked through isn't walked over", () => {
  const map = new SparseMap<string, number>();
  map.set("a", 1);
  map.set("b", 2);
  const seen: string[] = [];
  for (const key of map.keys()) {
    seen.push(key);
    map.delete("a");
    map.delete("b");
  }
  expect(seen).toEqual(["a"]);
});

test("a sparse set says whether it had what is deleted", () => {
  const set = new SparseSet<string>();
  expect(set.delete("a")).toBe(false);
  set.add("a");
  expect([set.delete("a"), set.delete("a")]).toEqual([true, false]);
});

test("a sparse set holds each value once, whether there is one of them or more", () => {
  const set = new SparseSet<string>();
  expect([set.size, ...set.values()]).toEqual([0]);
  set.add("a");
  set.add("a");
  expect([set.size, ...set.values()]).toEqual([1, "a"]);
  expect(set.delete("b")).toBe(false);
  set.add("b");
  set.add("a");
  expect([set.size, ...set.values()]).toEqual([2, "a", "b"]);
  expect([set.delete("a"), set.delete("a"), set.size]).toEqual([true, false, 1]);
  set.add("c");
  expect([...set.values()]).toEqual(["b", "c"]);
  expect([set.delete("b"), set.delete("c"), set.size, ...set.values()]).toEqual([true, true, 0]);
});

test("what is deleted from a sparse set while it is walked through isn't walked over", () => {
  const set = new SparseSet<string>();
  set.add("a");
  set.add("b");
  const seen: string[] = [];
  for (const value of set.values()) {
    seen.push(value);
    set.delete("a");
    set.delete("b");
  }
  expect(seen).toEqual(["a"]);
});
